// What tests and benchmarks of convolutions share: how many numbers the three operands have, and square layers.
#pragma once
#include "kernels/conv.h"

namespace tobogan {

inline int64_t big_size(const kernels::ConvDims& d) {
  return int64_t{d.batch} * d.big_channels * d.big_h * d.big_w;
}
inline int64_t small_size(const kernels::ConvDims& d) {
  return int64_t{d.batch} * d.small_channels * d.small_h * d.small_w;
}
inline int64_t weight_size(const kernels::ConvDims& d) {
  return int64_t{d.kernel_h} * d.kernel_w * d.small_channels * d.big_channels;
}

// A square layer.
inline kernels::ConvDims layer(int batch, int big_channels, int big, int small_channels, int small, int kernel,
                               int stride, int pad) {
  return {.batch = batch,
          .big_channels = big_channels,
          .big_h = big,
          .big_w = big,
          .small_channels = small_channels,
          .small_h = small,
          .small_w = small,
          .kernel_h = kernel,
          .kernel_w = kernel,
          .stride_h = stride,
          .stride_w = stride,
          .pad_top = pad,
          .pad_left = pad};
}

}  // namespace tobogan
