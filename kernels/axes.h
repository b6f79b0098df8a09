// Nested loops over at most four axes of several operands, with the axes that need no loop of their own merged away.
#pragma once
#include <utility>

#include "kernels/strided.h"

namespace tobogan::kernels {

// sizes outermost first; step[k][axis] is operand k's stride.  rank >= 1.
template <int kOperands>
struct Axes {
  int rank = 0;
  std::array<int64_t, 4> size{1, 1, 1, 1};
  std::array<std::array<int64_t, 4>, kOperands> step{};

  int64_t inner() const { return size[rank - 1]; }
  int64_t inner_step(int operand) const { return step[operand][rank - 1]; }
  int64_t rows() const {
    int64_t product = 1;
    for (int axis = 0; axis + 1 < rank; ++axis) product *= size[axis];
    return product;
  }
  // Whether the operand is one dense run in the order of the axes.
  bool contiguous(int operand) const {
    int64_t expected = 1;
    for (int axis = rank - 1; axis >= 0; --axis) {
      if (step[operand][axis] != expected) return false;
      expected *= size[axis];
    }
    return true;
  }
};

// Drops axes of size 1 and joins neighbours that every operand walks as one.
template <int kOperands>
Axes<kOperands> merge_axes(const Extents& extents, const std::array<Strides, kOperands>& strides) {
  Axes<kOperands> merged;
  for (int axis = 0; axis < 4; ++axis) {
    const int64_t size = extents.size[axis];
    if (size == 1) continue;
    bool joins = merged.rank > 0;
    for (int k = 0; k < kOperands && joins; ++k) {
      joins = merged.step[k][merged.rank - 1] == strides[k].step[axis] * size;
    }
    if (!joins) ++merged.rank;
    const int last = merged.rank - 1;
    merged.size[last] = joins ? merged.size[last] * size : size;
    for (int k = 0; k < kOperands; ++k) merged.step[k][last] = strides[k].step[axis];
  }
  if (merged.rank == 0) {
    merged.rank = 1;
    for (int k = 0; k < kOperands; ++k) merged.step[k][0] = 1;
  }
  return merged;
}

// Axes in the order in which y lies in memory, merged; operand 0 is x, operand 1 is y.
inline Axes<2> axes_of_move(const Extents& extents, const Strides& x_strides, const Strides& y_strides) {
  std::array<int, 4> order{0, 1, 2, 3};
  for (int i = 1; i < 4; ++i) {  // a stable insertion sort of four
    for (int j = i; j > 0 && y_strides.step[order[j - 1]] < y_strides.step[order[j]]; --j) {
      std::swap(order[j - 1], order[j]);
    }
  }
  Extents sorted;
  std::array<Strides, 2> strides;
  for (int axis = 0; axis < 4; ++axis) {
    sorted.size[axis] = extents.size[order[axis]];
    strides[0].step[axis] = x_strides.step[order[axis]];
    strides[1].step[axis] = y_strides.step[order[axis]];
  }
  return merge_axes<2>(sorted, strides);
}

// The axis other than the innermost along which operand 0 is dense, or -1.
inline int dense_axis_of(const Axes<2>& axes) {
  for (int axis = axes.rank - 2; axis >= 0; --axis) {
    if (axes.step[0][axis] == 1) return axis;
  }
  return -1;
}

// Axes of a contiguous array, outermost first, alternately kept and summed.
struct KeptAxes {
  int rank = 0;
  std::array<int64_t, 4> size{1, 1, 1, 1};
  std::array<bool, 4> keep{};
};

// Drops axes of size 1 and joins neighbours with the same fate.
inline KeptAxes merge_kept(const Extents& extents, const std::array<bool, 4>& keep) {
  KeptAxes merged;
  for (int axis = 0; axis < 4; ++axis) {
    if (extents.size[axis] == 1) continue;
    if (merged.rank > 0 && merged.keep[merged.rank - 1] == keep[axis]) {
      merged.size[merged.rank - 1] *= extents.size[axis];
    } else {
      merged.size[merged.rank] = extents.size[axis];
      merged.keep[merged.rank++] = keep[axis];
    }
  }
  return merged;
}

// Walks the rows (all axes but the innermost) in order, keeping each operand's offset.
template <int kOperands>
class RowWalk {
 public:
  RowWalk(const Axes<kOperands>& axes, int64_t row) : axes_(axes) {
    for (int axis = axes.rank - 2; axis >= 0; --axis) {
      index_[axis] = row % axes.size[axis];
      row /= axes.size[axis];
      for (int k = 0; k < kOperands; ++k) offset_[k] += index_[axis] * axes.step[k][axis];
    }
  }

  int64_t offset(int operand) const { return offset_[operand]; }
  int64_t index(int axis) const { return index_[axis]; }

  void next() {
    for (int axis = axes_.rank - 2; axis >= 0; --axis) {
      for (int k = 0; k < kOperands; ++k) offset_[k] += axes_.step[k][axis];
      if (++index_[axis] < axes_.size[axis]) return;
      index_[axis] = 0;
      for (int k = 0; k < kOperands; ++k) offset_[k] -= axes_.size[axis] * axes_.step[k][axis];
    }
  }

 private:
  const Axes<kOperands>& axes_;
  std::array<int64_t, 4> index_{};
  std::array<int64_t, kOperands> offset_{};
};

}  // namespace tobogan::kernels
