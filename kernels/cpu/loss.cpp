// One score an image: too little work to share.
#include "kernels/loss.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/cpu/vector_math.h"

namespace tobogan::kernels {
namespace {

// The sum of cross-entropies; gradient[i] = each times the derivative, by a logit that is taken for `lowest` if below.
double sum_cross_entropies(int64_t count, Real target, const Real* logits, Real each, Real* gradient,
                           Real lowest = -std::numeric_limits<Real>::infinity()) {
  double sum = 0;
  for (int64_t i = 0; i < count; ++i) {
    const double l = static_cast<double>(logits[i]);
    sum += std::fmax(l, 0) - l * static_cast<double>(target) + std::log1p(std::exp(-std::fabs(l)));
    if (gradient != nullptr) gradient[i] = each * (vector_math::sigmoid(std::max(logits[i], lowest)) - target);
  }
  return sum;
}

}  // namespace

void binary_cross_entropy(Cpu, int64_t count, Real target, const Real* logits, Real* loss, Real* gradient) {
  const double sum = sum_cross_entropies(count, target, logits, 1 / static_cast<Real>(count), gradient);
  loss[0] = static_cast<Real>(sum / static_cast<double>(count));
}

void gan_losses(Cpu, int64_t pairs, const Real* logits, const GanLosses& losses) {
  const double count = static_cast<double>(pairs);
  const Real each = static_cast<Real>(0.5 / count), *fakes = logits + pairs;
  const double real = sum_cross_entropies(pairs, 1, logits, each, losses.gradient);
  const double fake = sum_cross_entropies(pairs, 0, fakes, each, losses.gradient + pairs, kLowestFake);
  losses.discriminator[0] = static_cast<Real>(0.5 * (real + fake) / count);
  losses.generator[0] = static_cast<Real>(sum_cross_entropies(pairs, 1, fakes, 0, nullptr) / count);
  for (int64_t i = 0; i < pairs; ++i) losses.fake_scale[i] = -2 * std::exp(-std::max(fakes[i], kLowestFake));
}

}  // namespace tobogan::kernels
