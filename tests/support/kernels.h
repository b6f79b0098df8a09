// What tests of kernels other than the products share: numbers in a range, and the two comparisons.
#pragma once
#include <cstring>

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

// Half an ulp of Real at 1.  In double the plain loops that tests compare with round as much as the kernels do: they
// are given more room.
constexpr double kRounding = sizeof(Real) == 4 ? 0x1p-24 : 0x1p-44;

}  // namespace tobogan::kernels
