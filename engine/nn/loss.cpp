// Nearly all losses are compositions, so their derivatives of any order come with the operations.
#include "engine/nn/loss.h"

#include "engine/autograd.h"
#include "kernels/loss.h"

namespace tobogan {
namespace {

// Losses compare element with element: shapes that would be repeated against each other are a mistake here.
void check_alike(const char* loss, const Tensor& a, const Tensor& b) {
  check(a.shape() == b.shape(), loss, ": expected tensors of one shape, got ", a.shape(), " and ", b.shape());
}

}  // namespace

// One kernel for the loss and its derivative, unless somebody is recording the way back.
Tensor bce_with_logits(const Tensor& logits, double target) {
  const int64_t count = logits.count();
  check(count > 0, "bce_with_logits: no elements in a tensor of shape ", logits.shape());
  Tensor loss({}, logits.device()), derivative;
  if (recording() && logits.requires_grad()) derivative = Tensor(logits.shape(), logits.device());
  dispatch(logits.device(), [&](auto on) {
    kernels::binary_cross_entropy(on, count, static_cast<Real>(target), logits.data(), loss.data(),
                                  derivative.defined() ? derivative.data() : nullptr);
  });
  return record(loss, {{logits, [=](const Tensor& dloss, const Tensor&) {
                          if (recording())
                            return dloss * (sigmoid(logits) - target) * (1.0 / static_cast<double>(count));
                          return dloss.is_one() ? derivative : dloss * derivative;
                        }}});
}

GanLosses gan_losses(const Tensor& logits) {
  const Shape& shape = logits.shape();
  check(shape.rank() == 2 && shape[0] >= 2 && shape[0] % 2 == 0 && shape[1] == 1,
        "gan_losses: expected logits {2 N, 1} of as many real images as fakes, got shape ", shape);
  const int pairs = shape[0] / 2;
  const Device& device = logits.device();
  GanLosses losses{Tensor({}, device), Tensor({}, device), Tensor({pairs, 1, 1, 1}, device)};
  const Tensor derivative(shape, device);
  dispatch(device, [&](auto on) {
    kernels::gan_losses(
        on, pairs, logits.data(),
        {losses.discriminator.data(), derivative.data(), losses.generator.data(), losses.fake_scale.data()});
  });
  losses.discriminator =
      record(losses.discriminator, {{logits, [=](const Tensor& dloss, const Tensor&) {
                                       if (recording()) {
                                         const Tensor real = slice(logits, 0, 0, pairs);
                                         const Tensor fake = slice(logits, 0, pairs, 2 * pairs);
                                         return dloss * concat({sigmoid(real) - 1, sigmoid(fake)}, 0) * (0.5 / pairs);
                                       }
                                       return dloss.is_one() ? derivative : dloss * derivative;
                                     }}});
  losses.generator = without_rule(losses.generator, logits);
  losses.fake_scale = without_rule(losses.fake_scale, logits);
  return losses;
}

Tensor bce_with_logits(const Tensor& logits, const Tensor& target) {
  check_alike("bce_with_logits", logits, target);
  return mean(softplus(logits) - logits * target);
}

Tensor bce_with_logits(const Tensor& logits, const Tensor& target, const Tensor& weight) {
  check_alike("bce_with_logits", logits, target);
  check_alike("bce_with_logits", logits, weight);
  return mean(weight * (softplus(logits) - logits * target));
}

Tensor cross_entropy(const Tensor& logits, const Indices& labels) {
  return -mean(pick(log_softmax(logits), labels));
}

Tensor mse_loss(const Tensor& a, const Tensor& b) {
  check_alike("mse_loss", a, b);
  return mean(square(a - b));
}

Tensor l1_loss(const Tensor& a, const Tensor& b) {
  check_alike("l1_loss", a, b);
  return mean(abs(a - b));
}

Tensor gradient_penalty(const std::function<Tensor(const Tensor&)>& critic, const Tensor& real, const Tensor& fake,
                        const Tensor& u) {
  check(real.shape() == fake.shape(), "gradient_penalty: real images of shape ", real.shape(),
        " and fake ones of shape ", fake.shape());
  check(recording(), "gradient_penalty: under NoGrad the critic's slope is not known");
  Tensor mixed = (u * real + (1 - u) * fake).detach();
  mixed.require_grad();
  const Tensor slope = grad(sum(critic(mixed)), mixed, {.create_graph = true});
  const Tensor norm = sqrt(sum_samples(square(slope)) + 1e-12);
  return mean(square(norm - 1));
}

}  // namespace tobogan
