// Losses: scalars to differentiate, means over the batch unless they say otherwise.
#pragma once
#include <functional>

#include "engine/ops/ops.h"

namespace tobogan {

// Binary cross-entropy of sigmoid(logits) with a target probability, from the logits and so without overflow:
// mean of max(l, 0) - l t + log(1 + e^-|l|).  The target is one number for all or a tensor of the logits' shape.
Tensor bce_with_logits(const Tensor& logits, double target);
Tensor bce_with_logits(const Tensor& logits, const Tensor& target);
// With a weight for each element: mean of weight * loss.
Tensor bce_with_logits(const Tensor& logits, const Tensor& target, const Tensor& weight);

// Both losses of a GAN from the logits {2 N, 1} of N real images and N fakes behind them, for a discriminator in which
// no image's logit depends on another image (no batch norm): the two kinds are one batch, and one way back through the
// discriminator serves both networks, since the gradients of a fake in both losses differ by one factor.
struct GanLosses {
  Tensor discriminator;  // 1/2 [BCE(real, 1) + BCE(fake, 0)]
  Tensor generator;      // BCE(fake, 1), without history
  Tensor fake_scale;  // {N, 1, 1, 1}: d generator / d fake is this times d discriminator / d fake; -2 e^-logit, without
                      // history.  Logits below -40 are taken for -40.
};
GanLosses gan_losses(const Tensor& logits);

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
