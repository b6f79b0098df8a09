// Log-softmax: a row is 2^k lanes of a warp, so that short rows leave no lane idle.
#include "kernels/cuda/device.cuh"
#include "kernels/softmax.h"

namespace tobogan::kernels {
namespace {

constexpr int kBlock = 128;

__global__ void __launch_bounds__(kBlock)
    log_softmax_kernel(int lanes, int64_t rows, int64_t columns, const float* x, float* y) {
  const int thread = int(threadIdx.x), lane = thread % lanes;
  const int64_t row = int64_t{blockIdx.x} * (kBlock / lanes) + thread / lanes;
  const int64_t own = row < rows ? columns : 0;  // a lane beyond the last row goes along with nothing to do
  const float* line = x + row * columns;
  float largest = -INFINITY;
  for (int64_t c = lane; c < own; c += lanes) largest = line[c] > largest ? line[c] : largest;
  for (int bit = lanes / 2; bit > 0; bit /= 2) {
    const float other = __shfl_xor_sync(kFullWarp, largest, bit);
    largest = other > largest ? other : largest;
  }
  float total = 0;
  for (int64_t c = lane; c < own; c += lanes) total += expf(line[c] - largest);
  for (int bit = lanes / 2; bit > 0; bit /= 2) total += __shfl_xor_sync(kFullWarp, total, bit);
  const float log_total = logf(total);
  for (int64_t c = lane; c < own; c += lanes) y[row * columns + c] = (line[c] - largest) - log_total;
}

}  // namespace

void log_softmax(Cuda on, int64_t rows, int64_t columns, const Real* x, Real* y) {
  if (rows == 0) return;
  int lanes = 1;
  while (lanes < 32 && lanes < columns) lanes *= 2;
  Launch<kBlock>{.grid = ceil_div(size_t(rows), size_t(kBlock / lanes)), .stream = on.stream}(log_softmax_kernel, lanes,
                                                                                              rows, columns, x, y);
}

}  // namespace tobogan::kernels
