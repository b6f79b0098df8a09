// Binary cross-entropy from logits: a small reduction that composed of elementwise kernels would be a dozen launches.
#pragma once
#include "kernels/device.h"

namespace tobogan::kernels {

// A logit's target probability, and the weight of its loss.
struct BceTerm {
  Real target = 0, weight = 1;
};

// The terms of a batch's logits: `first` for the first count / 2 of them, `second` for the rest.
struct BceTerms {
  BceTerm first, second;
};

// loss[0] = mean over i of weight * (max(l, 0) - l * target + log(1 + e^-|l|)) with l = logits[i].  REQUIRES: count
// >= 1.
void binary_cross_entropy(Cpu on, int64_t count, const BceTerms& terms, const Real* logits, Real* loss);
void binary_cross_entropy(Cuda on, int64_t count, const BceTerms& terms, const Real* logits, Real* loss);

// dlogits[i] = dloss[0] * weight * (sigmoid(logits[i]) - target) / count.
void binary_cross_entropy_grad(Cpu on, int64_t count, const BceTerms& terms, const Real* logits, const Real* dloss,
                               Real* dlogits);
void binary_cross_entropy_grad(Cuda on, int64_t count, const BceTerms& terms, const Real* logits, const Real* dloss,
                               Real* dlogits);

}  // namespace tobogan::kernels
