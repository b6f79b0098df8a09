// What tests of kernels other than the products share: numbers in a range, and the two comparisons.
#pragma once
#include <cstring>

#include "kernels/cpu/memory_pool.h"
#include "kernels/normalize.h"
#include "tests/support/catch.h"
#include "tests/support/kernel_inputs.h"

namespace tobogan::kernels {

using Reals = std::vector<Real>;

// Numbers in [low, high), the same every time.
inline Reals test_values(int64_t count, uint64_t seed, double low = -2, double high = 2) {
  Reals values(static_cast<size_t>(count));
  for (size_t i = 0; i < values.size(); ++i) {
    const double u = random_block(seed, 99, 0, i).word[0] * 0x1p-32;
    values[i] = static_cast<Real>(low + (high - low) * u);
  }
  return values;
}

// run(cpu) -> vector gives the same bits for one to four threads; returns them.
template <class Run>
auto same_for_any_threads(const Run& run) {
  CpuMachine one(1);
  const auto expected = run(one.tag());
  for (int count = 2; count <= 4; ++count) {
    CpuMachine machine(count);
    const auto got = run(machine.tag());
    REQUIRE(got.size() == expected.size());
    INFO("threads: " << count);
    REQUIRE((got.empty() || std::memcmp(got.data(), expected.data(), got.size() * sizeof(got[0])) == 0));
  }
  return expected;
}

// The largest of |got - expected| / (absolute + |expected|): to be compared with a tolerance.
template <class Expected>
double worst_error(const Reals& got, const Expected& expected, double absolute = 1) {
  double worst = 0;
  for (size_t i = 0; i < got.size(); ++i) {
    const double want = static_cast<double>(expected(static_cast<int64_t>(i)));
    const double error = std::fabs(static_cast<double>(got[i]) - want) / (absolute + std::fabs(want));
    worst = error <= worst ? worst : error;  // a NaN stays
  }
  return worst;
}

// The way back of a normalisation, both passes; see kernels/normalize.h.  Any machine.
template <class On>
void normalize_grad(On on, const Activation& how, int64_t rows, int64_t columns, const Real* dy, const Real* x,
                    const Real* y, const Real* mean, const Real* scale, const Real* gamma, Real* dx, Real* dgamma,
                    Real* dbeta) {
  const size_t bytes = static_cast<size_t>(3 * columns) * sizeof(Real);
  Real* const a = static_cast<Real*>(on.pool->take(bytes));
  const NormalizeSums sums{x, mean, scale, gamma, dgamma, dbeta, {a, a + columns, a + 2 * columns}};
  normalize_grad_sums(on, how, rows, columns, dy, y, sums, dx);
  normalize_grad_apply(on, rows, columns, dx, x, mean, sums.factors, dx);
  on.pool->give(a, bytes);
}

// Half an ulp of Real at 1.  In double the plain loops that tests compare with round as much as the kernels do: they
// are given more room.
constexpr double kRounding = sizeof(Real) == 4 ? 0x1p-24 : 0x1p-44;

}  // namespace tobogan::kernels
