// Nonlinearities, and what a layer does to its sum on the way out: bias, leaky ReLU and dropout in one pass.
#pragma once
#include "engine/ops/first_step.h"
#include "engine/random.h"
#include "engine/tensor.h"
#include "kernels/activation.h"

namespace tobogan {

// max(x, slope * x).  REQUIRES: 0 <= slope <= 1.
Tensor leaky_relu(const Tensor& x, double slope);
inline Tensor relu(const Tensor& x) {
  return leaky_relu(x, 0);
}

// Throws Error, beginning with the operation's name, where the slope is not in 0..1 or the dropout rate not in 0..<1.
void check_activation(const char* operation, const kernels::Activation& how);

// Elements set to 0 with the given probability, the rest scaled up to keep the mean.
Tensor dropout(const Tensor& x, double rate, RandomStream& stream);

// dropout(leaky_relu(x + bias)), where bias {C} is added to every row of a matrix {N, C} or pixel of images {N, C, H,
// W}. `bias` may be undefined.
Tensor activate(const Tensor& x, const Tensor& bias, const kernels::Activation& how);

// dy times the derivative of such an activation whose result was y: linear in dy and, but for tanh, flat in y.
Tensor activation_grad(const Tensor& dy, const Tensor& y, const kernels::Activation& how);

// The first step of the way back of such an operation (FirstStep), with the sums for a bias if they are wanted.
SteppedGradient activation_step(const Tensor& dy, const Tensor& y, const kernels::Activation& how, bool bias);

// x + bias, as above.
inline Tensor add_bias(const Tensor& x, const Tensor& bias) {
  return activate(x, bias, {});
}

// The shape that a tensor {C} has to have to be broadcast over the channels of x: {1, C} or {1, C, 1, 1}.
Shape channel_shape(const Shape& x);

}  // namespace tobogan
