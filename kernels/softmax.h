// Log-softmax over the rows of a matrix.
#pragma once
#include "kernels/device.h"

namespace tobogan::kernels {

// y[r][c] = x[r][c] - log(sum over k of e^x[r][k]), without overflow.
void log_softmax(Cpu on, int64_t rows, int64_t columns, const Real* x, Real* y);
void log_softmax(Cuda on, int64_t rows, int64_t columns, const Real* x, Real* y);
void log_softmax(Cudnn on, int64_t rows, int64_t columns, const Real* x, Real* y);

}  // namespace tobogan::kernels
