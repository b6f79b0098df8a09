// The dense product of two matrices, row by row in memory.
#pragma once
#include "kernels/device.h"

namespace tobogan::kernels {

struct MatmulDims {
  int rows = 0, columns = 0, inner = 0;  // of the product: c (rows x columns) sums over inner
  bool transpose_a = false;              // a is (inner x rows) in memory, else (rows x inner)
  bool transpose_b = false;              // b is (columns x inner) in memory, else (inner x columns)
};

// c = op(a) * op(b).
void matmul(Cpu on, const MatmulDims& dims, const Real* a, const Real* b, Real* c);
void matmul(Cuda on, const MatmulDims& dims, const Real* a, const Real* b, Real* c);

}  // namespace tobogan::kernels
