// Named streams: a draw is a function of seed, name, step and ordinal alone.  (The numbers themselves, Philox' known
// answers among them, are tested in random_kernels_test.cpp.)
#include "engine/random.h"

#include <cmath>
#include <set>

#include "engine/context.h"
#include "engine/step.h"
#include "tests/support/catch.h"
#include "tests/support/close.h"

namespace tobogan {
namespace {

struct Fixture {
  Machine machine{{.threads = 2}};
  Context context{machine, 42};
};

using Catch::Matchers::ContainsSubstring;
using Reals = std::vector<Real>;

TEST_CASE("keys of streams differ for near names and near seeds") {
  std::set<uint64_t> keys;
  for (uint64_t seed = 0; seed < 100; ++seed)
    for (int i = 0; i < 100; ++i) keys.insert(stream_key(seed, "stream" + std::to_string(i)));
  CHECK(keys.size() == 10000);
  CHECK(stream_key(1, "") != stream_key(2, ""));
  CHECK(stream_key(1, "ab") != stream_key(1, "ba"));
  // Pinned, since every published number of a run rests on it; worked out apart from the engine.
  CHECK(stream_key(0, "") == 0x813f0174a2367c13u);
}

TEST_CASE_METHOD(Fixture, "a stream does not depend on what others draw") {
  const Reals first = context.rng["latent"].normal({5, 3}).to_host();
  const Reals second = context.rng["latent"].normal({5, 3}).to_host();
  CHECK(first != second);
  Context busy(machine, 42);
  busy.rng["evaluation"].normal({1000});
  CHECK(busy.rng["latent"].normal({5, 3}).to_host() == first);
  busy.rng["another"].uniform({7});
  CHECK(busy.rng["latent"].normal({5, 3}).to_host() == second);
  CHECK(busy.rng["evaluation"].normal({5, 3}).to_host() != first);
  Context other(machine, 43);
  CHECK(other.rng["latent"].normal({5, 3}).to_host() != first);
}

TEST_CASE_METHOD(Fixture, "a step starts anew and draws new numbers") {
  const Reals before = context.rng["latent"].uniform({9}).to_host();
  context.rng.advance();
  const Reals after = context.rng["latent"].uniform({9}).to_host();
  CHECK(after != before);
  // The number of draws in a step does not move the next step's.
  Context other(machine, 42);
  other.rng["latent"].uniform({9});
  other.rng["latent"].uniform({9});
  other.rng.advance();
  CHECK(other.rng["latent"].uniform({9}).to_host() == after);
  // Step does the advancing, before its body.
  Context stepped(machine, 42);
  Reals in_step;
  Step step(stepped, [&] { in_step = stepped.rng["latent"].uniform({9}).to_host(); });
  step();
  CHECK(in_step == after);
}

TEST_CASE_METHOD(Fixture, "a restored state goes on where the saved one stood") {
  context.rng.advance();
  context.rng.advance();
  context.rng["latent"].uniform({9});
  context.rng["dropout"].uniform({9});
  context.rng["latent"].uniform({9});
  const auto state = context.rng.state();
  const Reals latent = context.rng["latent"].uniform({9}).to_host();
  const Reals dropout = context.rng["dropout"].uniform({9}).to_host();
  const Reals fresh = context.rng["fresh"].uniform({9}).to_host();
  Context other(machine, 42);
  other.rng["fresh"].uniform({9});  // forgotten by the restoring
  other.rng.restore(state);
  CHECK(other.rng["latent"].uniform({9}).to_host() == latent);
  CHECK(other.rng["dropout"].uniform({9}).to_host() == dropout);
  CHECK(other.rng["fresh"].uniform({9}).to_host() == fresh);
  CHECK_THROWS_AS(other.rng.restore({}), Error);
  Context another(machine, 43);
  CHECK_THROWS_WITH(another.rng.restore(state), ContainsSubstring("42") && ContainsSubstring("43"));
}

// 100,000 draws: a mean is off by a deviation / 316.
TEST_CASE_METHOD(Fixture, "draws have the distribution that was asked for") {
  auto mean_of = [](const std::vector<double>& values) {
    double sum = 0;
    for (const double value : values) sum += value;
    return sum / static_cast<double>(values.size());
  };
  const std::vector<double> uniform = values_of(context.rng["a"].uniform({100000}, -1, 3));
  CHECK(mean_of(uniform) == Approx(1).margin(0.02));
  CHECK((*std::min_element(uniform.begin(), uniform.end()) >= -1 &&
         *std::max_element(uniform.begin(), uniform.end()) < 3));
  std::vector<double> normal = values_of(context.rng["b"].normal({100000}, 2, 0.5));
  CHECK(mean_of(normal) == Approx(2).margin(0.01));
  for (double& value : normal) value = (value - 2) * (value - 2);
  CHECK(mean_of(normal) == Approx(0.25).margin(0.006));
  const std::vector<double> cut = values_of(context.rng["c"].truncated_normal({20000}, 1, 3));
  CHECK((*std::min_element(cut.begin(), cut.end()) >= -5 && *std::max_element(cut.begin(), cut.end()) <= 7));
  // A share of 0.6827 / 0.9545 of a normal cut at 2 lies within 1.
  const auto within = std::count_if(cut.begin(), cut.end(), [](double v) { return std::abs(v - 1) < 3; });
  CHECK(static_cast<double>(within) / 20000 == Approx(0.6827 / 0.9545).margin(0.015));
  std::vector<int> counts(7);
  for (const int32_t i : context.rng["d"].integers(70000, 7).to_host()) ++counts.at(i);
  for (const int count : counts) CHECK(count == Approx(10000).margin(500));
  CHECK_THROWS_AS(context.rng["d"].integers(1, 0), Error);
  CHECK_THROWS_WITH(context.rng["d"].uniform({1}, 1, 0), ContainsSubstring("low <= high"));
  CHECK_THROWS_WITH(context.rng["d"].normal({1}, 0, -1), ContainsSubstring("deviation"));
}

}  // namespace
}  // namespace tobogan
