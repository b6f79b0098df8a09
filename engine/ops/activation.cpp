// The sign of a leaky ReLU's result tells its derivative, so nothing else is kept for the way back.
#include "engine/ops/activation.h"

#include "engine/autograd.h"
#include "engine/ops/layout.h"
#include "engine/ops/reduce.h"

namespace tobogan {
namespace {

void check_activation(const char* name, double slope, double dropout) {
  check(slope >= 0 && slope <= 1, name, ": expected a slope from 0 to 1, got ", slope);
  check(dropout >= 0 && dropout < 1, name, ": expected a dropout rate from 0 to below 1, got ", dropout);
}

// An image batch is a tall matrix of C columns in memory, and so is {N, C}.
int64_t columns_of(const Shape& shape) {
  return shape.rank() == 0 ? 1 : shape[shape.rank() == 4 ? 1 : shape.rank() - 1];
}

}  // namespace

Shape channel_shape(const Shape& x) {
  check(x.rank() == 2 || x.rank() == 4, "expected a matrix {N, C} or images {N, C, H, W}, got shape ", x);
  return x.rank() == 2 ? Shape{1, x[1]} : Shape{1, x[1], 1, 1};
}

Tensor activation_grad(const Tensor& dy, const Tensor& y, const kernels::Activation& how) {
  check(dy.shape() == y.shape(), "activation_grad: a gradient of shape ", dy.shape(), " for a result of shape ",
        y.shape());
  if (how.slope == 1 && how.dropout == 0) return dy;
  Tensor dx(y.shape(), y.device());
  const int64_t columns = columns_of(y.shape());
  dispatch(y.device(), [&](auto on) {
    kernels::activate_grad(on, how, columns ? y.count() / columns : 0, columns, dy.data(), y.data(), dx.data());
  });
  return record(dx, {{dy, [=](const Tensor& d, const Tensor&) { return activation_grad(d, y, how); }}});
}

Tensor activate(const Tensor& x, const Tensor& bias, const kernels::Activation& how) {
  check_activation("activate", how.slope, how.dropout);
  const int64_t columns = columns_of(x.shape());
  check(!bias.defined() || (x.shape().rank() % 2 == 0 && bias.shape() == Shape{static_cast<int>(columns)}),
        "activate: expected a bias {C} for the channels of shape ", x.shape(), ", got ",
        bias.defined() ? bias.shape() : Shape{});
  Tensor y(x.shape(), x.device());
  dispatch(x.device(), [&](auto on) {
    kernels::activate(on, how, columns ? x.count() / columns : 0, columns, x.data(),
                      bias.defined() ? bias.data() : nullptr, y.data());
  });
  if (!bias.defined())
    return record(y, {{x, [how](const Tensor& dy, const Tensor& y) { return activation_grad(dy, y, how); }}});
  return record(y, {x, bias}, [how, shape = bias.shape()](const Tensor& dy, const Tensor& y, Wanted wanted) {
    const Tensor dx = activation_grad(dy, y, how);
    std::vector<Tensor> gradients{dx, {}};
    if (wanted[1]) gradients[1] = reshape(sum_to(dx, channel_shape(dx.shape())), shape);
    return gradients;
  });
}

Tensor leaky_relu(const Tensor& x, double slope) {
  return activate(x, {}, {.slope = static_cast<Real>(slope), .dropout = 0, .key = {}});
}

Tensor dropout(const Tensor& x, double rate, RandomStream& stream) {
  return activate(x, {}, {.slope = 1, .dropout = static_cast<Real>(rate), .key = stream.next()});
}

}  // namespace tobogan
