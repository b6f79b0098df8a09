// Maps: one thread per element or per four, vector loads, atomics and counter-based random numbers.
#include "kernels/cuda/device.cuh"
#include "tests/cuda_emulator/tests/samples.h"

namespace samples {
namespace {
using tobogan::kernels::ceil_div;
using tobogan::kernels::Launch;
constexpr int kBlock = 256;

__device__ __forceinline__ size_t element() {
  return size_t(blockIdx.x) * kBlock + threadIdx.x;
}
__device__ __forceinline__ float leaky_relu(float x, float slope) {
  return x > 0 ? x : slope * x;
}

__global__ void __launch_bounds__(kBlock)
    bias_leaky_relu4_kernel(float* __restrict__ y, const float* __restrict__ x, const float* __restrict__ bias,
                            size_t fours, int channels, int fours_per_channel, float slope) {
  for (size_t i = element(); i < fours; i += size_t(gridDim.x) * kBlock) {
    const float b = __ldg(&bias[i / unsigned(fours_per_channel) % unsigned(channels)]);
    float4 v = tobogan::kernels::load_vector<float4>(x + 4 * i);
    v.x = leaky_relu(v.x + b, slope);
    v.y = leaky_relu(v.y + b, slope);
    v.z = leaky_relu(v.z + b, slope);
    v.w = leaky_relu(v.w + b, slope);
    tobogan::kernels::store_vector(y + 4 * i, v);
  }
}

__global__ void __launch_bounds__(kBlock)
    bias_leaky_relu_kernel(float* __restrict__ y, const float* __restrict__ x, const float* __restrict__ bias,
                           size_t count, int channels, int pixels, float slope) {
  for (size_t i = element(); i < count; i += size_t(gridDim.x) * kBlock)
    y[i] = leaky_relu(x[i] + __ldg(&bias[i / unsigned(pixels) % unsigned(channels)]), slope);
}

// step[0]: how many steps there were, in device memory, so that a captured launch stays right.
__global__ void __launch_bounds__(kBlock)
    adam_kernel(float* __restrict__ weight, float* __restrict__ mean, float* __restrict__ square,
                const float* __restrict__ gradient, const float* __restrict__ step, size_t count) {
  const size_t i = element();
  if (i >= count) return;
  constexpr float kMean = 0.9f, kSquare = 0.99f, kRate = 0.01f;
  const float g = gradient[i], t = *step;
  const float m = mean[i] = kMean * mean[i] + (1 - kMean) * g;
  const float s = square[i] = kSquare * square[i] + (1 - kSquare) * g * g;
  weight[i] -= kRate * (m / (1 - powf(kMean, t))) / (sqrtf(s / (1 - powf(kSquare, t))) + 1e-8f);
}
__global__ void __launch_bounds__(32) count_step_kernel(float* step) {
  if (threadIdx.x == 0) *step += 1;
}

__global__ void __launch_bounds__(kBlock)
    embedding_gradient_kernel(float* __restrict__ table, const float* __restrict__ gradient,
                              const int* __restrict__ index, int count, int width) {
  const size_t i = element();
  if (i < size_t(count) * width) atomicAdd(&table[size_t(index[i / width]) * width + i % width], gradient[i]);
}

__device__ __forceinline__ uint4 philox(uint64_t counter, uint64_t seed) {
  uint4 c = make_uint4(unsigned(counter), unsigned(counter >> 32), 0, 0);
  unsigned key0 = unsigned(seed), key1 = unsigned(seed >> 32);
#pragma unroll
  for (int round = 0; round < 10; ++round) {
    const unsigned high0 = __umulhi(0xD2511F53u, c.x), high1 = __umulhi(0xCD9E8D57u, c.z);
    c = make_uint4(high1 ^ c.y ^ key0, 0xCD9E8D57u * c.z, high0 ^ c.w ^ key1, 0xD2511F53u * c.x);
    key0 += 0x9E3779B9u;
    key1 += 0xBB67AE85u;
  }
  return c;
}
__device__ __forceinline__ float uniform(unsigned bits) {
  return (float(bits >> 8) + 0.5f) * (1.0f / 16777216.0f);
}

// A block makes kBlock numbers of four words and lays them out so that neighbours store to neighbours.
__global__ void __launch_bounds__(kBlock)
    dropout_kernel(float* __restrict__ y, uint8_t* __restrict__ keep, const float* __restrict__ x, size_t count,
                   float drop, uint64_t seed) {
  SHARED(unsigned, bits, [4 * kBlock]);
  const uint4 r = philox(element(), seed);
  const unsigned t = threadIdx.x * 4;
  bits[t] = r.x;
  bits[t + 1] = r.y;
  bits[t + 2] = r.z;
  bits[t + 3] = r.w;
  __syncthreads();
#pragma unroll
  for (unsigned part = 0; part < 4; ++part) {
    const size_t i = size_t(blockIdx.x) * (4 * kBlock) + part * kBlock + threadIdx.x;
    if (i >= count) break;
    const bool kept = uniform(bits[part * kBlock + threadIdx.x]) >= drop;
    keep[i] = kept;
    y[i] = kept ? x[i] / (1 - drop) : 0;
  }
}

__global__ void __launch_bounds__(kBlock) normal_kernel(float* __restrict__ y, size_t count, uint64_t seed) {
  const size_t i = element();
  if (4 * i >= count) return;
  const uint4 r = philox(i, seed);
  float values[4];
  const float radius0 = sqrtf(-2 * __logf(uniform(r.x))), radius1 = sqrtf(-2 * __logf(uniform(r.z)));
  __sincosf(6.2831853f * uniform(r.y), &values[0], &values[1]);
  __sincosf(6.2831853f * uniform(r.w), &values[2], &values[3]);
#pragma unroll
  for (unsigned j = 0; j < 4; ++j)
    if (4 * i + j < count) y[4 * i + j] = values[j] * (j < 2 ? radius0 : radius1);
}

dim3 blocks_for(size_t threads) {
  return dim3(ceil_div(threads, kBlock));
}
}  // namespace

void bias_leaky_relu(float* y, const float* x, const float* bias, int batch, int channels, int pixels, float slope,
                     cudaStream_t stream) {
  const size_t count = size_t(batch) * channels * pixels;
  if (pixels % 4 == 0)
    Launch<kBlock>{.grid = blocks_for(count / 4), .stream = stream}(bias_leaky_relu4_kernel, y, x, bias, count / 4,
                                                                    channels, pixels / 4, slope);
  else
    Launch<kBlock>{.grid = blocks_for(count), .stream = stream}(bias_leaky_relu_kernel, y, x, bias, count, channels,
                                                                pixels, slope);
}

void adam_step(float* weight, float* mean, float* square, const float* gradient, const float* step, size_t count,
               cudaStream_t stream) {
  Launch<32>{.grid = dim3(1), .stream = stream}(count_step_kernel, const_cast<float*>(step));
  Launch<kBlock>{.grid = blocks_for(count), .stream = stream}(adam_kernel, weight, mean, square, gradient, step, count);
}

void embedding_gradient(float* table_gradient, const float* gradient, const int* index, int count, int width,
                        cudaStream_t stream) {
  Launch<kBlock>{.grid = blocks_for(size_t(count) * width), .stream = stream}(embedding_gradient_kernel, table_gradient,
                                                                              gradient, index, count, width);
}

void dropout(float* y, uint8_t* keep, const float* x, size_t count, float drop, uint64_t seed, cudaStream_t stream) {
  Launch<kBlock>{.grid = blocks_for(ceil_div(count, 4)), .stream = stream}(dropout_kernel, y, keep, x, count, drop,
                                                                           seed);
}

void normal_noise(float* y, size_t count, uint64_t seed, cudaStream_t stream) {
  Launch<kBlock>{.grid = blocks_for(ceil_div(count, 4)), .stream = stream}(normal_kernel, y, count, seed);
}

}  // namespace samples
