// The gradients of a GAN's two networks from one pass through the discriminator each way.
#pragma once
#include <functional>
#include <span>
#include <vector>

#include "engine/tensor.h"

namespace tobogan {

struct GanGradients {
  Tensor discriminator_loss;                     // 1/2 [BCE(D(real), 1) + BCE(D(fake), 0)]
  Tensor generator_loss;                         // BCE(D(fake), 1)
  std::vector<Tensor> discriminator, generator;  // by the parameters that were asked about
};

// `real` and `fake` are as many images; `discriminator` maps images to logits {N, 1}, each of which must depend on its
// own image alone: no batch norm.  So both kinds are one batch, and the gradients of a fake in the two losses differ by
// one factor (gan_losses).  Both gradients are those before either network moves.
GanGradients gan_gradients(const Tensor& real, const Tensor& fake,
                           const std::function<Tensor(const Tensor&)>& discriminator,
                           std::span<const Tensor> of_discriminator, std::span<const Tensor> of_generator);

}  // namespace tobogan
