// Everything here is one kernel, move, walked with different steps.
#include "engine/ops/layout.h"

#include <limits>

#include "engine/autograd.h"
#include "kernels/elementwise.h"

namespace tobogan {
namespace {

void check_axis(const char* name, const Tensor& x, int axis) {
  check(axis >= 0 && axis < x.shape().rank(), name, ": shape ", x.shape(), " has no axis ", axis);
}

// Where the element at position `begin` of an axis lies, in elements from the start.
int64_t offset_in_memory(const Shape& shape, int axis, int begin) {
  return api_strides(shape).step[4 - shape.rank() + axis] * begin;
}

// Copies between the slice of `whole` that starts at `begin` and the tensor `part`, in either direction.
void move_slice(const Tensor& whole, const Tensor& part, int axis, int begin, bool into_whole) {
  const kernels::Extents extents = memory_extents(part.shape());
  kernels::Strides whole_steps = memory_strides(whole.shape(), whole.shape());
  const kernels::Strides part_steps = memory_strides(part.shape(), part.shape());
  Real* at = whole.data() + offset_in_memory(whole.shape(), axis, begin);
  dispatch(whole.device(), [&](auto on) {
    if (into_whole) {
      kernels::move(on, extents, part.data(), part_steps, at, whole_steps);
    } else {
      kernels::move(on, extents, at, whole_steps, part.data(), part_steps);
    }
  });
}

// How many elements lie outside of an axis in memory, and how many inside.
std::pair<int64_t, int64_t> around_axis(const Shape& shape, int axis) {
  const kernels::Extents extents = memory_extents(shape);
  int64_t outside = 1, inside = 1;
  int i = 0;
  for (; axis_in_memory(shape.rank(), i) != axis; ++i) outside *= extents.size[i];
  for (++i; i < 4; ++i) inside *= extents.size[i];
  return {outside, inside};
}

// Row-major elements to the memory order of a 4-axis shape, or back.
void permute(const Shape& image_shape, const Real* from, Real* to, bool to_pixel_major, const Device& device) {
  const kernels::Extents extents = api_extents(image_shape);
  kernels::Strides rows;
  for (int64_t step = 1, i = 3; i >= 0; step *= extents.size[i], --i) rows.step[i] = step;
  const kernels::Strides pixels = api_strides(image_shape);
  dispatch(device, [&](auto on) {
    kernels::move(on, extents, from, to_pixel_major ? rows : pixels, to, to_pixel_major ? pixels : rows);
  });
}

Tensor moved_to(const Tensor& x, const Shape& shape) {
  if (same_memory_order(x.shape(), shape)) return x.alias(shape);
  Tensor y(shape, x.device());
  if (x.shape().rank() < 4) {
    permute(shape, x.data(), y.data(), true, x.device());
  } else if (shape.rank() < 4) {
    permute(x.shape(), x.data(), y.data(), false, x.device());
  } else {
    const Tensor rows(shape, x.device());  // as much memory, in API order
    permute(x.shape(), x.data(), rows.data(), false, x.device());
    permute(shape, rows.data(), y.data(), true, x.device());
  }
  return y;
}

}  // namespace

Tensor reshape(const Tensor& x, const Shape& shape) {
  if (x.shape() == shape) return x;
  check(x.count() == shape.count(), "reshape: shape ", x.shape(), " has ", x.count(), " elements, ", shape, " has ",
        shape.count());
  return record(moved_to(x, shape), {{x, [s = x.shape()](const Tensor& dy, const Tensor&) { return reshape(dy, s); }}});
}

Tensor flatten(const Tensor& x) {
  check(x.shape().rank() >= 1, "flatten: expected at least one axis, got shape ", x.shape());
  const int64_t features = x.shape().with(0, 1).count();
  check(features <= std::numeric_limits<int>::max(), "flatten: a sample of shape ", x.shape(),
        " has too many elements");
  return reshape(x, {x.shape()[0], static_cast<int>(features)});
}

Tensor transpose(const Tensor& x) {
  check(x.shape().rank() == 2, "transpose: expected a matrix {N, K}, got shape ", x.shape());
  Tensor y({x.shape()[1], x.shape()[0]}, x.device());
  kernels::Strides columns_first;
  columns_first.step = {0, 0, 1, x.shape()[1]};
  dispatch(x.device(), [&](auto on) {
    kernels::move(on, memory_extents(y.shape()), x.data(), columns_first, y.data(),
                  memory_strides(y.shape(), y.shape()));
  });
  return record(y, {{x, [](const Tensor& dy, const Tensor&) { return transpose(dy); }}});
}

Tensor slice(const Tensor& x, int axis, int begin, int end) {
  check_axis("slice", x, axis);
  check(0 <= begin && begin <= end && end <= x.shape()[axis], "slice: positions ", begin, " to ", end,
        " are not within axis ", axis, " of shape ", x.shape());
  Tensor y(x.shape().with(axis, end - begin), x.device());
  move_slice(x, y, axis, begin, false);
  return record(
      y, {{x, [=, size = x.shape()[axis]](const Tensor& dy, const Tensor&) { return place(dy, axis, begin, size); }}});
}

Tensor place(const Tensor& x, int axis, int begin, int size) {
  check_axis("place", x, axis);
  const int end = begin + x.shape()[axis];
  check(0 <= begin && end <= size, "place: shape ", x.shape(), " does not fit at position ", begin, " of ", size,
        " along axis ", axis);
  Tensor y = Tensor::zeros(x.shape().with(axis, size), x.device());
  move_slice(y, x, axis, begin, true);
  return record(y, {{x, [=](const Tensor& dy, const Tensor&) { return slice(dy, axis, begin, end); }}});
}

Tensor concat(const std::vector<Tensor>& parts, int axis) {
  check(!parts.empty(), "concat: expected at least one tensor");
  check_axis("concat", parts[0], axis);
  int size = 0;
  for (const Tensor& part : parts) {
    check(
        part.shape().rank() == parts[0].shape().rank() && part.shape().with(axis, 0) == parts[0].shape().with(axis, 0),
        "concat: shapes ", parts[0].shape(), " and ", part.shape(), " differ beside axis ", axis);
    check_same_machine("concat", parts[0], part);
    size += part.shape()[axis];
  }
  Tensor y(parts[0].shape().with(axis, size), parts[0].device());
  std::vector<Edge> edges;
  std::vector<kernels::ConcatPart> matrices;
  const auto [rows, inner] = around_axis(y.shape(), axis);
  int begin = 0;
  for (const Tensor& part : parts) {
    matrices.push_back({part.data(), part.shape()[axis] * inner});
    const int end = begin + part.shape()[axis];
    edges.push_back({part, [=](const Tensor& dy, const Tensor&) { return slice(dy, axis, begin, end); }});
    begin = end;
  }
  dispatch(y.device(), [&](auto on) { kernels::concat(on, rows, matrices, y.data()); });
  return record(y, std::move(edges));
}

}  // namespace tobogan
