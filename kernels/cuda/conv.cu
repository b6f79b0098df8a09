// conv2d and conv_transpose2d: tiles of 64 rows (pixel, image) x 64 channels, summed over taps and channels in fp32.
#include "kernels/conv.h"
#include "kernels/cuda/conv_plan.h"
#include "kernels/cuda/device.cuh"
#include "kernels/cuda/machine.h"

namespace tobogan::kernels {
namespace {

constexpr int kBlock = 256, kTile = 64, kDepth = 16, kEach = 4;  // a thread makes 4 x 4 results

// Sizes of what is gathered; weight[tap][k][n] is at weight + tap * tap_size + k * k_step + n * n_step.
struct GatherSizes {
  int batch;
  int in_h, in_w, in_channels;
  int out_w, out_channels;
  int kernel_w;
  int64_t tap_size;
  int k_step, n_step;
};

__global__ void __launch_bounds__(kBlock)
    gather_kernel(float* __restrict__ out, const float* __restrict__ in, const float* __restrict__ weight,
                  const GatherPhase* __restrict__ phases, const GatherTile* __restrict__ tiles, GatherSizes s) {
  SHARED(float, tile_a, [kDepth][kTile + 4]);
  SHARED(float, tile_b, [kDepth][kTile + 4]);
  const GatherTile tile = tiles[blockIdx.x];
  const GatherAxis y = phases[tile.phase].y, x = phases[tile.phase].x;
  const int t = int(threadIdx.x), column0 = int(blockIdx.y) * kTile, rows = y.count * x.count * s.batch;
  // This thread loads 4 elements of a, of the rows t / 16 + 16 i.
  int in_y[kEach], in_x[kEach], image[kEach];
#pragma unroll
  for (int i = 0; i < kEach; ++i) {
    const int row = tile.first_row + t / kDepth + i * (kBlock / kDepth), pixel = row / s.batch;
    image[i] = row % s.batch;
    in_y[i] = row < rows ? y.in_first + pixel / x.count * y.in_step : -(1 << 30);
    in_x[i] = x.in_first + pixel % x.count * x.in_step;
  }
  float sums[kEach][kEach] = {};
  for (int ky = tile.y_begin; ky < tile.y_end; ++ky) {
    for (int kx = tile.x_begin; kx < tile.x_end; ++kx) {
      const int64_t tap = int64_t(y.tap_first + ky * y.tap_step) * s.kernel_w + x.tap_first + kx * x.tap_step;
      const float* tap_weight = weight + tap * s.tap_size;
      for (int k0 = 0; k0 < s.in_channels; k0 += kDepth) {
#pragma unroll
        for (int i = 0; i < kEach; ++i) {
          const int k = k0 + t % kDepth, iy = in_y[i] + ky * y.in_tap, ix = in_x[i] + kx * x.in_tap;
          const bool there = k < s.in_channels && unsigned(iy) < unsigned(s.in_h) && unsigned(ix) < unsigned(s.in_w);
          const size_t at = ((size_t(iy) * s.in_w + ix) * s.batch + image[i]) * s.in_channels + k;
          tile_a[t % kDepth][t / kDepth + i * (kBlock / kDepth)] = there ? in[at] : 0;
          const int e = t + i * kBlock, kb = k0 + e / kTile, n = column0 + e % kTile;
          tile_b[e / kTile][e % kTile] =
              kb < s.in_channels && n < s.out_channels ? tap_weight[size_t(kb) * s.k_step + size_t(n) * s.n_step] : 0;
        }
        __syncthreads();
        const int depth = min(kDepth, s.in_channels - k0);
        for (int k = 0; k < depth; ++k) {
          const float4 a = load_vector<float4>(&tile_a[k][t / 16 * 4]), b = load_vector<float4>(&tile_b[k][t % 16 * 4]);
          const float fa[4] = {a.x, a.y, a.z, a.w}, fb[4] = {b.x, b.y, b.z, b.w};
#pragma unroll
          for (int i = 0; i < kEach; ++i)
#pragma unroll
            for (int j = 0; j < kEach; ++j) sums[i][j] = fmaf(fa[i], fb[j], sums[i][j]);
        }
        __syncthreads();
      }
    }
  }
#pragma unroll
  for (int i = 0; i < kEach; ++i) {
    const int row = tile.first_row + t / 16 * 4 + i, pixel = row / s.batch;
    if (row >= rows) continue;
    const int oy = y.out_first + pixel / x.count * y.out_step, ox = x.out_first + pixel % x.count * x.out_step;
    float* to = out + ((size_t(oy) * s.out_w + ox) * s.batch + row % s.batch) * s.out_channels;
#pragma unroll
    for (int j = 0; j < kEach; ++j) {
      const int n = column0 + t % 16 * 4 + j;
      if (n < s.out_channels) to[n] = sums[i][j];
    }
  }
}

void gather(Cuda on, const ConvDims& d, bool to_small, const float* in, const float* weight, float* out) {
  const GatherSizes s{.batch = d.batch,
                      .in_h = to_small ? d.big_h : d.small_h,
                      .in_w = to_small ? d.big_w : d.small_w,
                      .in_channels = to_small ? d.big_channels : d.small_channels,
                      .out_w = to_small ? d.small_w : d.big_w,
                      .out_channels = to_small ? d.small_channels : d.big_channels,
                      .kernel_w = d.kernel_w,
                      .tap_size = int64_t{d.small_channels} * d.big_channels,
                      .k_step = to_small ? 1 : d.big_channels,
                      .n_step = to_small ? d.big_channels : 1};
  if (d.batch == 0 || s.out_channels == 0) return;
  const GatherPlan plan = plan_gather(d, to_small, kTile);
  if (plan.tiles.empty()) return;
  const GatherPhase* phases = on.machine->table(std::span(std::as_const(plan.phases)));
  const GatherTile* tiles = on.machine->table(std::span(std::as_const(plan.tiles)));
  const dim3 grid(unsigned(plan.tiles.size()), ceil_div(size_t(s.out_channels), kTile));
  Launch<kBlock>{.grid = grid, .stream = on.stream}(gather_kernel, out, in, weight, phases, tiles, s);
}

}  // namespace

void conv2d(Cuda on, const ConvDims& dims, const Real* big, const Real* weight, Real* small) {
  gather(on, dims, true, big, weight, small);
}

void conv_transpose2d(Cuda on, const ConvDims& dims, const Real* small, const Real* weight, Real* big) {
  gather(on, dims, false, small, weight, big);
}

}  // namespace tobogan::kernels
