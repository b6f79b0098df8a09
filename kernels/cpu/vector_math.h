// The transcendental functions, written so that a loop over them becomes vector code.
//
// In float each is a polynomial on a reduced argument with selects instead of branches.  The polynomials are minimax
// fits (Remez exchange, relative error) made for this file; the functions are within 2 ulp (sigmoid: 2.5) of the truth
// over all finite arguments with a normal result, and follow the C library at infinities and NaN.  In double the C
// library serves: that build is for checking derivatives, not for speed.
#pragma once
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace tobogan::kernels::vector_math {

namespace detail {

constexpr float kLn2High = 0.693145751953125f;  // few bits, so that multiples by an exponent are exact
constexpr float kLn2Low = 1.42860677e-6f;

// log(1 + f) + exponent * log(2) for f in [sqrt(1/2) - 1, sqrt(2) - 1].
inline float log_reduced(float f, float exponent) {
  float p = -0.0763451966f;
  p = p * f + 0.127615696f;
  p = p * f - 0.131601708f;
  p = p * f + 0.142017588f;
  p = p * f - 0.166233586f;
  p = p * f + 0.200012269f;
  p = p * f - 0.25000821f;
  p = p * f + 0.333333317f;
  const float square = f * f;
  const float rest = square * (f * p) + exponent * kLn2Low - 0.5f * square;
  return exponent * kLn2High + (f + rest);
}

}  // namespace detail

inline float exp(float x) {
  x = x < -104.0f ? -104.0f : x;  // 0 from here down, infinity from 89 up
  x = x > 89.0f ? 89.0f : x;
  constexpr float kRound = 12582912.0f;  // 1.5 * 2^23: adding it leaves the nearest integer in the low bits
  const float shifted = x * 1.44269504f + kRound;
  const int32_t n = std::bit_cast<int32_t>(shifted) - std::bit_cast<int32_t>(kRound);
  const float whole = shifted - kRound;
  const float r = (x - whole * detail::kLn2High) - whole * detail::kLn2Low;
  float p = 0.00138145948f;
  p = p * r + 0.0083687168f;
  p = p * r + 0.0416683881f;
  p = p * r + 0.166665206f;
  p = p * r + 0.499999934f;
  p = (p * r) * r + r + 1.0f;
  const int32_t half = n >> 1;  // 2^n in two factors, since n runs from -150 to 128
  return p * std::bit_cast<float>((half + 127) << 23) * std::bit_cast<float>((n - half + 127) << 23);
}

inline float log(float x) {
  const bool tiny = x < std::numeric_limits<float>::min();
  const float scaled = tiny ? x * 0x1p23f : x;
  const uint32_t bits = std::bit_cast<uint32_t>(scaled);
  const int32_t exponent = static_cast<int32_t>(bits - 0x3f3504f3u) >> 23;  // mantissa from sqrt(1/2) up
  const float mantissa = std::bit_cast<float>(bits - (static_cast<uint32_t>(exponent) << 23));
  const float y = detail::log_reduced(mantissa - 1.0f, static_cast<float>(exponent) - (tiny ? 23.0f : 0.0f));
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const float below = x == 0.0f ? -kInfinity : std::numeric_limits<float>::quiet_NaN();
  const float above = x < kInfinity ? y : kInfinity;
  return x > 0.0f ? above : below;
}

inline float tanh(float x) {
  const float size = std::fabs(x);
  const float square = x * x;
  float p = -0.00571704331f;
  p = p * square + 0.0206505853f;
  p = p * square - 0.0537434973f;
  p = p * square + 0.133314913f;
  p = p * square - 0.333332839f;
  const float near_zero = x + (x * square) * p;
  const float far = 1.0f - 2.0f / (exp(2.0f * size) + 1.0f);
  return size < 0.625f ? near_zero : std::copysign(far, x);
}

inline float sigmoid(float x) {
  const float tail = exp(-std::fabs(x));
  return (x < 0.0f ? tail : 1.0f) / (1.0f + tail);
}

// log(1 + e^x).
inline float softplus(float x) {
  const float tail = exp(-std::fabs(x));
  const bool large = tail > 0.414213562f;  // then 1 + tail is 2 * (1 + f)
  const float f = large ? (tail - 1.0f) * 0.5f : tail;
  return (x > 0.0f ? x : 0.0f) + detail::log_reduced(f, large ? 1.0f : 0.0f);
}

// Sine and cosine of `turn` / 2^32 of a full circle.  The octant comes from the integer, exactly.
inline void sine_cosine(uint32_t turn, float* sine, float* cosine) {
  const uint32_t quadrant = (turn + 0x20000000u) >> 30;
  const float r = static_cast<float>(static_cast<int32_t>(turn - (quadrant << 30))) * 0x1p-32f;  // in [-1/8, 1/8)
  const float square = r * r;
  float s = -75.3935628f;
  s = s * square + 81.5923536f;
  s = s * square - 41.3416615f;
  s = (s * square + 6.28318529f) * r;
  float c = 59.2204082f;
  c = c * square - 85.4428521f;
  c = c * square + 64.9393162f;
  c = c * square - 19.7392087f;
  c = c * square + 1.0f;
  const bool swapped = (quadrant & 1) != 0;
  const float a = swapped ? c : s, b = swapped ? s : c;
  *sine = (quadrant & 2) != 0 ? -a : a;
  *cosine = ((quadrant + 1) & 2) != 0 ? -b : b;
}

inline double exp(double x) {
  return std::exp(x);
}
inline double log(double x) {
  return std::log(x);
}
inline double tanh(double x) {
  return std::tanh(x);
}
inline double sigmoid(double x) {
  const double tail = std::exp(-std::fabs(x));
  return (x < 0 ? tail : 1) / (1 + tail);
}
inline double softplus(double x) {
  return std::fmax(x, 0.0) + std::log1p(std::exp(-std::fabs(x)));
}
inline void sine_cosine(uint32_t turn, double* sine, double* cosine) {
  const double angle = static_cast<double>(turn) * (0x1p-32 * 6.283185307179586476925);
  *sine = std::sin(angle);
  *cosine = std::cos(angle);
}

}  // namespace tobogan::kernels::vector_math
