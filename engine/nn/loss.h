// Losses: scalars to differentiate, means over the batch unless they say otherwise.
#pragma once
#include <functional>

#include "engine/ops/ops.h"

namespace tobogan {

// Binary cross-entropy of sigmoid(logits) with a target probability, from the logits and so without overflow:
// mean of max(l, 0) - l t + log(1 + e^-|l|).  The target is one number for all or a tensor of the logits' shape.
Tensor bce_with_logits(const Tensor& logits, double target);
// The mean over a batch of which the first half has one target and weight and the second half others: a discriminator
// that saw real and fake images as one batch.  Throws Error where the number of logits is odd.
struct BceTerm {
  double target, weight = 1;
};
Tensor bce_with_logits(const Tensor& logits, const BceTerm& first, const BceTerm& second);
Tensor bce_with_logits(const Tensor& logits, const Tensor& target);
// With a weight for each element: mean of weight * loss.
Tensor bce_with_logits(const Tensor& logits, const Tensor& target, const Tensor& weight);

// mean of -log softmax(logits)[label]; logits {N, K}, labels N.
Tensor cross_entropy(const Tensor& logits, const Indices& labels);

// mean of (a - b)^2 and of |a - b|.
Tensor mse_loss(const Tensor& a, const Tensor& b);
Tensor l1_loss(const Tensor& a, const Tensor& b);

// The gradient penalty of WGAN-GP (Gulrajani et al. 2017): mean over samples of (|d critic(m) / d m| - 1)^2 at
// m = u * real + (1 - u) * fake, the norm over all of a sample with 1e-12 under the root.  u {N, 1, ...}: one a sample.
// `critic` maps images to scores {N, 1}; each score must depend on its own sample alone.  Throws Error under NoGrad.
Tensor gradient_penalty(const std::function<Tensor(const Tensor&)>& critic, const Tensor& real, const Tensor& fake,
                        const Tensor& u);

}  // namespace tobogan
