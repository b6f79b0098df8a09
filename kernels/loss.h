// Binary cross-entropy from logits: small reductions that composed of elementwise kernels would be a dozen launches.
#pragma once
#include "kernels/device.h"

namespace tobogan::kernels {

// loss[0] = mean over i of max(l, 0) - l * target + log(1 + e^-|l|) with l = logits[i], and unless `gradient` is null,
// gradient[i] = its derivative by l: (sigmoid(l) - target) / count.  REQUIRES: count >= 1.
void binary_cross_entropy(Cpu on, int64_t count, Real target, const Real* logits, Real* loss, Real* gradient);
void binary_cross_entropy(Cuda on, int64_t count, Real target, const Real* logits, Real* loss, Real* gradient);

// See gan_losses.
inline constexpr Real kLowestFake = -40;

// The losses of a GAN from the logits of `pairs` real images and of as many fakes behind them.  With the means over a
// kind of image of the cross-entropy above,
//   discriminator[0] = 1/2 [mean over real images, target 1 + mean over fakes, target 0], its derivatives gradient[i];
//   generator[0]     = mean over fakes, target 1;
//   fake_scale[i]    = the generator's loss's derivative by the logit of fake i in units of the discriminator's:
//                      (sigmoid(l) - 1) / (1/2 sigmoid(l)) = -2 e^-l.
// In the derivatives of a fake, gradient and fake_scale, l below kLowestFake is taken for it: their product is the
// generator's derivative, which e^-l alone would overflow and sigmoid(l) alone would lose.
// REQUIRES: pairs >= 1.
struct GanLosses {
  Real *discriminator, *gradient, *generator, *fake_scale;
};
void gan_losses(Cpu on, int64_t pairs, const Real* logits, const GanLosses& losses);
void gan_losses(Cuda on, int64_t pairs, const Real* logits, const GanLosses& losses);

}  // namespace tobogan::kernels
