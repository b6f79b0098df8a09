// Elementwise kernels: flat where the operands are, else by strides, four elements at a time where they lie so.
#include "kernels/cuda/flat.cuh"
#include "kernels/cuda/functions.cuh"
#include "kernels/cuda/machine.h"
#include "kernels/cuda/strided.cuh"
#include "kernels/elementwise.h"

namespace tobogan::kernels {
namespace {

struct Same {
  __device__ float operator()(float v) const { return v; }
};
struct Exp {
  __device__ float operator()(float v) const { return expf(v); }
};
struct Log {
  __device__ float operator()(float v) const { return logf(v); }
};
struct Sqrt {
  __device__ float operator()(float v) const { return sqrtf(v); }
};
struct Tanh {
  __device__ float operator()(float v) const { return tanhf(v); }
};
struct Sigmoid {
  __device__ float operator()(float v) const { return sigmoid(v); }
};
struct Softplus {
  __device__ float operator()(float v) const { return softplus(v); }
};
struct Abs {
  __device__ float operator()(float v) const { return fabsf(v); }
};
struct Sign {
  __device__ float operator()(float v) const { return v > 0 ? 1.0f : v < 0 ? -1.0f : v; }
};
struct Reciprocal {
  __device__ float operator()(float v) const { return 1 / v; }
};
struct Affine {
  float scale, shift;
  __device__ float operator()(float v) const { return fmaf(scale, v, shift); }
};
struct Clamp {
  float low, high;
  __device__ float operator()(float v) const {  // NaN stays
    const float raised = v < low ? low : v;
    return raised > high ? high : raised;
  }
};
struct ClampGrad {
  float low, high;
  __device__ float operator()(float dy, float x) const { return low < x && x < high ? dy : 0.0f; }
};

// Up to kParts matrices side by side, four neighbours of y a thread where all widths are multiples of four.
constexpr int kParts = 8;
struct Parts {
  const float* x[kParts];
  int64_t end[kParts];  // where it ends in a row of y
  int count;
  int64_t width;  // of y
};

template <int W>
__global__ void __launch_bounds__(kFlatBlock) concat_kernel(Parts parts, int64_t count, float* y) {
  const int64_t i = (int64_t{blockIdx.x} * kFlatBlock + threadIdx.x) * W;
  if (i >= count) return;
  const int64_t row = i / parts.width, column = i % parts.width;
  int64_t begin = 0;
#pragma unroll
  for (int p = 0; p < kParts; ++p) {
    if (p >= parts.count) break;
    if (column < parts.end[p]) {
      const float* from = parts.x[p] + row * (parts.end[p] - begin) + (column - begin);
      if constexpr (W == 4) {
        store_vector_four(y + i, load_vector_four(from));
      } else {
        y[i] = *from;
      }
      break;
    }
    begin = parts.end[p];
  }
}

struct Add {
  __device__ float operator()(float a, float b) const { return a + b; }
};
struct Subtract {
  __device__ float operator()(float a, float b) const { return a - b; }
};
struct Multiply {
  __device__ float operator()(float a, float b) const { return a * b; }
};
struct Divide {
  __device__ float operator()(float a, float b) const { return a / b; }
};

__global__ void __launch_bounds__(kFlatBlock) fill_kernel(int64_t count, bool vector, float value, float* y) {
  const FlatRuns runs(count, vector);
#pragma unroll
  for (int k = 0; k < FlatRuns::kRuns; ++k) runs.store(y, k, {{value, value, value, value}});
}

// A run's elements of an operand.  REQUIRES, where `vector`: runs_of_four, so every run is whole or empty.
template <int kOperands>
__device__ __forceinline__ Four gather(const FlatRuns& runs, int run, bool vector, const StridedAxes<kOperands>& axes,
                                       int operand, const float* p) {
  Four four{};
  if (vector) {
    if (!runs.whole(run)) return four;
    p += axes.offsets(runs.at(run)).of[operand];
    if (axes.inner_step(operand) == 1) return load_vector_four(p);
    const float same = *p;
    return {{same, same, same, same}};
  }
#pragma unroll
  for (int j = 0; j < 4; ++j) {
    if (runs.has(run, j)) four.v[j] = p[axes.offsets(runs.at(run, j)).of[operand]];
  }
  return four;
}

template <class F>
__global__ void __launch_bounds__(kFlatBlock)
    strided_zip_kernel(F f, int64_t count, bool vector, StridedAxes<2> axes, const float* a, const float* b, float* y) {
  const FlatRuns runs(count, vector);
  Four first[FlatRuns::kRuns], second[FlatRuns::kRuns];
#pragma unroll
  for (int k = 0; k < FlatRuns::kRuns; ++k) {
    first[k] = gather(runs, k, vector, axes, 0, a);
    second[k] = gather(runs, k, vector, axes, 1, b);
  }
#pragma unroll
  for (int k = 0; k < FlatRuns::kRuns; ++k) {
    Four out;
#pragma unroll
    for (int j = 0; j < 4; ++j) out.v[j] = f(first[k].v[j], second[k].v[j]);
    runs.store(y, k, out);
  }
}

template <class F>
void binary_with(Cuda on, const F& f, const Axes<2>& axes, const float* a, const float* b, float* y) {
  const int64_t count = axes.rows() * axes.inner();
  if (axes.contiguous(0) && axes.contiguous(1)) return zip(on, count, f, a, b, y);
  const bool vector = runs_of_four(axes, 0, a) && runs_of_four(axes, 1, b) && aligned({y});
  launch_flat(on, count, strided_zip_kernel<F>, f, count, vector, StridedAxes<2>(axes), a, b, y);
}

// Elements in the order of y's memory, so that writes are coalesced.
__global__ void __launch_bounds__(kFlatBlock)
    move_kernel(int64_t count, bool vector, StridedAxes<2> axes, const float* x, float* y) {
  const FlatRuns runs(count, vector);
#pragma unroll
  for (int k = 0; k < FlatRuns::kRuns; ++k) {
    if (vector) {
      const Four four = gather(runs, k, true, axes, 0, x);
      if (runs.whole(k)) store_vector_four(y + axes.offsets(runs.at(k)).of[1], four);
    } else {
#pragma unroll
      for (int j = 0; j < 4; ++j) {
        if (!runs.has(k, j)) continue;
        const auto offsets = axes.offsets(runs.at(k, j));
        y[offsets.of[1]] = x[offsets.of[0]];
      }
    }
  }
}

// A transposition: y is dense along one axis, x along another.
struct Transposition {
  int64_t rows, columns;  // of x: x is dense along columns, y along rows
  int64_t x_row, y_column;
  Divider row_tiles, column_tiles;
  Divider outer;                   // size of the inner one of up to two more axes
  int64_t x_outer[2], y_outer[2];  // steps along them
};
constexpr int kTile = 32, kTileRows = 8;

__global__ void __launch_bounds__(kTile* kTileRows) transpose_kernel(Transposition t, const float* x, float* y) {
  SHARED(float, tile, [kTile][kTile + 1]);
  const int64_t rest = t.row_tiles.quotient(blockIdx.x), batch = t.column_tiles.quotient(rest);
  const int64_t row = (int64_t{blockIdx.x} - rest * t.row_tiles.divisor()) * kTile;
  const int64_t column = (rest - batch * t.column_tiles.divisor()) * kTile;
  const int64_t outermost = t.outer.quotient(batch), next = batch - outermost * t.outer.divisor();
  const int lane = int(threadIdx.x), line = int(threadIdx.y);
  x += outermost * t.x_outer[0] + next * t.x_outer[1] + row * t.x_row + column;
  y += outermost * t.y_outer[0] + next * t.y_outer[1] + column * t.y_column + row;
#pragma unroll
  for (int r = 0; r < kTile; r += kTileRows) {
    if (row + line + r < t.rows && column + lane < t.columns) {
      tile[line + r][lane] = x[(line + r) * t.x_row + lane];
    }
  }
  __syncthreads();
#pragma unroll
  for (int c = 0; c < kTile; c += kTileRows) {
    if (column + line + c < t.columns && row + lane < t.rows) {
      y[(line + c) * t.y_column + lane] = tile[lane][line + c];
    }
  }
}

void transpose(Cuda on, const Axes<2>& axes, int dense_axis, const float* x, float* y) {
  const int inner = axes.rank - 1;
  Transposition t{.rows = axes.inner(),
                  .columns = axes.size[dense_axis],
                  .x_row = axes.inner_step(0),
                  .y_column = axes.step[1][dense_axis],
                  .row_tiles = Divider(ceil_div(size_t(axes.inner()), kTile)),
                  .column_tiles = Divider(ceil_div(size_t(axes.size[dense_axis]), kTile)),
                  .outer = Divider(1),
                  .x_outer = {0, 0},
                  .y_outer = {0, 0}};
  int64_t blocks = t.row_tiles.divisor() * t.column_tiles.divisor();
  int found = 1;
  for (int axis = inner - 1; axis >= 0; --axis) {
    if (axis == dense_axis) continue;
    t.x_outer[found] = axes.step[0][axis];
    t.y_outer[found] = axes.step[1][axis];
    if (found == 1) t.outer = Divider(axes.size[axis]);
    blocks *= axes.size[axis];
    --found;
  }
  Launch<kTile, kTileRows>{.grid = unsigned(blocks), .stream = on.stream}(transpose_kernel, t, x, y);
}

}  // namespace

void fill(Cuda on, int64_t count, Real value, Real* y) {
  launch_flat(on, count, fill_kernel, count, aligned({y}), value, y);
}

void copy(Cuda on, int64_t count, const Real* x, Real* y) {
  map(on, count, Same{}, x, y);  // cheaper in a graph than a node that copies
}

void unary(Cuda on, Unary op, int64_t count, const Real* x, Real* y) {
  switch (op) {
    case Unary::kExp:
      return map(on, count, Exp{}, x, y);
    case Unary::kLog:
      return map(on, count, Log{}, x, y);
    case Unary::kSqrt:
      return map(on, count, Sqrt{}, x, y);
    case Unary::kTanh:
      return map(on, count, Tanh{}, x, y);
    case Unary::kSigmoid:
      return map(on, count, Sigmoid{}, x, y);
    case Unary::kSoftplus:
      return map(on, count, Softplus{}, x, y);
    case Unary::kAbs:
      return map(on, count, Abs{}, x, y);
    case Unary::kSign:
      return map(on, count, Sign{}, x, y);
    case Unary::kReciprocal:
      return map(on, count, Reciprocal{}, x, y);
  }
}

void affine(Cuda on, int64_t count, Real scale, Real shift, const Real* x, Real* y) {
  map(on, count, Affine{scale, shift}, x, y);
}

void clamp(Cuda on, int64_t count, Real low, Real high, const Real* x, Real* y) {
  map(on, count, Clamp{low, high}, x, y);
}

void clamp_grad(Cuda on, int64_t count, Real low, Real high, const Real* dy, const Real* x, Real* dx) {
  zip(on, count, ClampGrad{low, high}, dy, x, dx);
}

void concat(Cuda on, int64_t rows, std::span<const ConcatPart> all, float* y) {
  int64_t width = 0;
  for (const ConcatPart& part : all) width += part.width;
  if (rows * width == 0) return;
  if (all.size() > kParts) {  // in two steps
    const CudaScratch<float> front(*on.pool, size_t(rows * width));
    concat(on, rows, all.first(kParts), front.data());
    std::vector<ConcatPart> rest{{front.data(), 0}};
    for (const ConcatPart& part : all.first(kParts)) rest[0].width += part.width;
    rest.insert(rest.end(), all.begin() + kParts, all.end());
    return concat(on, rows, rest, y);
  }
  Parts parts{};
  bool vector = aligned({y});
  for (const ConcatPart& part : all) {
    parts.x[parts.count] = part.x;
    parts.end[parts.count++] = parts.width += part.width;
    vector = vector && part.width % 4 == 0 && aligned({part.x});
  }
  const int64_t count = rows * width;
  Launch<kFlatBlock>{.grid = ceil_div(size_t(count), kFlatBlock * (vector ? 4 : 1)), .stream = on.stream}(
      vector ? concat_kernel<4> : concat_kernel<1>, parts, count, y);
}

const float* constant_one(Cuda on) {
  constexpr float one = 1;
  return on.machine->table(std::span<const float>(&one, 1));
}

void binary(Cuda on, Binary op, const Extents& extents, const Real* a, const Strides& a_strides, const Real* b,
            const Strides& b_strides, Real* y) {
  if (extents.count() == 0) return;
  const Axes<2> axes = merge_axes<2>(extents, {a_strides, b_strides});
  switch (op) {
    case Binary::kAdd:
      return binary_with(on, Add{}, axes, a, b, y);
    case Binary::kSubtract:
      return binary_with(on, Subtract{}, axes, a, b, y);
    case Binary::kMultiply:
      return binary_with(on, Multiply{}, axes, a, b, y);
    case Binary::kDivide:
      return binary_with(on, Divide{}, axes, a, b, y);
  }
}

void move(Cuda on, const Extents& extents, const Real* x, const Strides& x_strides, Real* y, const Strides& y_strides) {
  const int64_t count = extents.count();
  if (count == 0) return;
  const Axes<2> axes = axes_of_move(extents, x_strides, y_strides);
  const int dense_axis = dense_axis_of(axes);
  constexpr int64_t kThin = 8;  // a tile of fewer lines would be mostly empty
  if (axes.contiguous(0) && axes.contiguous(1)) return copy(on, count, x, y);
  if (dense_axis >= 0 && axes.inner_step(1) == 1 && axes.inner_step(0) > 1 && axes.inner() >= kThin &&
      axes.size[dense_axis] >= kThin) {
    return transpose(on, axes, dense_axis, x, y);
  }
  const bool vector = axes.inner_step(1) == 1 && runs_of_four(axes, 0, x) && runs_of_four(axes, 1, y);
  launch_flat(on, count, move_kernel, count, vector, StridedAxes<2>(axes), x, y);
}

}  // namespace tobogan::kernels
