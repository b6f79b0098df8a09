// The kernel distance against scikit-learn's polynomial kernel.
#include "experiments/metrics/kid.h"

#include "tests/support/catch.h"
#include "tests/support/hostile.h"
#include "tests/support/metrics_golden.h"

namespace tobogan::metrics {
namespace {

using Catch::Matchers::ContainsSubstring;

TEST_CASE("the unbiased estimate is scikit-learn's, and so are subsets that are everything") {
  const nlohmann::json wanted = golden("features");
  const Features a = matrix_of(wanted["a"]), b = matrix_of(wanted["b"]);
  const double mmd = wanted["mmd"].get<double>();
  CHECK(squared_mmd(a, b) == Approx(mmd).epsilon(1e-10));
  const MeanDeviation whole = kernel_inception_distance(a, b, {.subsets = 3});
  CHECK(whole.mean == Approx(mmd).epsilon(1e-10));
  CHECK(whole.deviation < 1e-10);
  const MeanDeviation parts = kernel_inception_distance(a, b, {.subsets = 400, .subset_size = 30, .threads = 2});
  CHECK(parts.mean == Approx(mmd).margin(4 * parts.deviation / 20));
  CHECK(parts.deviation > 0.01);
  CHECK(kernel_inception_distance(a, b, {.subsets = 400, .subset_size = 30, .threads = 1}).mean == parts.mean);
}

TEST_CASE("samples of one distribution are at distance 0 on average, and may be below") {
  const Features x = Features::Random(2000, 4);
  const MeanDeviation same = kernel_inception_distance(x.topRows(1000), x.bottomRows(1000), {.subset_size = 50});
  CHECK(std::abs(same.mean) < 0.3 * same.deviation);
}

TEST_CASE("KID refuses features that do not fit") {
  const Features x = Features::Random(10, 3);
  CHECK_THAT(refusal([&] { squared_mmd(x, Features::Random(10, 4)); }), ContainsSubstring("got 3 and 4"));
  CHECK_THAT(refusal([&] { squared_mmd(x.topRows(1), x); }), ContainsSubstring("at least 2 samples"));
  CHECK_THAT(refusal([&] { kernel_inception_distance(x, x, {.subset_size = 1}); }), ContainsSubstring("of 1"));
}

}  // namespace
}  // namespace tobogan::metrics
