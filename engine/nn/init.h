// How parameters start.
#pragma once
#include "engine/random.h"

namespace tobogan {

// How many values go into one output of a layer, and how many outputs one input goes to.
struct Fans {
  double in = 1, out = 1;
};

class Init {
 public:
  static Init constant(double value) { return {Kind::kConstant, value, 0}; }
  static Init zeros() { return constant(0); }
  static Init ones() { return constant(1); }
  static Init normal(double mean, double deviation) { return {Kind::kNormal, mean, deviation}; }
  static Init uniform(double low, double high) { return {Kind::kUniform, low, high}; }
  // Normal, cut at two deviations (of the uncut distribution).
  static Init truncated_normal(double mean, double deviation) { return {Kind::kTruncatedNormal, mean, deviation}; }
  // U(-a, a) with a = sqrt(6 / (fan_in + fan_out)) (Glorot & Bengio 2010); what Keras does by default.
  static Init glorot_uniform() { return {Kind::kGlorotUniform, 0, 0}; }
  // Truncated normal of deviation sqrt(2 / (fan_in + fan_out)), as Keras draws it.
  static Init glorot_normal() { return {Kind::kGlorotNormal, 0, 0}; }
  // U(-a, a) with a = 1 / sqrt(fan_in): PyTorch's default for weights and biases of dense and convolution layers.
  static Init torch_default() { return {Kind::kTorchDefault, 0, 0}; }
  // Normal of deviation sqrt(2 / fan_out) (He et al. 2015).
  static Init kaiming_fan_out() { return {Kind::kKaimingFanOut, 0, 0}; }

  Tensor operator()(const Shape& shape, Fans fans, RandomStream& stream, const Device& device) const;

 private:
  enum class Kind {
    kConstant,
    kNormal,
    kUniform,
    kTruncatedNormal,
    kGlorotUniform,
    kGlorotNormal,
    kTorchDefault,
    kKaimingFanOut
  };
  Init(Kind kind, double a, double b) : kind_(kind), a_(a), b_(b) {}

  Kind kind_;
  double a_, b_;
};

}  // namespace tobogan
