// Optimiser steps: the parameters of all slots as one flat range, cut into chunks that may span several slots.
#include "kernels/optimizer.h"

#include <cmath>

#include "kernels/cpu/loops.h"

namespace tobogan::kernels {
namespace {

// body(slot, begin, end) for ranges of elements that cover all slots.
template <class Body>
void for_slots(Cpu on, std::span<const ParameterSlot> slots, const Body& body) {
  int64_t total = 0;
  for (const ParameterSlot& slot : slots) total += slot.size;
  for_elements(on, total, [=, &body](int64_t begin, int64_t end) {
    int64_t first = 0;  // where the slot lies in the flat range
    for (const ParameterSlot& slot : slots) {
      const int64_t from = std::max(begin, first), to = std::min(end, first + slot.size);
      if (from < to) body(slot, from - first, to - first);
      first += slot.size;
      if (first >= end) return;
    }
  });
}

}  // namespace

void adam(Cpu on, const AdamDims& dims, std::span<const ParameterSlot> slots, const Real* rate, uint64_t* step) {
  const double t = static_cast<double>(++*step);
  const double correction1 = 1 - std::pow(static_cast<double>(dims.beta1), t);
  const double correction2 = 1 - std::pow(static_cast<double>(dims.beta2), t);
  // Both forms are w -= size * m / (root * sqrt(v) + epsilon).
  const double keras = dims.keras_form ? std::sqrt(correction2) : 1;
  const Real size = static_cast<Real>(static_cast<double>(*rate) * keras / correction1);
  const Real root = static_cast<Real>(dims.keras_form ? 1 : 1 / std::sqrt(correction2));
  const Real beta1 = dims.beta1, beta2 = dims.beta2, epsilon = dims.epsilon, decay = dims.weight_decay;
  for_slots(on, slots, [=](const ParameterSlot& slot, int64_t begin, int64_t end) {
    Real *weight = slot.weight, *first = slot.first, *second = slot.second;
    const Real* grad = slot.grad;
#pragma GCC ivdep
    for (int64_t i = begin; i < end; ++i) {
      const Real g = grad[i] + decay * weight[i];
      const Real m = beta1 * first[i] + (1 - beta1) * g;
      const Real v = beta2 * second[i] + (1 - beta2) * (g * g);
      first[i] = m;
      second[i] = v;
      weight[i] -= size * m / (root * std::sqrt(v) + epsilon);
    }
  });
}

void rmsprop(Cpu on, Real decay, Real epsilon, Real weight_decay, std::span<const ParameterSlot> slots,
             const Real* rate) {
  const Real size = *rate;
  for_slots(on, slots, [=](const ParameterSlot& slot, int64_t begin, int64_t end) {
    Real *weight = slot.weight, *second = slot.second;
    const Real* grad = slot.grad;
#pragma GCC ivdep
    for (int64_t i = begin; i < end; ++i) {
      const Real g = grad[i] + weight_decay * weight[i];
      const Real s = decay * second[i] + (1 - decay) * (g * g);
      second[i] = s;
      weight[i] -= size * g / std::sqrt(s + epsilon);
    }
  });
}

void sgd(Cpu on, Real momentum, Real weight_decay, std::span<const ParameterSlot> slots, const Real* rate) {
  const Real size = *rate;
  if (momentum == 0) {
    return for_slots(on, slots, [=](const ParameterSlot& slot, int64_t begin, int64_t end) {
      Real* weight = slot.weight;
      const Real* grad = slot.grad;
#pragma GCC ivdep
      for (int64_t i = begin; i < end; ++i) weight[i] -= size * (grad[i] + weight_decay * weight[i]);
    });
  }
  for_slots(on, slots, [=](const ParameterSlot& slot, int64_t begin, int64_t end) {
    Real *weight = slot.weight, *first = slot.first;
    const Real* grad = slot.grad;
#pragma GCC ivdep
    for (int64_t i = begin; i < end; ++i) {
      const Real u = momentum * first[i] + (grad[i] + weight_decay * weight[i]);
      first[i] = u;
      weight[i] -= size * u;
    }
  });
}

void moving_average(Cpu on, Real decay, std::span<const ParameterSlot> slots) {
  for_slots(on, slots, [=](const ParameterSlot& slot, int64_t begin, int64_t end) {
    Real* average = slot.first;
    const Real* weight = slot.weight;
#pragma GCC ivdep
    for (int64_t i = begin; i < end; ++i) average[i] = decay * average[i] + (1 - decay) * weight[i];
  });
}

}  // namespace tobogan::kernels
