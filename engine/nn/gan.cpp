// Where the two networks meet, at the fakes, the way back of the discriminator ends and that of the generator begins.
#include "engine/nn/gan.h"

#include "engine/autograd.h"
#include "engine/nn/loss.h"

namespace tobogan {

GanGradients gan_gradients(const Tensor& real, const Tensor& fake,
                           const std::function<Tensor(const Tensor&)>& discriminator,
                           std::span<const Tensor> of_discriminator, std::span<const Tensor> of_generator) {
  check(real.shape() == fake.shape(), "gan_gradients: real images of shape ", real.shape(), " and fakes of shape ",
        fake.shape());
  check(of_generator.empty() || fake.requires_grad(), "gan_gradients: nobody recorded how the fakes of shape ",
        fake.shape(), " were made (under NoGrad, or detached)");
  const Tensor seen = fake.detach().require_grad();
  const GanLosses losses = gan_losses(discriminator(concat({real, seen}, 0)));
  std::vector<Tensor> wrt(of_discriminator.begin(), of_discriminator.end());
  wrt.push_back(seen);
  std::vector<Tensor> grads = grad(losses.discriminator, wrt);
  const Tensor dfake = grads.back() * losses.fake_scale;
  grads.pop_back();
  return {.discriminator_loss = losses.discriminator,
          .generator_loss = losses.generator,
          .discriminator = std::move(grads),
          .generator = of_generator.empty() ? std::vector<Tensor>{} : grad(fake, of_generator, {.seed = dfake})};
}

}  // namespace tobogan
