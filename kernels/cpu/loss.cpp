// One score an image: too little work to share.
#include "kernels/loss.h"

#include <cmath>

#include "kernels/cpu/vector_math.h"

namespace tobogan::kernels {

void binary_cross_entropy(Cpu, int64_t count, const BceTerms& terms, const Real* logits, Real* loss, Real* gradient) {
  double sum = 0;
  const Real each = 1 / static_cast<Real>(count);
  for (int64_t i = 0; i < count; ++i) {
    const BceTerm& term = i < count / 2 ? terms.first : terms.second;
    const double l = static_cast<double>(logits[i]);
    sum += static_cast<double>(term.weight) *
           (std::fmax(l, 0) - l * static_cast<double>(term.target) + std::log1p(std::exp(-std::fabs(l))));
    if (gradient != nullptr) gradient[i] = each * term.weight * (vector_math::sigmoid(logits[i]) - term.target);
  }
  loss[0] = static_cast<Real>(sum / static_cast<double>(count));
}

}  // namespace tobogan::kernels
