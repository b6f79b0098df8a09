// One score an image: too little work to share.
#include "kernels/loss.h"

#include <cmath>

#include "kernels/cpu/vector_math.h"

namespace tobogan::kernels {

void binary_cross_entropy(Cpu, int64_t count, const BceTerms& terms, const Real* logits, Real* loss) {
  double sum = 0;
  for (int64_t i = 0; i < count; ++i) {
    const BceTerm& term = i < count / 2 ? terms.first : terms.second;
    const double l = static_cast<double>(logits[i]);
    sum += static_cast<double>(term.weight) *
           (std::fmax(l, 0) - l * static_cast<double>(term.target) + std::log1p(std::exp(-std::fabs(l))));
  }
  loss[0] = static_cast<Real>(sum / static_cast<double>(count));
}

void binary_cross_entropy_grad(Cpu, int64_t count, const BceTerms& terms, const Real* logits, const Real* dloss,
                               Real* dlogits) {
  const Real each = dloss[0] / static_cast<Real>(count);
  for (int64_t i = 0; i < count; ++i) {
    const BceTerm& term = i < count / 2 ? terms.first : terms.second;
    dlogits[i] = each * term.weight * (vector_math::sigmoid(logits[i]) - term.target);
  }
}

}  // namespace tobogan::kernels
