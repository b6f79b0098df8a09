// Linear maps between pixel grids: resizing, average pooling, padding and cropping are all this one kernel.
//
// With images laid out [H][W][N][C] every output pixel is a weighted sum of whole (N x C) blocks of input pixels, and
// the weights are products of a weight for the row and one for the column.
#pragma once
#include "kernels/pixels.h"

namespace tobogan::kernels {

// y[i][j][:] = sum over row terms (r, a) of i and column terms (s, b) of j of a * b * x[r][s][:].
// x is rows.in x columns.in pixels of `block` elements each, y is rows.out() x columns.out().
void resample(Cpu on, const AxisMap& rows, const AxisMap& columns, int64_t block, const Real* x, Real* y);
void resample(Cuda on, const AxisMap& rows, const AxisMap& columns, int64_t block, const Real* x, Real* y);

}  // namespace tobogan::kernels
