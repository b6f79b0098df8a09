// The sign of a leaky ReLU's result tells its derivative, so nothing else is kept for the way back.
#include "engine/ops/activation.h"

#include "engine/autograd.h"
#include "engine/ops/elementwise.h"
#include "engine/ops/layout.h"
#include "engine/ops/reduce.h"

namespace tobogan {

void check_activation(const char* operation, const kernels::Activation& how) {
  check(how.slope >= 0 && how.slope <= 1, operation, ": expected a slope from 0 to 1, got ", how.slope);
  check(how.dropout >= 0 && how.dropout < 1, operation, ": expected a dropout rate from 0 to below 1, got ",
        how.dropout);
  check(!how.tanh || (how.slope == 1 && how.dropout == 0), operation, ": tanh goes with no slope and no dropout");
}

Shape channel_shape(const Shape& x) {
  check(x.rank() == 2 || x.rank() == 4, "expected a matrix {N, C} or images {N, C, H, W}, got shape ", x);
  return x.rank() == 2 ? Shape{1, x[1]} : Shape{1, x[1], 1, 1};
}

Tensor activation_grad(const Tensor& dy, const Tensor& y, const kernels::Activation& how) {
  check(dy.shape() == y.shape(), "activation_grad: a gradient of shape ", dy.shape(), " for a result of shape ",
        y.shape());
  if (how.is_identity()) return dy;
  if (how.tanh && recording()) return dy * (1 - y * y);  // the only one whose derivative has a slope
  Tensor dx(y.shape(), y.device());
  const TallMatrix m = tall_matrix(y.shape());
  dispatch(y.device(),
           [&](auto on) { kernels::activate_grad(on, how, m.rows, m.columns, dy.data(), y.data(), dx.data()); });
  return record(dx, {{dy, [=](const Tensor& d, const Tensor&) { return activation_grad(d, y, how); }},
                     {y.detach(), {}}});  // its sign alone matters, but the rule reads it
}

// One pass, unless somebody is recording the way back or there is nothing but the sums.
SteppedGradient activation_step(const Tensor& dy, const Tensor& y, const kernels::Activation& how, bool bias) {
  if (!bias) return {activation_grad(dy, y, how), {}};
  const TallMatrix m = tall_matrix(y.shape());
  const Shape channels{static_cast<int>(m.columns)};
  if (recording() || how.is_identity()) {
    const Tensor gradient = activation_grad(dy, y, how);
    return {gradient, reshape(sum_to(gradient, channel_shape(y.shape())), channels)};
  }
  check(dy.shape() == y.shape(), "activation_step: a gradient of shape ", dy.shape(), " for a result of shape ",
        y.shape());
  const SteppedGradient stepped{Tensor(y.shape(), y.device()), Tensor(channels, y.device())};
  dispatch(y.device(), [&](auto on) {
    kernels::activate_grad(on, how, m.rows, m.columns, dy.data(), y.data(), stepped.gradient.data(),
                           stepped.bias.data());
  });
  return stepped;
}

Tensor activate(const Tensor& x, const Tensor& bias, const kernels::Activation& how) {
  check_activation("activate", how);
  const TallMatrix m = tall_matrix(x.shape());
  check(!bias.defined() || (x.shape().rank() % 2 == 0 && bias.shape() == Shape{static_cast<int>(m.columns)}),
        "activate: expected a bias {C} for the channels of shape ", x.shape(), ", got ",
        bias.defined() ? bias.shape() : Shape{});
  if (bias.defined()) check_same_machine("activate", x, bias);
  Tensor y(x.shape(), x.device());
  dispatch(x.device(), [&](auto on) {
    kernels::activate(on, how, m.rows, m.columns, x.data(), bias.defined() ? bias.data() : nullptr, y.data());
  });
  std::vector<Tensor> inputs{x};
  if (bias.defined()) inputs.push_back(bias);
  const auto rule = [how](const Tensor& dy, const Tensor& y, const Wanted& wanted) {
    const SteppedGradient back = wanted.arrived ? *wanted.arrived : activation_step(dy, y, how, wanted[1]);
    return std::vector<Tensor>{back.gradient, back.bias};
  };
  const auto step = std::make_shared<FirstStep>(FirstStep{.activation = how});
  return record(y, inputs, step, bias.defined() ? 1 : -1, rule);
}

Tensor leaky_relu(const Tensor& x, double slope) {
  return activate(x, {}, {.slope = static_cast<Real>(slope), .dropout = 0, .key = {}});
}

Tensor dropout(const Tensor& x, double rate, RandomStream& stream) {
  return activate(x, {}, {.slope = 1, .dropout = static_cast<Real>(rate), .key = stream.next()});
}

}  // namespace tobogan
