// Nearly all losses are compositions, so their derivatives of any order come with the operations.
#include "engine/nn/loss.h"

#include "engine/autograd.h"
#include "kernels/elementwise.h"
#include "kernels/loss.h"

namespace tobogan {
namespace {

// Losses compare element with element: shapes that would be repeated against each other are a mistake here.
void check_alike(const char* loss, const Tensor& a, const Tensor& b) {
  check(a.shape() == b.shape(), loss, ": expected tensors of one shape, got ", a.shape(), " and ", b.shape());
}

// A tensor like `like` whose elements are one number in the first half of its memory and another in the second.
Tensor of_halves(const Tensor& like, Real first, Real second) {
  Tensor values(like.shape(), like.device());
  const int64_t half = like.count() / 2;
  dispatch(like.device(), [&](auto on) {
    kernels::fill(on, half, first, values.data());
    kernels::fill(on, like.count() - half, second, values.data() + half);
  });
  return values;
}

// One kernel for the loss and its derivative, unless somebody is recording the way back.
Tensor bce_of_terms(const Tensor& logits, const BceTerm& first, const BceTerm& second) {
  const int64_t count = logits.count();
  check(count > 0, "bce_with_logits: no elements in a tensor of shape ", logits.shape());
  const auto for_kernel = [](const BceTerm& term) {
    return kernels::BceTerm{static_cast<Real>(term.target), static_cast<Real>(term.weight)};
  };
  const kernels::BceTerms terms{for_kernel(first), for_kernel(second)};
  Tensor loss({}, logits.device()), derivative;
  if (recording() && logits.requires_grad()) derivative = Tensor(logits.shape(), logits.device());
  dispatch(logits.device(), [&](auto on) {
    kernels::binary_cross_entropy(on, count, terms, logits.data(), loss.data(),
                                  derivative.defined() ? derivative.data() : nullptr);
  });
  return record(loss, {{logits, [=](const Tensor& dloss, const Tensor&) {
                          if (!recording()) return dloss.is_one() ? derivative : dloss * derivative;
                          const Tensor target = of_halves(logits, terms.first.target, terms.second.target);
                          const Tensor weight = of_halves(logits, terms.first.weight, terms.second.weight);
                          return dloss * weight * (sigmoid(logits) - target) * (1.0 / static_cast<double>(count));
                        }}});
}

}  // namespace

Tensor bce_with_logits(const Tensor& logits, double target) {
  return bce_of_terms(logits, {target}, {target});
}

Tensor bce_with_logits(const Tensor& logits, const BceTerm& first, const BceTerm& second) {
  check(logits.count() % 2 == 0, "bce_with_logits: a tensor of shape ", logits.shape(), " has no halves");
  return bce_of_terms(logits, first, second);
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
