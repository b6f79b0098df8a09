// Max pooling, and the gather and scatter along its choices.
#pragma once
#include "kernels/device.h"

namespace tobogan::kernels {

// Windows of kernel_h x kernel_w pixels; positions outside the image do not take part.
// REQUIRES: every window holds at least one pixel.
struct PoolDims {
  int64_t block = 0;  // batch * channels: what one pixel holds
  int in_h = 0, in_w = 0, out_h = 0, out_w = 0;
  int kernel_h = 0, kernel_w = 0, stride_h = 1, stride_w = 1, pad_top = 0, pad_left = 0;
};

// y[o][e] = the largest x[p][e] over the pixels p of window o; choice[o][e] = that p (the first of equals).
void max_pool2d(Cpu on, const PoolDims& dims, const Real* x, Real* y, int32_t* choice);
void max_pool2d(Cuda on, const PoolDims& dims, const Real* x, Real* y, int32_t* choice);

// y[o][e] = x[choice[o][e]][e].
void pool_gather(Cpu on, const PoolDims& dims, const Real* x, const int32_t* choice, Real* y);
void pool_gather(Cuda on, const PoolDims& dims, const Real* x, const int32_t* choice, Real* y);

// x[p][e] = sum of y[o][e] over the windows o with choice[o][e] = p: the adjoint of pool_gather.
void pool_scatter(Cpu on, const PoolDims& dims, const Real* y, const int32_t* choice, Real* x);
void pool_scatter(Cuda on, const PoolDims& dims, const Real* y, const int32_t* choice, Real* x);

}  // namespace tobogan::kernels
