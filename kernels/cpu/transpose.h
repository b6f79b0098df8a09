// Transposing small tiles: eight by eight in registers where there is AVX, element by element elsewhere.
#pragma once
#ifdef __AVX__
#include <immintrin.h>
#endif

#include "kernels/device.h"

namespace tobogan::kernels {

// y[i * y_step + j] = x[j * x_step + i] for i < lines, j < size.
template <class T>
void transpose_plain(int64_t lines, int64_t size, const T* x, int64_t x_step, T* y, int64_t y_step) {
  for (int64_t i = 0; i < lines; ++i) {
    for (int64_t j = 0; j < size; ++j) y[i * y_step + j] = x[j * x_step + i];
  }
}

#ifdef __AVX__

// The same for 8 x 8: pairs, then quadruples, then halves change places.
inline void transpose_eight(const float* x, int64_t x_step, float* y, int64_t y_step) {
  __m256 row[8], mixed[8];
  for (int j = 0; j < 8; ++j) row[j] = _mm256_loadu_ps(x + j * x_step);
  for (int j = 0; j < 8; j += 2) {
    mixed[j] = _mm256_unpacklo_ps(row[j], row[j + 1]);
    mixed[j + 1] = _mm256_unpackhi_ps(row[j], row[j + 1]);
  }
  for (int j = 0; j < 8; j += 4) {
    row[j] = _mm256_shuffle_ps(mixed[j], mixed[j + 2], 0x44);
    row[j + 1] = _mm256_shuffle_ps(mixed[j], mixed[j + 2], 0xEE);
    row[j + 2] = _mm256_shuffle_ps(mixed[j + 1], mixed[j + 3], 0x44);
    row[j + 3] = _mm256_shuffle_ps(mixed[j + 1], mixed[j + 3], 0xEE);
  }
  for (int i = 0; i < 4; ++i) {
    _mm256_storeu_ps(y + i * y_step, _mm256_permute2f128_ps(row[i], row[i + 4], 0x20));
    _mm256_storeu_ps(y + (i + 4) * y_step, _mm256_permute2f128_ps(row[i], row[i + 4], 0x31));
  }
}

inline void transpose_tile(int64_t lines, int64_t size, const float* x, int64_t x_step, float* y, int64_t y_step) {
  int64_t i = 0;
  for (; i + 8 <= lines; i += 8) {
    int64_t j = 0;
    for (; j + 8 <= size; j += 8) transpose_eight(x + j * x_step + i, x_step, y + i * y_step + j, y_step);
    transpose_plain(8, size - j, x + j * x_step + i, x_step, y + i * y_step + j, y_step);
  }
  transpose_plain(lines - i, size, x + i, x_step, y + i * y_step, y_step);
}

inline void transpose_tile(int64_t lines, int64_t size, const double* x, int64_t x_step, double* y, int64_t y_step) {
  transpose_plain(lines, size, x, x_step, y, y_step);
}

#else

inline void transpose_tile(int64_t lines, int64_t size, const Real* x, int64_t x_step, Real* y, int64_t y_step) {
  transpose_plain(lines, size, x, x_step, y, y_step);
}

#endif

}  // namespace tobogan::kernels
