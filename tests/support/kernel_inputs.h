// What tests of kernels need: numbers to compute with, threads and memory to compute on, and how far results are apart.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "kernels/cpu/memory_pool.h"
#include "kernels/cpu/threads.h"
#include "kernels/philox.h"

namespace tobogan {

// A processor with `count` threads and memory of its own.
struct CpuMachine {
  kernels::Threads threads;
  kernels::Pool pool;
  explicit CpuMachine(int count) : threads(count) {}
  kernels::Cpu tag() { return {&threads, &pool}; }
};

// Uniform in [-1, 1), the same for the same seed.
inline std::vector<Real> random_values(int64_t count, uint64_t seed) {
  std::vector<Real> values(static_cast<size_t>(count));
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<Real>(2 * kernels::uniform_from(kernels::random_block(seed, 0, 0, i / 4).word[i % 4]) - 1);
  }
  return values;
}
// The same as multiples of 1/64, which every precision of products holds exactly.
inline std::vector<Real> short_values(int64_t count, uint64_t seed) {
  std::vector<Real> values = random_values(count, seed);
  for (Real& value : values) value = std::floor(value * 64) / 64;
  return values;
}

// The largest difference, relative to the largest wanted value (or 1): NaN anywhere is infinitely far.
inline double distance(const std::vector<Real>& got, const std::vector<double>& wanted) {
  double largest = 1, apart = 0;
  for (const double value : wanted) largest = std::max(largest, std::abs(value));
  for (size_t i = 0; i < wanted.size(); ++i) {
    const double difference = std::abs(static_cast<double>(got[i]) - wanted[i]);
    if (!(difference <= apart)) apart = std::isnan(difference) ? HUGE_VAL : difference;
  }
  return got.size() == wanted.size() ? apart / largest : HUGE_VAL;
}

// How far a sum of a few thousand products may be off.
constexpr double kSumTolerance = sizeof(Real) == 4 ? 2e-6 : 1e-14;

}  // namespace tobogan
