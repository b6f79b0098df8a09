// Each rule comes down to a constant, a uniform or a normal.
#include "engine/nn/init.h"

#include <cmath>

namespace tobogan {

Tensor Init::operator()(const Shape& shape, Fans fans, RandomStream& stream, const Device& device) const {
  // The deviation of a standard normal that is cut at +-2.
  constexpr double kCutDeviation = 0.87962566103423978;
  switch (kind_) {
    case Kind::kConstant:
      return Tensor::full(shape, a_, device);
    case Kind::kNormal:
      return stream.normal(shape, a_, b_);
    case Kind::kUniform:
      return stream.uniform(shape, a_, b_);
    case Kind::kTruncatedNormal:
      return stream.truncated_normal(shape, a_, b_);
    case Kind::kGlorotUniform: {
      const double bound = std::sqrt(6 / (fans.in + fans.out));
      return stream.uniform(shape, -bound, bound);
    }
    case Kind::kGlorotNormal:
      return stream.truncated_normal(shape, 0, std::sqrt(2 / (fans.in + fans.out)) / kCutDeviation);
    case Kind::kTorchDefault: {
      const double bound = 1 / std::sqrt(fans.in);
      return stream.uniform(shape, -bound, bound);
    }
    case Kind::kKaimingFanOut:
      return stream.normal(shape, 0, std::sqrt(2 / fans.out));
  }
  throw Error("Init: unknown rule");
}

}  // namespace tobogan
