// Shared memory and races: bounds, missing barriers, missing atomics, asynchronous copies.
#include "kernels/cuda/ptx.cuh"
#include "tests/cuda_emulator/tests/planted_bugs/bugs.h"

namespace planted_bugs {
namespace {
namespace ptx = tobogan::kernels::ptx;

__global__ void shared_index_kernel(float* y, int where) {
  SHARED(float, a, [16]);
  SHARED(float, b, [16]);
  const int i = int(threadIdx.x);
  a[i] = 1;
  b[i] = 5;
  __syncthreads();
  if (i == 0) a[where] = 7;
  __syncthreads();
  y[i] = a[i] + b[i];
}
__global__ void shared_pointer_kernel(float* y, int shift) {
  SHARED(float, a, [16]);
  float* p = a;
  p[int(threadIdx.x) + shift] = 1;
  __syncthreads();
  y[threadIdx.x] = p[int(threadIdx.x) + shift];
}
__global__ void dynamic_kernel(float* y) {
  DYN_SMEM(float, a);
  a[threadIdx.x] = float(threadIdx.x);
  __syncthreads();
  y[threadIdx.x] = a[255 - threadIdx.x];
}
__global__ void reverse_kernel(float* y, const float* x) {
  SHARED(float, a, [256]);
  a[threadIdx.x] = x[threadIdx.x];
  y[threadIdx.x] = a[255 - threadIdx.x];  // no barrier before
}
__global__ void neighbour_kernel(float* y, const float* x) {
  SHARED(float, a, [256]);
  const int i = int(threadIdx.x);
  a[i] = x[i];
  y[i] = i ? a[i - 1] : 0;  // right if threads run in order
}
__global__ void tiles_kernel(float* y, const float* x, int tiles) {
  SHARED(float, a, [64]);
  const int i = int(threadIdx.x);
  float sum = 0;
  for (int t = 0; t < tiles; ++t) {
    a[i] = x[t * 64 + i];
    __syncthreads();
    for (int j = 0; j < 64; ++j) sum += a[j];
  }  // no barrier before the next tile
  y[i] = sum;
}
__global__ void swap_lanes_kernel(float* y, const float* x) {
  SHARED(float, a, [32]);
  a[threadIdx.x] = x[threadIdx.x];
  y[threadIdx.x] = a[threadIdx.x ^ 1];  // no __syncwarp before
}
__global__ void lockstep_kernel(float* y, const float* x) {
  SHARED(volatile float, a, [64]);
  const int i = int(threadIdx.x);
  a[i] = x[i];
  a[i + 32] = 0;
  for (int step = 16; step > 0; step >>= 1) a[i] = a[i] + a[i + step];  // as before Volta
  if (i == 0) *y = a[0];
}
__global__ void uninitialised_shared_kernel(float* y) {
  SHARED(float, a, [32]);
  const int i = int(threadIdx.x);
  if (i < 31) a[i] = 1;
  __syncthreads();
  float sum = 0;
  for (int j = 0; j < 32; ++j) sum += a[j];
  y[i] = sum > 0 ? 1 : 2;
}
__global__ void count_in_block_kernel(float* y) {
  y[0] += 1;
}
__global__ void count_across_blocks_kernel(float* y) {
  if (threadIdx.x == 0) y[0] += 1;
}
__global__ void overlapping_blocks_kernel(float* y, int count) {
  const int i = int(blockIdx.x * 200 + threadIdx.x);
  if (i < count) y[i] = float(blockIdx.x);
}

enum class Mistake { kNoWait, kNoCommit, kMisaligned, kRefilledTooEarly };
template <Mistake kMistake>
__global__ void cp_async_kernel(float* y, const float* x) {
  SHARED(float, a, [260]);
  const int i = int(threadIdx.x);
  ptx::cp_async<16>(&a[i * 4 + (kMistake == Mistake::kMisaligned)], &x[i * 4]);
  if (kMistake != Mistake::kNoCommit) ptx::cp_async_commit();
  if (kMistake != Mistake::kNoWait) ptx::cp_async_wait<0>();
  __syncthreads();
  if (kMistake == Mistake::kRefilledTooEarly) {  // others still read a
    ptx::cp_async<16>(&a[i * 4], &x[(63 - i) * 4]);
    ptx::cp_async_commit();
  }
  for (int j = 0; j < 4; ++j) y[i * 4 + j] = a[(i * 4 + j + 128) % 256];
}

void shared_index() {
  const Stream stream;
  const Array<float> y(16);
  launch(stream, shared_index_kernel, 1, 16, 0, y.data(), 16);
}
void shared_pointer() {
  const Stream stream;
  const Array<float> y(16);
  launch(stream, shared_pointer_kernel, 1, 16, 0, y.data(), 1);
}
void dynamic_shared_too_small() {
  const Stream stream;
  const Array<float> y(256);
  launch(stream, dynamic_kernel, 1, 256, 1000, y.data());
}
void missing_syncthreads() {
  const Stream stream;
  const Array<float> x(counting(256)), y(256);
  launch(stream, reverse_kernel, 1, 256, 0, y.data(), x.data());
  expect_results(y.read(stream), backwards(256));
}
void missing_syncthreads_neighbour() {
  const Stream stream;
  const Array<float> x(same(256, 1)), y(256);
  launch(stream, neighbour_kernel, 1, 256, 0, y.data(), x.data());
  auto right = same(256, 1);
  right[0] = 0;
  expect_results(y.read(stream), right);
}
void missing_second_syncthreads() {
  const Stream stream;
  const auto x = counting(640);
  const Array<float> dx(x), y(64);
  launch(stream, tiles_kernel, 1, 64, 0, y.data(), dx.data(), 10);
  expect_results(y.read(stream), same(64, 640.0f * 639 / 2));
}
void missing_syncwarp() {
  const Stream stream;
  auto x = counting(32);
  const Array<float> dx(x), y(32);
  launch(stream, swap_lanes_kernel, 1, 32, 0, y.data(), dx.data());
  for (size_t i = 0; i < 32; i += 2) std::swap(x[i], x[i + 1]);
  expect_results(y.read(stream), x);
}
void lockstep_assumption() {
  const Stream stream;
  const Array<float> x(counting(32)), y(1);
  launch(stream, lockstep_kernel, 1, 32, 0, y.data(), x.data());
  expect_results(y.read(stream), {496});
}
void uninitialised_shared() {
  const Stream stream;
  const Array<float> y(32);
  launch(stream, uninitialised_shared_kernel, 1, 32, 0, y.data());
  expect_results(y.read(stream), same(32, 1));
}
void missing_atomic_in_block() {
  const Stream stream;
  const Array<float> y(same(1, 0));
  launch(stream, count_in_block_kernel, 1, 64, 0, y.data());
  expect_results(y.read(stream), {64});
}
void missing_atomic_across_blocks() {
  const Stream stream;
  const Array<float> y(same(1, 0));
  launch(stream, count_across_blocks_kernel, 64, 32, 0, y.data());
  expect_results(y.read(stream), {64});
}
void overlapping_blocks() {
  const Stream stream;
  const Array<float> y(2000);
  launch(stream, overlapping_blocks_kernel, 10, 256, 0, y.data(), 2000);
  std::vector<float> right(2000);
  for (size_t b = 0; b < 10; ++b)
    for (size_t i = b * 200; i < std::min<size_t>(b * 200 + 256, 2000); ++i) right[i] = float(b);
  expect_results(y.read(stream), right);
}
template <Mistake kMistake>
void cp_async() {
  const Stream stream;
  const Array<float> x(counting(256)), y(256);
  launch(stream, cp_async_kernel<kMistake>, 1, 64, 0, y.data(), x.data());
  auto right = counting(256);
  for (size_t i = 0; i < 256; ++i) right[i] = float((i + 128) % 256);
  expect_results(y.read(stream), right);
}

constexpr Bug kBugs[] = {{"shared_index", shared_index},
                         {"shared_pointer", shared_pointer},
                         {"dynamic_shared_too_small", dynamic_shared_too_small},
                         {"missing_syncthreads", missing_syncthreads},
                         {"missing_syncthreads_neighbour", missing_syncthreads_neighbour},
                         {"missing_second_syncthreads", missing_second_syncthreads},
                         {"missing_syncwarp", missing_syncwarp},
                         {"lockstep_assumption", lockstep_assumption},
                         {"uninitialised_shared", uninitialised_shared},
                         {"missing_atomic_in_block", missing_atomic_in_block},
                         {"missing_atomic_across_blocks", missing_atomic_across_blocks},
                         {"overlapping_blocks", overlapping_blocks},
                         {"cp_async_no_wait", cp_async<Mistake::kNoWait>},
                         {"cp_async_no_commit", cp_async<Mistake::kNoCommit>},
                         {"cp_async_misaligned", cp_async<Mistake::kMisaligned>},
                         {"cp_async_refilled_too_early", cp_async<Mistake::kRefilledTooEarly>}};
}  // namespace

std::span<const Bug> shared_memory_bugs() {
  return kBugs;
}

}  // namespace planted_bugs
