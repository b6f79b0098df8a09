// Memory order in one place: everything else asks here.
#include "engine/shape.h"

namespace tobogan {

std::ostream& operator<<(std::ostream& out, const Shape& shape) {
  out << "{";
  for (int axis = 0; axis < shape.rank(); ++axis) out << (axis ? ", " : "") << shape[axis];
  return out << "}";
}

int axis_in_memory(int rank, int i) {
  constexpr int pixel_major[4] = {2, 3, 0, 1};  // {N, C, H, W} lies as [H][W][N][C]
  if (rank == 4) return pixel_major[i];
  const int axis = i - (4 - rank);
  return axis < 0 ? -1 : axis;
}

kernels::Extents memory_extents(const Shape& shape) {
  kernels::Extents extents;
  for (int i = 0; i < 4; ++i) {
    const int axis = axis_in_memory(shape.rank(), i);
    if (axis >= 0) extents.size[i] = shape[axis];
  }
  return extents;
}

kernels::Strides memory_strides(const Shape& from, const Shape& over) {
  kernels::Strides strides;
  if (from.rank() != over.rank()) return strides;  // a scalar: every step is 0
  int64_t step = 1;
  for (int i = 3; i >= 0; --i) {
    const int axis = axis_in_memory(from.rank(), i);
    if (axis < 0) continue;
    strides.step[i] = from[axis] == 1 && over[axis] != 1 ? 0 : step;
    step *= from[axis];
  }
  return strides;
}

TallMatrix tall_matrix(const Shape& shape) {
  const int64_t columns = shape.rank() == 0 ? 1 : shape[shape.rank() == 4 ? 1 : shape.rank() - 1];
  return {columns ? shape.count() / columns : 0, columns};
}

kernels::Extents api_extents(const Shape& shape) {
  kernels::Extents extents;
  for (int axis = 0; axis < shape.rank(); ++axis) extents.size[4 - shape.rank() + axis] = shape[axis];
  return extents;
}

kernels::Strides api_strides(const Shape& shape) {
  const kernels::Strides in_memory = memory_strides(shape, shape);
  kernels::Strides strides;
  for (int i = 0; i < 4; ++i) {
    const int axis = axis_in_memory(shape.rank(), i);
    if (axis >= 0) strides.step[4 - shape.rank() + axis] = in_memory.step[i];
  }
  return strides;
}

Shape broadcast_shape(const char* operation, const Shape& a, const Shape& b) {
  if (a == b || b.rank() == 0) return a;
  if (a.rank() == 0) return b;
  bool fits = a.rank() == b.rank();
  Shape shape = a;
  for (int axis = 0; fits && axis < a.rank(); ++axis) {
    if (a[axis] == b[axis]) continue;
    fits = a[axis] == 1 || b[axis] == 1;
    if (a[axis] == 1) shape = shape.with(axis, b[axis]);
  }
  check(fits, operation, ": shapes ", a, " and ", b,
        " do not go together: sizes must be equal or 1, or one tensor a scalar");
  return shape;
}

}  // namespace tobogan
