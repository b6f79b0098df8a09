// Functions of one number that several families need.
#pragma once
#include "kernels/cuda/device.cuh"

namespace tobogan::kernels {

__device__ __forceinline__ float sigmoid(float v) {
  const float tail = expf(-fabsf(v));
  return (v < 0 ? tail : 1.0f) / (1 + tail);
}

// log(1 + e^v), without overflow.
__device__ __forceinline__ float softplus(float v) {
  return fmaxf(v, 0.0f) + log1pf(expf(-fabsf(v)));
}

}  // namespace tobogan::kernels
