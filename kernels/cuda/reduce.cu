// Sums: neighbouring axes with the same fate are merged, then one pattern after the other is summed away from the
// inside.  A few rows are added up in float, then go into an accumulator in double.
#include "kernels/axes.h"
#include "kernels/cuda/columns.cuh"
#include "kernels/elementwise.h"
#include "kernels/reduce.h"

namespace tobogan::kernels {
namespace {

// y[c] = the sum of x[r][c].
struct SumOp : ColumnSumOp {
  const float* x;

  template <int W>
  __device__ Terms<W> load(int64_t i, NoConstants) const {
    Terms<W> terms;
    load_elements(x, i, terms.v);
    return terms;
  }
};

// Rows of up to kLongRow elements: 2^k lanes of a warp a row.
constexpr int kRowBlock = 128;
constexpr int64_t kLongRow = 2048;

int lanes_for(int64_t columns) {
  int lanes = 1;
  while (lanes < 32 && lanes < columns) lanes *= 2;
  return lanes;
}

__global__ void __launch_bounds__(kRowBlock)
    sum_rows_kernel(int lanes, int64_t rows, int columns, const float* x, float* y) {
  const int thread = int(threadIdx.x), lane = thread % lanes;
  const int64_t row = int64_t{blockIdx.x} * (kRowBlock / lanes) + thread / lanes;
  double sum = 0;
  if (row < rows) {
    const float* line = x + row * columns;
#pragma unroll 8
    for (int c = lane; c < columns; c += lanes) sum += double(line[c]);
  }
  for (int bit = lanes / 2; bit > 0; bit /= 2) sum += __shfl_xor_sync(kFullWarp, sum, bit);
  if (row < rows && lane == 0) y[row] = float(sum);
}

// [outer][rows][columns] to [outer][columns].
void sum_middle(Cuda on, int64_t outer, int64_t rows, int64_t columns, const float* x, float* y) {
  reduce_columns(on, outer, rows, columns, aligned({x}), SumOp{{y}, x});
}

// [rows][columns] to [rows].
void sum_inner(Cuda on, int64_t rows, int64_t columns, const float* x, float* y) {
  if (columns > kLongRow) return sum_middle(on, rows, columns, 1, x, y);
  const int lanes = lanes_for(columns);
  Launch<kRowBlock>{.grid = ceil_div(size_t(rows), size_t(kRowBlock / lanes)), .stream = on.stream}(
      sum_rows_kernel, lanes, rows, int(columns), x, y);
}

void sum_alternating(Cuda on, const KeptAxes& axes, const float* x, float* y) {
  const auto& n = axes.size;
  const int last = axes.rank - 1;
  if (axes.rank == 0 || (axes.rank == 1 && axes.keep[0])) {
    copy(on, n[0], x, y);
  } else if (axes.rank == 1) {
    sum_middle(on, 1, n[0], 1, x, y);
  } else if (axes.rank == 2 && axes.keep[0]) {
    sum_inner(on, n[0], n[1], x, y);
  } else if (axes.rank == 2) {
    sum_middle(on, 1, n[0], n[1], x, y);
  } else if (axes.rank == 3 && axes.keep[0]) {
    sum_middle(on, n[0], n[1], n[2], x, y);
  } else if (!axes.keep[last]) {  // [..][kept][summed]: to [..][kept], then on
    const int64_t outer = n[0] * n[1] * (axes.rank == 4 ? n[2] : 1);
    const CudaScratch<float> inner(*on.pool, size_t(outer));
    sum_inner(on, outer, n[last], x, inner.data());
    KeptAxes rest = axes;
    rest.size[last] = 1;
    --rest.rank;
    sum_alternating(on, rest, inner.data(), y);
  } else {  // [summed][kept][summed][kept]
    const CudaScratch<float> inner(*on.pool, size_t(n[0] * n[1] * n[3]));
    sum_middle(on, n[0] * n[1], n[2], n[3], x, inner.data());
    sum_middle(on, 1, n[0], n[1] * n[3], inner.data(), y);
  }
}

// Of equal values the first; a NaN is larger than nothing, and nothing is larger than it.
__global__ void __launch_bounds__(kRowBlock)
    argmax_rows_kernel(int lanes, int64_t rows, int64_t columns, const float* x, int32_t* index) {
  const int thread = int(threadIdx.x), lane = thread % lanes;
  const int64_t row = int64_t{blockIdx.x} * (kRowBlock / lanes) + thread / lanes;
  float largest = 0;
  int best = 0;
  if (row < rows) {
    const float* line = x + row * columns;
    largest = line[0];
    for (int64_t c = lane; c < columns; c += lanes) {
      const float value = line[c];
      if (value > largest) largest = value, best = int(c);
    }
  }
  for (int bit = lanes / 2; bit > 0; bit /= 2) {
    const float value = __shfl_xor_sync(kFullWarp, largest, bit);
    const int where = __shfl_xor_sync(kFullWarp, best, bit);
    if (value > largest || (value == largest && where < best)) largest = value, best = where;
  }
  if (row < rows && lane == 0) index[row] = best;
}

}  // namespace

void sum(Cuda on, const Extents& extents, const std::array<bool, 4>& keep, const Real* x, Real* y) {
  if (extents.count() > 0) return sum_alternating(on, merge_kept(extents, keep), x, y);
  int64_t kept = 1;
  for (int axis = 0; axis < 4; ++axis) kept *= keep[axis] ? extents.size[axis] : 1;
  fill(on, kept, 0, y);
}

void argmax_rows(Cuda on, int64_t rows, int64_t columns, const Real* x, int32_t* index) {
  if (rows == 0) return;
  const int lanes = lanes_for(columns);
  Launch<kRowBlock>{.grid = ceil_div(size_t(rows), size_t(kRowBlock / lanes)), .stream = on.stream}(
      argmax_rows_kernel, lanes, rows, columns, x, index);
}

}  // namespace tobogan::kernels
