// Sums over some axes, always added up in the same order.
#pragma once
#include "kernels/strided.h"

namespace tobogan::kernels {

// y = the sum of contiguous x (of the given extents) over the axes whose keep is false; the kept axes of y are
// contiguous in the same order.  Accumulates in chunks fixed by the sizes alone, so the bits do not depend on the
// thread count.
void sum(Cpu on, const Extents& extents, const std::array<bool, 4>& keep, const Real* x, Real* y);
void sum(Cuda on, const Extents& extents, const std::array<bool, 4>& keep, const Real* x, Real* y);

// index[r] = the first column of the largest value in row r of x (rows x columns).
void argmax_rows(Cpu on, int64_t rows, int64_t columns, const Real* x, int32_t* index);
void argmax_rows(Cuda on, int64_t rows, int64_t columns, const Real* x, int32_t* index);

}  // namespace tobogan::kernels
