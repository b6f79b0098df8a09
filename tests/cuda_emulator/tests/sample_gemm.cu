// Tiles in shared memory: a matrix product on the FP32 units and a transposed convolution.
#include "kernels/cuda/device.cuh"
#include "tests/cuda_emulator/tests/samples.h"

namespace samples {
namespace {
using tobogan::kernels::ceil_div;
using tobogan::kernels::Launch;

constexpr int kTile = 64, kDepth = 16, kMatmulBlock = 256;

// A block makes 64 x 64 results, a thread 4 x 4 of them.
__global__ void __launch_bounds__(kMatmulBlock) matmul_ffma_kernel(float* __restrict__ c, const float* __restrict__ a,
                                                                   const float* __restrict__ b, int m, int n, int k) {
  SHARED(float, tile_a, [kDepth][kTile + 4]);
  SHARED(float, tile_b, [kDepth][kTile]);
  const int t = int(threadIdx.x), tx = t % 16, ty = t / 16;
  const int row0 = int(blockIdx.y) * kTile, column0 = int(blockIdx.x) * kTile;
  float sums[4][4] = {};
  for (int k0 = 0; k0 < k; k0 += kDepth) {
#pragma unroll
    for (int i = 0; i < kTile * kDepth / kMatmulBlock; ++i) {
      const int e = t + i * kMatmulBlock;
      const int ka = k0 + e % kDepth, row = row0 + e / kDepth, kb = k0 + e / kTile, column = column0 + e % kTile;
      tile_a[e % kDepth][e / kDepth] = row < m && ka < k ? a[size_t(row) * k + ka] : 0;
      tile_b[e / kTile][e % kTile] = kb < k && column < n ? b[size_t(kb) * n + column] : 0;
    }
    __syncthreads();
#pragma unroll
    for (int kk = 0; kk < kDepth; ++kk) {
      const float4 va = tobogan::kernels::load_vector<float4>(&tile_a[kk][ty * 4]);
      const float4 vb = tobogan::kernels::load_vector<float4>(&tile_b[kk][tx * 4]);
      const float fa[4] = {va.x, va.y, va.z, va.w}, fb[4] = {vb.x, vb.y, vb.z, vb.w};
#pragma unroll
      for (int i = 0; i < 4; ++i)
#pragma unroll
        for (int j = 0; j < 4; ++j) sums[i][j] = fmaf(fa[i], fb[j], sums[i][j]);
    }
    __syncthreads();
  }
#pragma unroll
  for (int i = 0; i < 4; ++i)
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      const int row = row0 + ty * 4 + i, column = column0 + tx * 4 + j;
      if (row < m && column < n) c[size_t(row) * n + column] = sums[i][j];
    }
}

constexpr int kSide = 16, kOut = 8;  // a block: 16 x 16 pixels of 8 output channels
__global__ void __launch_bounds__(kSide* kSide)
    upsampling_conv_kernel(float* __restrict__ y, const float* __restrict__ x, const float* __restrict__ weight, int in,
                           int out, int h, int w) {
  SHARED(float, pixels, [kSide / 2 + 2][kSide / 2 + 3]);
  SHARED(float, taps, [kOut][16]);
  const int tiles_x = (2 * w + kSide - 1) / kSide, image = int(blockIdx.z), out0 = int(blockIdx.y) * kOut;
  const int y0 = int(blockIdx.x) / tiles_x * kSide, x0 = int(blockIdx.x) % tiles_x * kSide;
  const int oy = y0 + int(threadIdx.y), ox = x0 + int(threadIdx.x), t = int(threadIdx.y * kSide + threadIdx.x);
  const int iy0 = y0 / 2 - 1, ix0 = x0 / 2 - 1;
  float sums[kOut] = {};
  for (int channel = 0; channel < in; ++channel) {
    const float* plane = x + (size_t(image) * in + channel) * h * w;
    for (int e = t; e < (kSide / 2 + 2) * (kSide / 2 + 2); e += kSide * kSide) {
      const int r = e / (kSide / 2 + 2), c = e % (kSide / 2 + 2), iy = iy0 + r, ix = ix0 + c;
      pixels[r][c] = iy >= 0 && iy < h && ix >= 0 && ix < w ? plane[iy * w + ix] : 0;
    }
    if (t < kOut * 16)
      taps[t / 16][t % 16] = out0 + t / 16 < out ? weight[(size_t(channel) * out + out0 + t / 16) * 16 + t % 16] : 0;
    __syncthreads();
    // Output pixel oy meets input pixel iy under the tap ky with oy = 2 iy - 1 + ky.
    for (int ky = (oy + 1) % 2; ky < 4; ky += 2)
      for (int kx = (ox + 1) % 2; kx < 4; kx += 2) {
        const float v = pixels[(oy + 1 - ky) / 2 - iy0][(ox + 1 - kx) / 2 - ix0];
#pragma unroll
        for (int o = 0; o < kOut; ++o) sums[o] = fmaf(v, taps[o][ky * 4 + kx], sums[o]);
      }
    __syncthreads();
  }
  if (oy < 2 * h && ox < 2 * w)
    for (int o = 0; o < kOut && out0 + o < out; ++o)
      y[((size_t(image) * out + out0 + o) * 2 * h + oy) * 2 * w + ox] = sums[o];
}
}  // namespace

void matmul_ffma(float* c, const float* a, const float* b, int m, int n, int k, cudaStream_t stream) {
  const dim3 grid(ceil_div(size_t(n), kTile), ceil_div(size_t(m), kTile));
  Launch<kMatmulBlock>{.grid = grid, .stream = stream}(matmul_ffma_kernel, c, a, b, m, n, k);
}

void upsampling_conv(float* y, const float* x, const float* weight, int batch, int in, int out, int h, int w,
                     cudaStream_t stream) {
  const dim3 grid(ceil_div(size_t(2 * h), kSide) * ceil_div(size_t(2 * w), kSide), ceil_div(size_t(out), kOut),
                  unsigned(batch));
  Launch<kSide, kSide>{.grid = grid, .stream = stream}(upsampling_conv_kernel, y, x, weight, in, out, h, w);
}

}  // namespace samples
