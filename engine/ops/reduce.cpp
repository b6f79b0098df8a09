// Summing and repeating are each other's adjoint, so each is the other's rule.
#include "engine/ops/reduce.h"

#include "engine/autograd.h"
#include "engine/ops/elementwise.h"
#include "kernels/elementwise.h"
#include "kernels/reduce.h"

namespace tobogan {

Tensor sum_to(const Tensor& x, const Shape& shape) {
  if (x.shape() == shape) return x;
  check(broadcast_shape("sum_to", shape, x.shape()) == x.shape(), "sum_to: ", x.shape(), " cannot be summed to ",
        shape);
  const kernels::Extents extents = memory_extents(x.shape());
  std::array<bool, 4> keep{};
  for (int i = 0; i < 4; ++i) {
    const int axis = axis_in_memory(shape.rank(), i);
    keep[i] = shape.rank() == x.shape().rank() && axis >= 0 && shape[axis] == extents.size[i];
  }
  Tensor y(shape, x.device());
  dispatch(x.device(), [&](auto on) { kernels::sum(on, extents, keep, x.data(), y.data()); });
  return record(y, {{x, [s = x.shape()](const Tensor& dy, const Tensor&) { return broadcast_to(dy, s); }}});
}

Tensor broadcast_to(const Tensor& x, const Shape& shape) {
  if (x.shape() == shape) return x;
  check(broadcast_shape("broadcast_to", x.shape(), shape) == shape, "broadcast_to: ", x.shape(),
        " cannot be repeated to ", shape);
  Tensor y(shape, x.device());
  dispatch(x.device(), [&](auto on) {
    kernels::move(on, memory_extents(shape), x.data(), memory_strides(x.shape(), shape), y.data(),
                  memory_strides(shape, shape));
  });
  return record(y, {{x, [s = x.shape()](const Tensor& dy, const Tensor&) { return sum_to(dy, s); }}});
}

Tensor mean_to(const Tensor& x, const Shape& shape) {
  check(x.count() > 0, "mean_to: no elements in a tensor of shape ", x.shape());
  return sum_to(x, shape) * (static_cast<double>(shape.count()) / static_cast<double>(x.count()));
}

Tensor sum(const Tensor& x) {
  return sum_to(x, {});
}
Tensor mean(const Tensor& x) {
  return mean_to(x, {});
}

Tensor sum_samples(const Tensor& x) {
  Shape shape = x.shape();
  for (int axis = 1; axis < shape.rank(); ++axis) shape = shape.with(axis, 1);
  return sum_to(x, shape);
}

Indices argmax_rows(const Tensor& x) {
  check(x.shape().rank() == 2 && x.shape()[1] > 0, "argmax_rows: expected a matrix {N, K}, got shape ", x.shape());
  Indices index(x.shape()[0], x.device());
  dispatch(x.device(), [&](auto on) { kernels::argmax_rows(on, x.shape()[0], x.shape()[1], x.data(), index.data()); });
  return index;
}

}  // namespace tobogan
