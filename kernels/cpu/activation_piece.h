// The activation itself, for a piece of at most kPiece elements: shared by activate() and normalize().
#pragma once
#include <bit>
#include <type_traits>

#include "kernels/activation.h"
#include "kernels/cpu/loops.h"
#include "kernels/cpu/philox_vector.h"
#include "kernels/cpu/vector_math.h"

namespace tobogan::kernels {

// The numbers that dropout needs, read once per call.
struct Dropout {
  RandomKey key;
  uint64_t step = 0;
  int threshold = 0;  // kept where the 16-bit uniform is at least this; 0: no dropout
  Real scale = 1;     // the inverse of the share that is kept

  explicit Dropout(const Activation& how) : key(how.key) {
    threshold = static_cast<int>(static_cast<double>(how.dropout) * 65536 + 0.5);
    threshold = std::min(threshold, 65535);
    scale = static_cast<Real>(65536.0 / (65536 - threshold));
    if (threshold > 0) step = *key.step;
  }
};

// y[i] = activation(value(i)) for the elements flat..flat+size-1 of a matrix.  REQUIRES: flat is a multiple of kPiece.
template <class Value>
inline void activate_piece(const Activation& how, const Dropout& dropout, int64_t flat, int64_t size,
                           const Value& value, Real* y) {
  if (how.tanh) {
#pragma GCC ivdep
    for (int64_t i = 0; i < size; ++i) y[i] = vector_math::tanh(value(i));
    return;
  }
  const Real slope = how.slope;
  if (dropout.threshold == 0) {
#pragma GCC ivdep
    for (int64_t i = 0; i < size; ++i) {
      const Real v = value(i);
      y[i] = v > 0 ? v : slope * v;
    }
    return;
  }
  static_assert(std::endian::native == std::endian::little);
  alignas(32) uint32_t words[kPiece / 2];
  alignas(32) uint16_t halves[kPiece];
  philox_words(dropout.key, dropout.step, flat / 8, (size + 7) / 8, words);
  std::memcpy(halves, words, sizeof halves);  // the low half of a word comes first
  const int threshold = dropout.threshold;
  const Real above = dropout.scale, below = dropout.scale * slope;
#pragma GCC ivdep
  for (int64_t i = 0; i < size; ++i) {
    const Real v = value(i);
    const Real kept = (v > 0 ? above : below) * v + Real(0);  // + 0 turns -0, which marks what was dropped, into 0
    y[i] = halves[i] >= threshold ? kept : Real(-0.0);
  }
}

// The derivative of leaky ReLU and dropout, from their result.
class PiecewiseDerivative {
 public:
  explicit PiecewiseDerivative(const Activation& how) {
    const Dropout dropout(how);
    above_ = dropout.scale;
    below_ = dropout.scale * how.slope;
    dropped_ = dropout.threshold > 0 ? std::bit_cast<Bits>(Real(-0.0)) : ~Bits{0};  // the latter: a NaN nobody makes
  }
  Real operator()(Real y) const { return std::bit_cast<Bits>(y) == dropped_ ? Real(0) : y > 0 ? above_ : below_; }

 private:
  using Bits = std::conditional_t<sizeof(Real) == 4, uint32_t, uint64_t>;
  Real above_, below_;
  Bits dropped_;
};

// The derivative of tanh, from its result.
struct TanhDerivative {
  Real operator()(Real y) const { return 1 - y * y; }
};

// Calls body(derivative) with the activation's own: a loop that asks which one it is does not become vectors.
template <class Body>
void with_derivative(const Activation& how, const Body& body) {
  if (how.tanh) {
    body(TanhDerivative());
  } else {
    body(PiecewiseDerivative(how));
  }
}

}  // namespace tobogan::kernels
