// Each operation is its kernel and one line of calculus an input.
#include "engine/ops/elementwise.h"

#include "engine/autograd.h"
#include "engine/ops/activation.h"
#include "engine/ops/reduce.h"
#include "kernels/elementwise.h"

namespace tobogan {
namespace {

using kernels::Binary;
using kernels::Unary;

Tensor compute(Unary op, const Tensor& x) {
  Tensor y(x.shape(), x.device());
  dispatch(x.device(), [&](auto on) { kernels::unary(on, op, x.count(), x.data(), y.data()); });
  return y;
}

Tensor compute(const char* name, Binary op, const Tensor& a, const Tensor& b) {
  const Shape shape = broadcast_shape(name, a.shape(), b.shape());
  check_same_machine(name, a, b);
  Tensor y(shape, a.device());
  dispatch(a.device(), [&](auto on) {
    kernels::binary(on, op, memory_extents(shape), a.data(), memory_strides(a.shape(), shape), b.data(),
                    memory_strides(b.shape(), shape), y.data());
  });
  return y;
}

Tensor clamp_grad(const Tensor& dy, const Tensor& x, double low, double high) {
  Tensor dx(x.shape(), x.device());
  dispatch(x.device(), [&](auto on) {
    kernels::clamp_grad(on, x.count(), static_cast<Real>(low), static_cast<Real>(high), dy.data(), x.data(), dx.data());
  });
  return record(dx, {{dy, [=](const Tensor& d, const Tensor&) { return clamp_grad(d, x, low, high); }},
                     {x.detach(), {}}});  // without a slope, but the rule reads it
}

}  // namespace

Tensor operator+(const Tensor& a, const Tensor& b) {
  return record(compute("+", Binary::kAdd, a, b),
                {{a, [s = a.shape()](const Tensor& dy, const Tensor&) { return sum_to(dy, s); }},
                 {b, [s = b.shape()](const Tensor& dy, const Tensor&) { return sum_to(dy, s); }}});
}

Tensor operator-(const Tensor& a, const Tensor& b) {
  return record(compute("-", Binary::kSubtract, a, b),
                {{a, [s = a.shape()](const Tensor& dy, const Tensor&) { return sum_to(dy, s); }},
                 {b, [s = b.shape()](const Tensor& dy, const Tensor&) { return -sum_to(dy, s); }}});
}

Tensor operator*(const Tensor& a, const Tensor& b) {
  return record(compute("*", Binary::kMultiply, a, b),
                {{a, [s = a.shape(), b](const Tensor& dy, const Tensor&) { return sum_to(dy * b, s); }},
                 {b, [s = b.shape(), a](const Tensor& dy, const Tensor&) { return sum_to(dy * a, s); }}});
}

Tensor operator/(const Tensor& a, const Tensor& b) {
  return record(compute("/", Binary::kDivide, a, b),
                {{a, [s = a.shape(), b](const Tensor& dy, const Tensor&) { return sum_to(dy / b, s); }},
                 {b, [b](const Tensor& dy, const Tensor& y) { return -sum_to(dy * y / b, b.shape()); }}});
}

Tensor affine(const Tensor& x, double scale, double shift) {
  Tensor y(x.shape(), x.device());
  dispatch(x.device(), [&](auto on) {
    kernels::affine(on, x.count(), static_cast<Real>(scale), static_cast<Real>(shift), x.data(), y.data());
  });
  return record(y, {{x, [=](const Tensor& dy, const Tensor&) { return scale == 1 ? dy : affine(dy, scale, 0); }}});
}

Tensor exp(const Tensor& x) {
  return record(compute(Unary::kExp, x), {{x, [](const Tensor& dy, const Tensor& y) { return dy * y; }}});
}

Tensor log(const Tensor& x) {
  return record(compute(Unary::kLog, x), {{x, [x](const Tensor& dy, const Tensor&) { return dy / x; }}});
}

Tensor sqrt(const Tensor& x) {
  return record(compute(Unary::kSqrt, x), {{x, [](const Tensor& dy, const Tensor& y) { return 0.5 * dy / y; }}});
}

Tensor square(const Tensor& x) {
  return x * x;
}

Tensor reciprocal(const Tensor& x) {
  return record(compute(Unary::kReciprocal, x), {{x, [](const Tensor& dy, const Tensor& y) { return -(dy * y * y); }}});
}

Tensor tanh(const Tensor& x) {
  return record(compute(Unary::kTanh, x),
                {{x, [](const Tensor& dy, const Tensor& y) { return activation_grad(dy, y, {.tanh = true}); }}});
}

Tensor sigmoid(const Tensor& x) {
  return record(compute(Unary::kSigmoid, x), {{x, [](const Tensor& dy, const Tensor& y) { return dy * (y - y * y); }}});
}

Tensor softplus(const Tensor& x) {
  return record(compute(Unary::kSoftplus, x), {{x, [x](const Tensor& dy, const Tensor&) { return dy * sigmoid(x); }}});
}

Tensor abs(const Tensor& x) {
  return record(compute(Unary::kAbs, x), {{x, [x](const Tensor& dy, const Tensor&) { return dy * sign(x); }}});
}

Tensor sign(const Tensor& x) {
  return compute(Unary::kSign, x);
}  // flat: nothing to record

Tensor clamp(const Tensor& x, double low, double high) {
  check(low <= high, "clamp: expected low <= high, got ", low, " and ", high);
  Tensor y(x.shape(), x.device());
  dispatch(x.device(), [&](auto on) {
    kernels::clamp(on, x.count(), static_cast<Real>(low), static_cast<Real>(high), x.data(), y.data());
  });
  return record(y, {{x, [=](const Tensor& dy, const Tensor&) { return clamp_grad(dy, x, low, high); }}});
}

}  // namespace tobogan
