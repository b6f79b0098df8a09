// Optimiser steps over all parameters at once.  Step number and learning rate are read from device memory.
#pragma once
#include <span>

#include "kernels/device.h"

namespace tobogan::kernels {

// One parameter with its gradient and its state of the same size.
struct ParameterSlot {
  Real* weight;
  const Real* grad;
  Real* first;   // Adam: m; SGD: momentum; RMSProp: unused
  Real* second;  // Adam: v; RMSProp: mean square; SGD: unused
  int64_t size;
};

// Adam (Kingma & Ba 2014), bias-corrected.  torch form: w -= lr * m^ / (sqrt(v^) + epsilon).
// Keras form: w -= lr * sqrt(1 - beta2^t) / (1 - beta1^t) * m / (sqrt(v) + epsilon).
struct AdamDims {
  Real beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
  Real weight_decay = 0;  // added to the gradient as weight_decay * w
  bool keras_form = false;
};

// Advances step[0] by one and makes step number step[0] of Adam with learning rate rate[0].
void adam(Cpu on, const AdamDims& dims, std::span<const ParameterSlot> slots, const Real* rate, uint64_t* step);
void adam(Cuda on, const AdamDims& dims, std::span<const ParameterSlot> slots, const Real* rate, uint64_t* step);

// TF1 form: s = decay * s + (1 - decay) g^2; w -= rate * g / sqrt(s + epsilon).
void rmsprop(Cpu on, Real decay, Real epsilon, Real weight_decay, std::span<const ParameterSlot> slots,
             const Real* rate);
void rmsprop(Cuda on, Real decay, Real epsilon, Real weight_decay, std::span<const ParameterSlot> slots,
             const Real* rate);

// u = momentum * u + g; w -= rate * u.  `first` may be null where momentum is 0.
void sgd(Cpu on, Real momentum, Real weight_decay, std::span<const ParameterSlot> slots, const Real* rate);
void sgd(Cuda on, Real momentum, Real weight_decay, std::span<const ParameterSlot> slots, const Real* rate);

// average = decay * average + (1 - decay) * weight, where slot.first is the average (grad and second are unused).
void moving_average(Cpu on, Real decay, std::span<const ParameterSlot> slots);
void moving_average(Cuda on, Real decay, std::span<const ParameterSlot> slots);

}  // namespace tobogan::kernels
