// Barriers and warp functions that not everybody reaches.
#include "tests/cuda_emulator/tests/planted_bugs/bugs.h"

namespace planted_bugs {
namespace {
using tobogan::kernels::kFullWarp;

__global__ void half_kernel(float* y) {
  if (threadIdx.x < 128) __syncthreads();
  y[threadIdx.x] = 1;
}
__global__ void two_barriers_kernel(float* y) {
  if (threadIdx.x % 2) {
    y[threadIdx.x] = 1;
    __syncthreads();
  } else {
    __syncthreads();
    y[threadIdx.x] = 1;
  }
}
__global__ void early_return_kernel(float* y) {
  if (threadIdx.x >= 200) return;
  __syncthreads();
  y[threadIdx.x] = 1;
}
__global__ void loop_count_kernel(float* y) {
  for (int i = int(threadIdx.x); i < 300; i += 256) __syncthreads();
  y[threadIdx.x] = 1;
}
__global__ void full_mask_in_branch_kernel(float* y) {
  float v = float(threadIdx.x);
  if (threadIdx.x < 16) v += __shfl_xor_sync(kFullWarp, v, 1);
  y[threadIdx.x] = v;
}
__global__ void two_shuffles_kernel(float* y) {
  float v = float(threadIdx.x);
  if (threadIdx.x < 16)
    v = __shfl_xor_sync(kFullWarp, v, 1);
  else
    v = __shfl_xor_sync(kFullWarp, v, 2);
  y[threadIdx.x] = v;
}
__global__ void source_not_in_mask_kernel(float* y) {
  float v = float(threadIdx.x);
  if (threadIdx.x < 16) v = __shfl_sync(0xffffu, v, 20);
  y[threadIdx.x] = v;
}
__global__ void caller_not_in_mask_kernel(float* y) {
  y[threadIdx.x] = __shfl_xor_sync(0xffffu, float(threadIdx.x), 1);
}
__global__ void warp_sum_kernel(float* y) {
  float v = 1;
  for (int bit = 16; bit; bit >>= 1) v += __shfl_xor_sync(kFullWarp, v, bit);
  y[threadIdx.x] = v;
}
__global__ void exited_lane_kernel(float* y) {
  if (threadIdx.x == 31) return;
  y[threadIdx.x] = __shfl_xor_sync(kFullWarp, 1.0f, 1);
}
__global__ void activemask_kernel(float* y) {
  float v = float(threadIdx.x);
  if (threadIdx.x < 16) {
    const unsigned mask = __activemask();
    for (int bit = 8; bit; bit >>= 1) v += __shfl_xor_sync(mask, v, bit);
  }
  y[threadIdx.x] = v;
}

template <auto kKernel, unsigned kThreads>
void run() {
  const Stream stream;
  const Array<float> y(kThreads);
  launch(stream, kKernel, 1, kThreads, 0, y.data());
  y.read(stream);
}

constexpr Bug kBugs[] = {{"barrier_in_half_of_the_block", run<half_kernel, 256>},
                         {"two_barriers_in_if_else", run<two_barriers_kernel, 256>},
                         {"early_return_before_barrier", run<early_return_kernel, 256>},
                         {"barrier_in_unequal_loops", run<loop_count_kernel, 256>},
                         {"full_mask_in_branch", run<full_mask_in_branch_kernel, 32>},
                         {"two_shuffles_in_if_else", run<two_shuffles_kernel, 32>},
                         {"source_not_in_mask", run<source_not_in_mask_kernel, 32>},
                         {"caller_not_in_mask", run<caller_not_in_mask_kernel, 32>},
                         {"mask_names_missing_lanes", run<warp_sum_kernel, 48>},
                         {"mask_names_exited_lane", run<exited_lane_kernel, 32>},
                         {"activemask_misuse", run<activemask_kernel, 32>}};
}  // namespace

std::span<const Bug> barrier_bugs() {
  return kBugs;
}

}  // namespace planted_bugs
