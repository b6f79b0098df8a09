// The first step of the way back of many operations: the derivative of the activation that ended them, then sums over
// the channels, for a bias or for batch norm.
//
// A convolution that makes the gradient of such an operation's result takes this step on the way out: on a GPU while it
// has the gradient in registers, two passes over memory less; on the CPU in place, an image batch less.  autograd.h says
// when it may.
#pragma once
#include "engine/tensor.h"
#include "kernels/activation.h"

namespace tobogan {

struct FirstStep {
  kernels::Activation activation = {};
  Tensor x = {}, mean = {}, scale = {}, gamma = {};  // of batch norm, which wants two sums; x undefined: it is none
};

// A gradient with that step behind it.
struct SteppedGradient {
  Tensor gradient = {};
  Tensor bias = {};                            // its gradient
  Tensor gamma = {}, beta = {}, factors = {};  // their gradients, and kernels::NormalizeFactors as {3, C}
};

}  // namespace tobogan
