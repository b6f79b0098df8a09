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

// One kernel each way, unless somebody is recording the way back.
Tensor bce_with_logits(const Tensor& logits, double target) {
  const int64_t count = logits.count();
  check(count > 0, "bce_with_logits: no elements in a tensor of shape ", logits.shape());
  Tensor loss({}, logits.device());
  dispatch(logits.device(), [&](auto on) {
    kernels::binary_cross_entropy(on, count, static_cast<Real>(target), logits.data(), loss.data());
  });
  return record(loss, {{logits, [=](const Tensor& dloss, const Tensor&) {
                          if (recording())
                            return dloss * (sigmoid(logits) - target) * (1.0 / static_cast<double>(count));
                          Tensor dlogits(logits.shape(), logits.device());
                          dispatch(logits.device(), [&](auto on) {
                            kernels::binary_cross_entropy_grad(on, count, static_cast<Real>(target), logits.data(),
                                                               dloss.data(), dlogits.data());
                          });
                          return dlogits;
                        }}});
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
