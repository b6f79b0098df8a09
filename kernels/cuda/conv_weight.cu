// conv2d_weight: for each tap a product of 64 x 64 channels, summed over the pixels that meet under it and the images.
#include <algorithm>

#include "kernels/conv.h"
#include "kernels/cuda/device.cuh"

namespace tobogan::kernels {
namespace {

constexpr int kBlock = 256, kTile = 64, kDepth = 16, kEach = 4;  // a thread makes 4 x 4 results

// The small positions from `first` to `end` that meet a big position under a tap.
struct Meeting {
  int first, end;
};
__device__ __forceinline__ Meeting meeting(int big, int small, int stride, int shift) {
  const int first = shift >= 0 ? 0 : (-shift + stride - 1) / stride;
  const int end = big - shift <= 0 ? 0 : (big - shift + stride - 1) / stride;
  return {first, max(first, min(end, small))};
}

__global__ void __launch_bounds__(kBlock) weight_kernel(float* __restrict__ weight, const float* __restrict__ big,
                                                        const float* __restrict__ small, ConvDims d) {
  SHARED(float, tile_a, [kDepth][kTile + 4]);
  SHARED(float, tile_b, [kDepth][kTile + 4]);
  const int t = int(threadIdx.x), tap = int(blockIdx.z), row0 = int(blockIdx.y) * kTile,
            column0 = int(blockIdx.x) * kTile;
  const int shift_y = tap / d.kernel_w * d.dilation_h - d.pad_top;
  const int shift_x = tap % d.kernel_w * d.dilation_w - d.pad_left;
  const Meeting y = meeting(d.big_h, d.small_h, d.stride_h, shift_y);
  const Meeting x = meeting(d.big_w, d.small_w, d.stride_w, shift_x);
  const int width = x.end - x.first, depth = (y.end - y.first) * width * d.batch;
  float sums[kEach][kEach] = {};
  for (int k0 = 0; k0 < depth; k0 += kDepth) {
#pragma unroll
    for (int i = 0; i < kEach; ++i) {
      const int e = t + i * kBlock, k = k0 + e / kTile, pixel = k / d.batch, image = k % d.batch;
      float a = 0, b = 0;
      if (k < depth) {
        const int line = y.first + pixel / width, place = x.first + pixel % width;
        const int row = row0 + e % kTile, column = column0 + e % kTile;
        const size_t from = (size_t(line) * d.small_w + place) * d.batch + image;
        const size_t at =
            (size_t(line * d.stride_h + shift_y) * d.big_w + place * d.stride_w + shift_x) * d.batch + image;
        if (row < d.small_channels) a = small[from * d.small_channels + row];
        if (column < d.big_channels) b = big[at * d.big_channels + column];
      }
      tile_a[e / kTile][e % kTile] = a;
      tile_b[e / kTile][e % kTile] = b;
    }
    __syncthreads();
    const int steps = min(kDepth, depth - k0);
    for (int k = 0; k < steps; ++k) {
      const float4 a = load_vector<float4>(&tile_a[k][t / 16 * 4]), b = load_vector<float4>(&tile_b[k][t % 16 * 4]);
      const float fa[4] = {a.x, a.y, a.z, a.w}, fb[4] = {b.x, b.y, b.z, b.w};
#pragma unroll
      for (int i = 0; i < kEach; ++i)
#pragma unroll
        for (int j = 0; j < kEach; ++j) sums[i][j] = fmaf(fa[i], fb[j], sums[i][j]);
    }
    __syncthreads();
  }
#pragma unroll
  for (int i = 0; i < kEach; ++i) {
    const int row = row0 + t / 16 * 4 + i;
#pragma unroll
    for (int j = 0; j < kEach; ++j) {
      const int column = column0 + t % 16 * 4 + j;
      if (row < d.small_channels && column < d.big_channels)
        weight[(size_t(tap) * d.small_channels + row) * d.big_channels + column] = sums[i][j];
    }
  }
}

}  // namespace

void conv2d_weight(Cuda on, const ConvDims& d, const Real* big, const Real* small, Real* weight) {
  const dim3 grid(ceil_div(size_t(d.big_channels), kTile), ceil_div(size_t(d.small_channels), kTile),
                  unsigned(d.kernel_h * d.kernel_w));
  if (grid.x * grid.y * grid.z == 0) return;
  Launch<kBlock>{.grid = grid, .stream = on.stream}(weight_kernel, weight, big, small, d);
}

}  // namespace tobogan::kernels
