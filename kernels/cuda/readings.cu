// One warp: a lane for each number.
#include "kernels/cuda/device.cuh"
#include "kernels/readings.h"

namespace tobogan::kernels {
namespace {

struct Scalars {
  const float* at[kMostReadings];
};

__global__ void __launch_bounds__(32) append_row_kernel(const __grid_constant__ Scalars values, int count,
                                                        uint64_t rows, float* table, uint64_t* counter) {
  const uint64_t position = counter[0];
  if (int(threadIdx.x) < count) table[position % rows * count + threadIdx.x] = values.at[threadIdx.x][0];
  __syncwarp();
  if (threadIdx.x == 0) counter[0] = position + 1;
}

}  // namespace

void append_row(Cuda on, std::span<const float* const> values, int64_t rows, float* table, uint64_t* counter) {
  Scalars scalars{};
  for (size_t i = 0; i < values.size(); ++i) scalars.at[i] = values[i];
  Launch<32>{.grid = 1, .stream = on.stream}(append_row_kernel, scalars, int(values.size()), uint64_t(rows), table,
                                             counter);
}

}  // namespace tobogan::kernels
