// Wrong programs, each with one bug that people really write.  caught.txt says which mode of the emulator must catch
// which and how; the test program runs one per process, as most of them end it.
#pragma once
#include <span>
#include <vector>

#include "kernels/cuda/device.cuh"
#include "tests/cuda_emulator/tests/support.h"

namespace planted_bugs {

using emulator_test::Array;
using emulator_test::check_cuda;
using emulator_test::counting;
using emulator_test::Stream;

struct Bug {
  const char* name;
  void (*run)();
};
std::span<const Bug> memory_bugs();
std::span<const Bug> shared_memory_bugs();
std::span<const Bug> barrier_bugs();
std::span<const Bug> stream_bugs();

// Launches with any block, unlike Launch, which refuses some mistakes at compile time.
template <class... Params, class... Args>
void launch(const Stream& stream, void (*kernel)(Params...), unsigned blocks, unsigned threads, size_t shared_bytes,
            Args... args) {
  cudaLaunchConfig_t config{};
  config.gridDim = dim3(blocks);
  config.blockDim = dim3(threads);
  config.dynamicSmemBytes = shared_bytes;
  config.stream = stream;
  check_cuda(cudaLaunchKernelEx(&config, kernel, static_cast<Params>(args)...), "launch");
}

// What a user of the results would see.
inline void expect_results(const std::vector<float>& results, const std::vector<float>& right) {
  for (size_t i = 0; i < right.size(); ++i)
    if (!(std::fabs(results[i] - right[i]) <= 1e-3f)) {
      std::printf("WRONG RESULT: element %zu is %g instead of %g\n", i, double(results[i]), double(right[i]));
      return;
    }
}
inline std::vector<float> same(size_t count, float value) {
  return std::vector<float>(count, value);
}
inline std::vector<float> backwards(size_t count) {
  std::vector<float> values(count);
  for (size_t i = 0; i < count; ++i) values[i] = float(count - 1 - i);
  return values;
}

__device__ __forceinline__ int global_thread() {
  return int(blockIdx.x * blockDim.x + threadIdx.x);
}

}  // namespace planted_bugs
