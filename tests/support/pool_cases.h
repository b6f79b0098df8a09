// Poolings that tests of kernels share, for `block` images and channels.
#pragma once
#include "kernels/pool.h"

namespace tobogan::kernels {

// Windows that touch.
inline PoolDims two_by_two(int64_t block) {
  return {.block = block,
          .in_h = 8,
          .in_w = 6,
          .out_h = 4,
          .out_w = 3,
          .kernel_h = 2,
          .kernel_w = 2,
          .stride_h = 2,
          .stride_w = 2};
}

// Windows that overlap, and reach outside.
inline PoolDims overlapping(int64_t block) {
  return {.block = block,
          .in_h = 7,
          .in_w = 9,
          .out_h = 4,
          .out_w = 5,
          .kernel_h = 3,
          .kernel_w = 3,
          .stride_h = 2,
          .stride_w = 2,
          .pad_top = 1,
          .pad_left = 1};
}

}  // namespace tobogan::kernels
