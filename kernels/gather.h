// Picking rows, columns and images by index, and the way back.
#pragma once
#include "kernels/device.h"

namespace tobogan::kernels {

// y[r][:] = table[index[r]][:]  (index: rows entries in 0..entries-1; y: rows x columns).
void gather_rows(Cpu on, int64_t rows, int64_t columns, const Real* table, const int32_t* index, Real* y);
void gather_rows(Cuda on, int64_t rows, int64_t columns, const Real* table, const int32_t* index, Real* y);

// table[e][:] = sum of y[r][:] over the rows r with index[r] = e, in order of r; the adjoint of gather_rows.
void scatter_add_rows(Cpu on, int64_t rows, int64_t columns, int64_t entries, const Real* y, const int32_t* index,
                      Real* table);
void scatter_add_rows(Cuda on, int64_t rows, int64_t columns, int64_t entries, const Real* y, const int32_t* index,
                      Real* table);

// y[r] = x[r][index[r]]  (x: rows x columns).
void pick_columns(Cpu on, int64_t rows, int64_t columns, const Real* x, const int32_t* index, Real* y);
void pick_columns(Cuda on, int64_t rows, int64_t columns, const Real* x, const int32_t* index, Real* y);

// x[r][c] = y[r] where c = index[r], else 0: the adjoint of pick_columns.
void place_columns(Cpu on, int64_t rows, int64_t columns, const Real* y, const int32_t* index, Real* x);
void place_columns(Cuda on, int64_t rows, int64_t columns, const Real* y, const int32_t* index, Real* x);

// Integers picked by index: y[i] = x[index[i]].
void gather_labels(Cpu on, int64_t count, const int32_t* x, const int32_t* index, int32_t* y);
void gather_labels(Cuda on, int64_t count, const int32_t* x, const int32_t* index, int32_t* y);

struct ImageDims {
  int64_t count = 0;  // images picked
  int channels = 0, height = 0, width = 0;
};

// y = scale * pixels + shift for the picked images: from bytes [image][channel][row][column], as files have them, to
// [row][column][picked image][channel].
void gather_images(Cpu on, const ImageDims& dims, Real scale, Real shift, const uint8_t* pixels, const int32_t* index,
                   Real* y);
void gather_images(Cuda on, const ImageDims& dims, Real scale, Real shift, const uint8_t* pixels, const int32_t* index,
                   Real* y);

}  // namespace tobogan::kernels
