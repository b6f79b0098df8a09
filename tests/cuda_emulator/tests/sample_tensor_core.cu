// Matrix products on the tensor cores: cp.async into two stages, fragments by hand (TF32) and by ldmatrix (bf16).
#include "kernels/cuda/ptx.cuh"
#include "tests/cuda_emulator/tests/samples.h"

namespace samples {
namespace {
using tobogan::kernels::ceil_div;
using tobogan::kernels::Launch;
namespace ptx = tobogan::kernels::ptx;

// A block of four warps makes 64 x 64 results: each warp 16 rows.
constexpr int kTile = 64, kBlock = 128;

__device__ __forceinline__ int clamp(int v, int low, int high) {
  return min(max(v, low), high);
}

// Starts copying rows x columns values of `size` bytes from (row0, column0) of a matrix; what lies outside is zero.
template <int kRows, int kColumns, int kPitch, class T>
__device__ __forceinline__ void load_tile(T* tile, const T* matrix, int row0, int column0, int rows, int columns) {
  constexpr int kPerCopy = 16 / int(sizeof(T));
  for (int e = int(threadIdx.x); e < kRows * kColumns / kPerCopy; e += kBlock) {
    const int r = e / (kColumns / kPerCopy), c = e % (kColumns / kPerCopy) * kPerCopy;
    const int left = row0 + r < rows ? clamp(columns - column0 - c, 0, kPerCopy) : 0;
    const T* from = left > 0 ? matrix + size_t(row0 + r) * columns + column0 + c : matrix;
    ptx::cp_async<16>(&tile[r * kPitch + c], from, left * int(sizeof(T)));
  }
}

__device__ __forceinline__ void store_tile(float* c, const float (&d)[8][4], int row0, int column0, int m, int n) {
  const int lane = int(threadIdx.x) % 32, group = lane / 4, quad = lane % 4;
#pragma unroll
  for (int j = 0; j < 8; ++j)
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const int row = row0 + group + i / 2 * 8, column = column0 + j * 8 + quad * 2 + i % 2;
      if (row < m && column < n) c[size_t(row) * n + column] = d[j][i];
    }
}

constexpr int kDepthTf32 = 16, kPitchA = 20, kPitchB = 72;  // padded so that fragments meet different banks
constexpr int kStageTf32 = kTile * kPitchA + kDepthTf32 * kPitchB;

__global__ void __launch_bounds__(kBlock) matmul_tf32_kernel(float* __restrict__ c, const float* __restrict__ a,
                                                             const float* __restrict__ b, int m, int n, int k) {
  DYN_SMEM(float, stages);
  const int warp = int(threadIdx.x) / 32, lane = int(threadIdx.x) % 32, group = lane / 4, quad = lane % 4;
  const int row0 = int(blockIdx.y) * kTile, column0 = int(blockIdx.x) * kTile;
  auto load = [&](int step) {
    float* stage = stages + step % 2 * kStageTf32;
    load_tile<kTile, kDepthTf32, kPitchA>(stage, a, row0, step * kDepthTf32, m, k);
    load_tile<kDepthTf32, kTile, kPitchB>(stage + kTile * kPitchA, b, step * kDepthTf32, column0, k, n);
    ptx::cp_async_commit();
  };
  float d[8][4] = {};
  const int steps = (k + kDepthTf32 - 1) / kDepthTf32;
  load(0);
  for (int step = 0; step < steps; ++step) {
    if (step + 1 < steps)
      load(step + 1);
    else
      ptx::cp_async_commit();  // an empty group keeps the count of groups right
    ptx::cp_async_wait<1>();
    __syncthreads();
    const float* tile_a = stages + step % 2 * kStageTf32 + warp * 16 * kPitchA;
    const float* tile_b = stages + step % 2 * kStageTf32 + kTile * kPitchA;
#pragma unroll
    for (int kk = 0; kk < kDepthTf32; kk += 8) {
      uint32_t fa[4], fb[2];
#pragma unroll
      for (int i = 0; i < 4; ++i)
        fa[i] = ptx::to_tf32(tile_a[(group + i % 2 * 8) * kPitchA + kk + quad + i / 2 * 4]);
#pragma unroll
      for (int j = 0; j < 8; ++j) {
#pragma unroll
        for (int i = 0; i < 2; ++i) fb[i] = ptx::to_tf32(tile_b[(kk + quad + i * 4) * kPitchB + j * 8 + group]);
        ptx::mma_m16n8k8_tf32(d[j], fa, fb);
      }
    }
    __syncthreads();
  }
  store_tile(c, d, row0 + warp * 16, column0, m, n);
}

constexpr int kDepthBf16 = 32, kPitchA16 = 40, kPitchB16 = 72;
constexpr int kStageBf16 = kTile * kPitchA16 + kDepthBf16 * kPitchB16;

__global__ void __launch_bounds__(kBlock) matmul_bf16_kernel(float* __restrict__ c, const __nv_bfloat16* __restrict__ a,
                                                             const __nv_bfloat16* __restrict__ b, int m, int n, int k) {
  DYN_SMEM(__nv_bfloat16, stages);
  const int warp = int(threadIdx.x) / 32, lane = int(threadIdx.x) % 32;
  const int row0 = int(blockIdx.y) * kTile, column0 = int(blockIdx.x) * kTile;
  auto load = [&](int step) {
    __nv_bfloat16* stage = stages + step % 2 * kStageBf16;
    load_tile<kTile, kDepthBf16, kPitchA16>(stage, a, row0, step * kDepthBf16, m, k);
    load_tile<kDepthBf16, kTile, kPitchB16>(stage + kTile * kPitchA16, b, step * kDepthBf16, column0, k, n);
    ptx::cp_async_commit();
  };
  float d[8][4] = {};
  const int steps = (k + kDepthBf16 - 1) / kDepthBf16;
  load(0);
  for (int step = 0; step < steps; ++step) {
    if (step + 1 < steps)
      load(step + 1);
    else
      ptx::cp_async_commit();
    ptx::cp_async_wait<1>();
    __syncthreads();
    const __nv_bfloat16* tile_a = stages + step % 2 * kStageBf16 + warp * 16 * kPitchA16;
    const __nv_bfloat16* tile_b = stages + step % 2 * kStageBf16 + kTile * kPitchA16;
#pragma unroll
    for (int kk = 0; kk < kDepthBf16; kk += 16) {
      uint32_t fa[4], fb[4];
      // Matrices in the order of the fragment: rows 0-7 and 8-15 of the left half, then of the right half.
      ptx::ldmatrix_x4(fa, &tile_a[lane % 16 * kPitchA16 + kk + lane / 16 * 8]);
#pragma unroll
      for (int j = 0; j < 8; j += 2) {  // B lies depth by column: transposed, two tiles of eight columns at a time
        ptx::ldmatrix_x4_trans(fb, &tile_b[(kk + lane % 16) * kPitchB16 + (j + lane / 16) * 8]);
        const uint32_t left[2] = {fb[0], fb[1]}, right[2] = {fb[2], fb[3]};
        ptx::mma_m16n8k16_bf16(d[j], fa, left);
        ptx::mma_m16n8k16_bf16(d[j + 1], fa, right);
      }
    }
    __syncthreads();
  }
  store_tile(c, d, row0 + warp * 16, column0, m, n);
}
}  // namespace

void matmul_tf32(float* c, const float* a, const float* b, int m, int n, int k, cudaStream_t stream) {
  const dim3 grid(ceil_div(size_t(n), kTile), ceil_div(size_t(m), kTile));
  Launch<kBlock>{.grid = grid, .shared_bytes = 2 * kStageTf32 * sizeof(float), .stream = stream}(matmul_tf32_kernel, c,
                                                                                                 a, b, m, n, k);
}

void matmul_bf16(float* c, const void* a, const void* b, int m, int n, int k, cudaStream_t stream) {
  const dim3 grid(ceil_div(size_t(n), kTile), ceil_div(size_t(m), kTile));
  Launch<kBlock>{.grid = grid, .shared_bytes = 2 * kStageBf16 * sizeof(__nv_bfloat16), .stream = stream}(
      matmul_bf16_kernel, c, static_cast<const __nv_bfloat16*>(a), static_cast<const __nv_bfloat16*>(b), m, n, k);
}

}  // namespace samples
