// Where the elements of a strided operand lie: the device's side of kernels/axes.h.
#pragma once
#include "kernels/axes.h"
#include "kernels/cuda/divider.cuh"

namespace tobogan::kernels {

// Merged axes as a kernel parameter.
template <int kOperands>
struct StridedAxes {
  int rank;
  Divider size[4];  // outermost first
  int64_t step[kOperands][4];

  explicit StridedAxes(const Axes<kOperands>& axes) : rank(axes.rank) {
    for (int axis = 0; axis < 4; ++axis) {
      size[axis] = Divider(axes.size[axis]);
      for (int k = 0; k < kOperands; ++k) step[k][axis] = axes.step[k][axis];
    }
  }

  // The operands' offsets of element i in the order of the axes.
  struct Offsets {
    int64_t of[kOperands];
  };
  __device__ Offsets offsets(int64_t i) const {
    Offsets offsets{};
#pragma unroll
    for (int axis = 3; axis >= 0; --axis) {
      if (axis >= rank) continue;
      const int64_t outer = axis > 0 ? size[axis].quotient(i) : 0;
      const int64_t index = i - outer * size[axis].divisor();
#pragma unroll
      for (int k = 0; k < kOperands; ++k) offsets.of[k] += index * step[k][axis];
      i = outer;
    }
    return offsets;
  }
  __device__ int64_t inner_step(int operand) const {
    return step[operand][rank - 1];
  }
};

// Whether four neighbouring elements along the innermost axis are a float4, or all the same, for the operand.
template <int kOperands>
bool runs_of_four(const Axes<kOperands>& axes, int operand, const void* data) {
  if (axes.inner() % 4 != 0 || axes.inner_step(operand) > 1) return false;
  if (axes.inner_step(operand) == 0) return true;
  for (int axis = 0; axis + 1 < axes.rank; ++axis) {
    if (axes.step[operand][axis] % 4 != 0) return false;
  }
  return reinterpret_cast<uintptr_t>(data) % 16 == 0;
}

}  // namespace tobogan::kernels
