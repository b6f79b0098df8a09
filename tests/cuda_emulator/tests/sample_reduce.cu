// Reductions: shuffles within warps, shared memory across them, atomics across blocks.
#include "kernels/cuda/device.cuh"
#include "tests/cuda_emulator/tests/samples.h"

namespace samples {
namespace {
using tobogan::kernels::ceil_div;
using tobogan::kernels::kFullWarp;
using tobogan::kernels::Launch;
constexpr int kBlock = 256;

__device__ __forceinline__ float warp_sum(float v) {
#pragma unroll
  for (int bit = 16; bit > 0; bit >>= 1) v += __shfl_xor_sync(kFullWarp, v, bit);
  return v;
}

// The sum over the block, known to all its threads.  The second barrier lets the next call use `sums` again.
template <int kThreads>
__device__ __forceinline__ float block_sum(float v) {
  constexpr int kWarps = kThreads / 32;
  SHARED(float, sums, [kWarps]);
  const int lane = int(threadIdx.x) % 32, warp = int(threadIdx.x) / 32;
  v = warp_sum(v);
  if (lane == 0) sums[warp] = v;
  __syncthreads();
  v = warp_sum(lane < kWarps ? sums[lane] : 0.0f);
  __syncthreads();
  return v;
}

// One block per channel; moments about the channel's first value, which keeps them from cancelling.
__global__ void __launch_bounds__(kBlock)
    channel_statistics_kernel(float* __restrict__ mean, float* __restrict__ variance, const float* __restrict__ x,
                              int batch, int channels, int pixels) {
  const int channel = int(blockIdx.x);
  const float shift = x[size_t(channel) * pixels];
  float sum = 0, squares = 0;
  for (int i = int(threadIdx.x); i < batch * pixels; i += kBlock) {
    const float v = x[(size_t(i / pixels) * channels + channel) * pixels + i % pixels] - shift;
    sum += v;
    squares = fmaf(v, v, squares);
  }
  sum = block_sum<kBlock>(sum) / float(batch * pixels);
  squares = block_sum<kBlock>(squares) / float(batch * pixels);
  if (threadIdx.x == 0) {
    mean[channel] = sum + shift;
    variance[channel] = squares - sum * sum;
  }
}

__global__ void __launch_bounds__(kBlock)
    sum_kernel(float* __restrict__ result, float* __restrict__ scratch, unsigned* __restrict__ counter,
               const float* __restrict__ x, size_t count) {
  SHARED(bool, is_last, [1]);
  float sum = 0;
  for (size_t i = size_t(blockIdx.x) * kBlock + threadIdx.x; i < count; i += size_t(gridDim.x) * kBlock) sum += x[i];
  sum = block_sum<kBlock>(sum);
  if (threadIdx.x == 0) {
    scratch[blockIdx.x] = sum;
    __threadfence();  // the sum must be seen before the count
    is_last[0] = atomicInc(counter, gridDim.x - 1) == gridDim.x - 1;
  }
  __syncthreads();
  if (is_last[0]) {
    sum = 0;
    for (unsigned i = threadIdx.x; i < gridDim.x; i += kBlock) sum += __ldcg(&scratch[i]);
    sum = block_sum<kBlock>(sum);
    if (threadIdx.x == 0) *result = sum;
  }
}

constexpr int kColumns = 32, kRows = 8;
__global__ void __launch_bounds__(kColumns* kRows)
    softmax_cross_entropy_kernel(float* __restrict__ loss, float* __restrict__ gradient,
                                 const float* __restrict__ logits, const int* __restrict__ label, int classes,
                                 int batch) {
  SHARED(float, partial, [kRows][kColumns + 1]);
  const int tx = int(threadIdx.x), ty = int(threadIdx.y), column = int(blockIdx.x) * kColumns + tx;
  const bool valid = column < batch;
  float highest = -INFINITY;
  for (int k = ty; valid && k < classes; k += kRows) highest = fmaxf(highest, logits[size_t(k) * batch + column]);
  partial[ty][tx] = highest;
  __syncthreads();
  for (int i = 0; i < kRows; ++i) highest = fmaxf(highest, partial[i][tx]);
  __syncthreads();
  float sum = 0;
  for (int k = ty; valid && k < classes; k += kRows) sum += __expf(logits[size_t(k) * batch + column] - highest);
  partial[ty][tx] = sum;
  __syncthreads();
  sum = 0;
  for (int i = 0; i < kRows; ++i) sum += partial[i][tx];
  if (!valid) return;
  const int right = label[column];
  for (int k = ty; k < classes; k += kRows) {
    const float p = __expf(logits[size_t(k) * batch + column] - highest) / sum;
    gradient[size_t(k) * batch + column] = (p - (k == right ? 1.0f : 0.0f)) / float(batch);
  }
  if (ty == 0) loss[column] = __logf(sum) + highest - logits[size_t(right) * batch + column];
}
}  // namespace

void channel_statistics(float* mean, float* variance, const float* x, int batch, int channels, int pixels,
                        cudaStream_t stream) {
  Launch<kBlock>{.grid = dim3(unsigned(channels)), .stream = stream}(channel_statistics_kernel, mean, variance, x,
                                                                     batch, channels, pixels);
}

void sum(float* result, float* scratch, unsigned* counter, const float* x, size_t count, cudaStream_t stream) {
  const unsigned blocks = min(ceil_div(count, 4 * kBlock), 64u);
  Launch<kBlock>{.grid = dim3(blocks), .stream = stream}(sum_kernel, result, scratch, counter, x, count);
}

void softmax_cross_entropy(float* loss, float* gradient, const float* logits, const int* label, int classes, int batch,
                           cudaStream_t stream) {
  Launch<kColumns, kRows>{.grid = dim3(ceil_div(size_t(batch), kColumns)), .stream = stream}(
      softmax_cross_entropy_kernel, loss, gradient, logits, label, classes, batch);
}

}  // namespace samples
