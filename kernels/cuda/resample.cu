// Every output pixel is a weighted sum of whole input pixels: the axis maps are tables in device memory, and a thread
// makes four neighbouring elements of a pixel.
#include "kernels/cuda/divider.cuh"
#include "kernels/cuda/flat.cuh"
#include "kernels/cuda/machine.h"
#include "kernels/resample.h"

namespace tobogan::kernels {
namespace {

constexpr int kBlock = 256;

// An AxisMap in device memory.
struct DeviceMap {
  const int* first;
  const AxisMap::Term* terms;
};

DeviceMap upload(Cuda on, const AxisMap& map) {
  return {on.machine->table(std::span(map.first)), on.machine->table(std::span(map.terms))};
}

// block: of a pixel, in units of kWide elements.
template <int kWide>
__global__ void __launch_bounds__(kBlock) resample_kernel(int64_t count, Divider block, int out_w, int in_w,
                                                          DeviceMap rows, DeviceMap columns, const float* x, float* y) {
  const int64_t i = int64_t{blockIdx.x} * kBlock + threadIdx.x;
  if (i >= count) return;
  const int64_t pixel = block.quotient(i), pixel_elements = block.divisor() * kWide;
  const int row = int(pixel) / out_w, column = int(pixel) - row * out_w;
  x += (i - pixel * block.divisor()) * kWide;
  float sums[kWide] = {};
  const int rows_end = rows.first[row + 1], begin = columns.first[column], end = columns.first[column + 1];
  for (int r = rows.first[row]; r < rows_end; ++r) {
    const AxisMap::Term vertical = rows.terms[r];
    for (int c = begin; c < end; ++c) {
      const AxisMap::Term horizontal = columns.terms[c];
      const float weight = vertical.weight * horizontal.weight;
      const float* from = x + (int64_t{vertical.source} * in_w + horizontal.source) * pixel_elements;
      if constexpr (kWide == 4) {
        const Four four = load_vector_four(from);
#pragma unroll
        for (int j = 0; j < kWide; ++j) sums[j] = fmaf(weight, four.v[j], sums[j]);
      } else {
        sums[0] = fmaf(weight, *from, sums[0]);
      }
    }
  }
  if constexpr (kWide == 4) {
    store_vector_four(y + i * kWide, {{sums[0], sums[1], sums[2], sums[3]}});
  } else {
    y[i] = sums[0];
  }
}

}  // namespace

void resample(Cuda on, const AxisMap& rows, const AxisMap& columns, int64_t block, const Real* x, Real* y) {
  const bool vector = block % 4 == 0 && aligned({x, y});
  const int64_t wide = vector ? block / 4 : block;
  const int64_t count = int64_t{rows.out()} * columns.out() * wide;
  if (count == 0) return;
  Launch<kBlock>{.grid = ceil_div(size_t(count), kBlock), .stream = on.stream}(
      vector ? resample_kernel<4> : resample_kernel<1>, count, Divider(wide), columns.out(), columns.in,
      upload(on, rows), upload(on, columns), x, y);
}

}  // namespace tobogan::kernels
