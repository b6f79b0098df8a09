// Reductions over the rows of tall matrices, every column for itself: sums, moments, the sums of a way back.
// Tall matrices are split among blocks, and the last block to finish merges the others' states in order.
//
// What is computed is an Op: a State (a CUDA vector type) that begin()s, the constants() of W columns, the Terms that
// an element gives, add() of up to kRows rows' terms to a state, merge() of two states, and finish() of a column's
// state.
#pragma once
#include "kernels/cuda/column_plan.cuh"
#include "kernels/cuda/flat.cuh"
#include "kernels/cuda/last_block.cuh"
#include "kernels/cuda/machine.h"

namespace tobogan::kernels {

// The states of a block: those of one column of all lanes, then of the next one.  The padding puts the four columns of
// neighbouring lanes into different banks.
template <class State>
struct BlockStates {
  State at[4][kColumnBlock + 32 / sizeof(State)];

  // In one load: the parts of a state, read one by one, would be conflicts of banks.
  __device__ __forceinline__ State of(int j, int lane) const { return load_vector<State>(&at[j][lane]); }
};

// Adds this thread's rows to the states of its columns.
template <class Op, int W>
__device__ __forceinline__ void add_rows(const Op& op, const ColumnPlan& plan, int64_t outer, int64_t split,
                                         int64_t column, int group, typename Op::State (&states)[W]) {
  constexpr int kRows = Op::kRows;
  const auto constants = op.template constants<W>(column, plan.caller_columns);
  const int64_t end = min(plan.rows, (split + 1) * plan.split_rows), step = plan.groups * plan.columns;
  int64_t row = split * plan.split_rows + group;
  int64_t i = (outer * plan.rows + row) * plan.columns + column;
  for (; row < end; row += kRows * plan.groups, i += kRows * step) {
    typename Op::template Terms<W> terms[kRows] = {};
    int count = 0;
#pragma unroll
    for (int r = 0; r < kRows; ++r) {
      if (row + r * plan.groups >= end) continue;
      terms[r] = op.template load<W>(i + r * step, constants);
      ++count;
    }
#pragma unroll
    for (int j = 0; j < W; ++j) Op::add(states[j], terms, count, j);
  }
}

// Merges the states of all groups into those of the first one, and leaves these in `shared`: lane l's state j at
// [j][l].
template <class Op, int W>
__device__ __forceinline__ void merge_groups(int group, int lanes, int groups, typename Op::State (&states)[W],
                                             BlockStates<typename Op::State>& shared) {
  const int thread = int(threadIdx.x);
  __syncthreads();  // whoever read `shared` before is done
#pragma unroll
  for (int j = 0; j < W; ++j) shared.at[j][thread] = states[j];
  int half = 1;
  while (2 * half < groups) half *= 2;
  for (; half > 0; half /= 2) {
    __syncthreads();
    if (group >= half || group + half >= groups) continue;
#pragma unroll
    for (int j = 0; j < W; ++j) {
      Op::merge(states[j], shared.of(j, thread + half * lanes));
      shared.at[j][thread] = states[j];
    }
  }
  __syncthreads();
}

// Hands the columns of a tile, W to a lane in `shared`, to finish(), unfolded.
template <int W, class Op>
__device__ __forceinline__ void finish_tile(const Op& op, const ColumnPlan& plan, int64_t outer, int64_t tile,
                                            const BlockStates<typename Op::State>& shared, int width) {
  const int thread = int(threadIdx.x);
  const int64_t columns = plan.caller_columns, column = tile * width + thread;
  if (thread >= width || column >= columns) return;
  typename Op::State state = shared.of(thread % W, thread / W);
  for (int f = 1; f < plan.fold; ++f) {  // then there is one tile
    const int other = thread + f * int(columns);
    Op::merge(state, shared.of(other % W, other / W));
  }
  op.finish(outer * columns + column, state);
}

// One block for each (outer, split, tile).
template <class Op, int W>
__global__ void __launch_bounds__(kColumnBlock)
    columns_kernel(Op op, ColumnPlan plan, typename Op::State* parts, unsigned* counters) {
  using State = typename Op::State;
  SHARED(BlockStates<State>, block_states, [1]);
  BlockStates<State>& shared = block_states[0];
  const int thread = int(threadIdx.x), lane = thread % plan.lanes, group = thread / plan.lanes;
  const unsigned rest = blockIdx.x / plan.tiles;
  const int64_t tile = blockIdx.x % plan.tiles, split = rest % plan.splits, outer = rest / plan.splits;
  const int64_t column = (tile * plan.lanes + lane) * W;
  State states[W];
#pragma unroll
  for (int j = 0; j < W; ++j) states[j] = Op::begin();
  if (group < plan.groups && column < plan.columns) add_rows<Op, W>(op, plan, outer, split, column, group, states);
  merge_groups<Op, W>(group, plan.lanes, plan.groups, states, shared);

  const int width = plan.lanes * W;  // from here on a thread is a column of the tile
  if (plan.splits == 1) return finish_tile<W>(op, plan, outer, tile, shared, width);
  State* tile_parts = parts + outer * plan.splits * plan.columns + tile * width;
  const int64_t tile_columns = min(int64_t{width}, plan.columns - tile * width);
  if (thread < tile_columns) tile_parts[split * plan.columns + thread] = shared.of(thread % W, thread / W);
  if (!last_block(counters + outer * plan.tiles + tile, plan.splits)) return;
  const int teams = kColumnBlock / width, team = thread / width, member = thread % width;
  State merged[1] = {Op::begin()};
  if (team < teams && member < tile_columns) {
#pragma unroll 8
    for (int64_t s = team; s < plan.splits; s += teams) {
      Op::merge(merged[0], __ldcg(tile_parts + s * plan.columns + member));
    }
  }
  merge_groups<Op, 1>(team, width, teams, merged, shared);
  finish_tile<1>(op, plan, outer, tile, shared, width);
}

// Reduces the columns of `outer` contiguous matrices.  REQUIRES: outer, columns >= 1; is_aligned: what the Op loads is.
template <class Op>
void reduce_columns(Cuda on, int64_t outer, int64_t rows, int64_t columns, bool is_aligned, const Op& op) {
  const ColumnPlan plan(outer, rows, columns, is_aligned, Op::kRows);
  const size_t parts = plan.splits > 1 ? size_t(outer * plan.splits * plan.columns) : 0;
  const CudaScratch<typename Op::State> scratch(*on.pool, parts);
  const Launch<kColumnBlock> launch{.grid = unsigned(outer * plan.splits * plan.tiles), .stream = on.stream};
  launch(plan.vector ? columns_kernel<Op, 4> : columns_kernel<Op, 1>, op, plan, scratch.data(), on.machine->counters());
}

// The elements i..i+W-1.
template <int W>
__device__ __forceinline__ void load_elements(const float* p, int64_t i, float (&values)[W]) {
  if constexpr (W == 4) {
    const Four four = load_vector_four(p + i);
#pragma unroll
    for (int j = 0; j < W; ++j) values[j] = four.v[j];
  } else {
    values[0] = p[i];
  }
}

template <int W>
__device__ __forceinline__ void store_elements(float* p, int64_t i, const float (&values)[W]) {
  if constexpr (W == 4) {
    store_vector_four(p + i, Four{{values[0], values[1], values[2], values[3]}});
  } else {
    p[i] = values[0];
  }
}

// A row of parameters as the W columns from `column` on see it, in a matrix that may be folded.
template <int W>
__device__ __forceinline__ void load_row(const float* row, int64_t column, int64_t caller_columns, float (&values)[W]) {
  if (W == 4 && caller_columns % 4 == 0 && reinterpret_cast<uintptr_t>(row) % 16 == 0)
    return load_elements(row, column, values);
#pragma unroll
  for (int j = 0; j < W; ++j) {
    const int64_t c = column + j;
    values[j] = row[c < caller_columns ? c : c % caller_columns];
  }
}

// f(0) + ... + f(kRows - 1) as a tree.
template <int kRows, class F>
__device__ __forceinline__ float sum_tree(const F& f) {
  float sums[kRows];
#pragma unroll
  for (int r = 0; r < kRows; ++r) sums[r] = f(r);
#pragma unroll
  for (int half = kRows / 2; half > 0; half /= 2) {
#pragma unroll
    for (int r = 0; r < half; ++r) sums[r] += sums[r + half];
  }
  return sums[0];
}

// For Ops whose terms need nothing but the element.
struct NoConstants {};

// What Ops have in common that add up one term for each element of a column, into sums[column].
struct ColumnSumOp {
  using State = double;
  template <int W>
  struct Terms {
    float v[W];
  };
  static constexpr int kRows = 8;
  float* sums;

  __device__ static State begin() { return 0; }
  template <int W>
  __device__ NoConstants constants(int64_t, int64_t) const {
    return {};
  }
  template <int W>
  __device__ static void add(State& state, const Terms<W> (&terms)[kRows], int, int j) {
    state += sum_tree<kRows>([&](int r) { return terms[r].v[j]; });
  }
  __device__ static void merge(State& state, State other) { state += other; }
  __device__ void finish(int64_t column, State state) const { sums[column] = float(state); }
};

}  // namespace tobogan::kernels
