// Rows, columns and images by index.
#include "kernels/gather.h"

#include "kernels/cpu/loops.h"

namespace tobogan::kernels {

void gather_rows(Cpu on, int64_t rows, int64_t columns, const Real* table, const int32_t* index, Real* y) {
  for_rows(on, rows, columns, [=](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      std::copy_n(table + index[row] * columns, columns, y + row * columns);
    }
  });
}

void scatter_add_rows(Cpu on, int64_t rows, int64_t columns, int64_t entries, const Real* y, const int32_t* index,
                      Real* table) {
  // Threads share the columns, not the rows: every sum is then made by one thread, in order.
  constexpr int64_t kStrip = 64;
  const int64_t strips = (columns + kStrip - 1) / kStrip;
  for_rows(on, strips, (rows + entries) * std::min(columns, kStrip), [=](int64_t begin, int64_t end) {
    const int64_t first = begin * kStrip, last = std::min(end * kStrip, columns);
    for (int64_t e = 0; e < entries; ++e) std::fill(table + e * columns + first, table + e * columns + last, Real(0));
    for (int64_t row = 0; row < rows; ++row) {
      Real* sum = table + index[row] * columns;
      const Real* line = y + row * columns;
#pragma GCC ivdep
      for (int64_t c = first; c < last; ++c) sum[c] += line[c];
    }
  });
}

void pick_columns(Cpu on, int64_t rows, int64_t columns, const Real* x, const int32_t* index, Real* y) {
  for_elements(on, rows, [=](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) y[row] = x[row * columns + index[row]];
  });
}

void place_columns(Cpu on, int64_t rows, int64_t columns, const Real* y, const int32_t* index, Real* x) {
  for_rows(on, rows, columns, [=](int64_t begin, int64_t end) {
    std::fill(x + begin * columns, x + end * columns, Real(0));
    for (int64_t row = begin; row < end; ++row) x[row * columns + index[row]] = y[row];
  });
}

void gather_labels(Cpu on, int64_t count, const int32_t* x, const int32_t* index, int32_t* y) {
  for_elements(on, count, [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) y[i] = x[index[i]];
  });
}

void gather_images(Cpu on, const ImageDims& dims, Real scale, Real shift, const uint8_t* pixels, const int32_t* index,
                   Real* y) {
  // A transposition of (image, channel) planes by pixels, in bands of pixels: a band of one cache line per plane.
  constexpr int64_t kBand = 64, kLanes = 16;
  const int64_t area = static_cast<int64_t>(dims.height) * dims.width, planes = dims.count * dims.channels;
  const int64_t bands = (area + kBand - 1) / kBand, channels = dims.channels;
  for_rows(on, bands, kBand * planes, [=](int64_t begin, int64_t end) {
    const int64_t first = begin * kBand, last = std::min(end * kBand, area);
    for (int64_t plane = 0; plane < planes; plane += kLanes) {
      const int64_t lanes = std::min(kLanes, planes - plane);
      const uint8_t* source[kLanes];
      for (int64_t k = 0; k < lanes; ++k) {
        const int64_t image = (plane + k) / channels, channel = (plane + k) % channels;
        source[k] = pixels + (index[image] * channels + channel) * area;
      }
      for (int64_t pixel = first; pixel < last; ++pixel) {
        Real* out = y + pixel * planes + plane;
        for (int64_t k = 0; k < lanes; ++k) out[k] = scale * static_cast<Real>(source[k][pixel]) + shift;
      }
    }
  });
}

}  // namespace tobogan::kernels
