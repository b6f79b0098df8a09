// Binary cross-entropy from logits: a small reduction that composed of elementwise kernels would be a dozen launches.
#pragma once
#include "kernels/device.h"

namespace tobogan::kernels {

// loss[0] = mean over i of max(l, 0) - l * target + log(1 + e^-|l|) with l = logits[i].  REQUIRES: count >= 1.
void binary_cross_entropy(Cpu on, int64_t count, Real target, const Real* logits, Real* loss);
void binary_cross_entropy(Cuda on, int64_t count, Real target, const Real* logits, Real* loss);

// dlogits[i] = dloss[0] * (sigmoid(logits[i]) - target) / count.
void binary_cross_entropy_grad(Cpu on, int64_t count, Real target, const Real* logits, const Real* dloss,
                               Real* dlogits);
void binary_cross_entropy_grad(Cuda on, int64_t count, Real target, const Real* logits, const Real* dloss,
                               Real* dlogits);

}  // namespace tobogan::kernels
