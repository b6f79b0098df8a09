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

// loss[0] = mean over i of weight * (max(l, 0) - l * target + log(1 + e^-|l|)) with l = logits[i], and unless
// `gradient` is null, gradient[i] = its derivative by l: weight * (sigmoid(l) - target) / count.  REQUIRES: count >= 1.
void binary_cross_entropy(Cpu on, int64_t count, const BceTerms& terms, const Real* logits, Real* loss, Real* gradient);
void binary_cross_entropy(Cuda on, int64_t count, const BceTerms& terms, const Real* logits, Real* loss,
                          Real* gradient);

}  // namespace tobogan::kernels
