// The inception score against SciPy's entropy, and at its two ends.
#include "experiments/metrics/inception_score.h"

#include <cmath>

#include "tests/support/catch.h"
#include "tests/support/hostile.h"
#include "tests/support/metrics_golden.h"

namespace tobogan::metrics {
namespace {

using Catch::Matchers::ContainsSubstring;

TEST_CASE("one split: SciPy's number") {
  const nlohmann::json wanted = golden("features");
  const MeanDeviation score = inception_score(matrix_of(wanted["probabilities"]), {.splits = 1});
  CHECK(score.mean == Approx(wanted["inception_score"].get<double>()).epsilon(1e-12));
  CHECK(score.deviation == 0);
}

TEST_CASE("1 for a classifier that knows nothing, the number of classes for one that knows all") {
  CHECK(inception_score(Features::Constant(100, 10, 0.1)).mean == Approx(1));
  Features certain = Features::Zero(1000, 10);
  for (int i = 0; i < 1000; ++i) certain(i, i % 10) = 1;
  CHECK(inception_score(certain, {.splits = 1}).mean == Approx(10));
  // Splits see an unbalanced part each, and not in the order of the rows.
  const MeanDeviation split = inception_score(certain, {.splits = 10, .seed = 1});
  CHECK(split.mean < 9.99);
  CHECK(split.mean > 9);
  CHECK(split.deviation > 0);
  CHECK(inception_score(certain, {.splits = 10, .seed = 1}).mean == split.mean);
  CHECK(inception_score(certain, {.splits = 10, .seed = 2}).mean != split.mean);
}

TEST_CASE("softmax does not overflow") {
  Features logits(2, 2);
  logits << 1000, 1000, 0, std::log(3);
  const Features p = softmax_rows(logits);
  CHECK(p(0, 0) == 0.5);
  CHECK(p(1, 1) == Approx(0.75));
}

TEST_CASE("the inception score refuses rows that are no distributions") {
  CHECK_THAT(refusal([] { inception_score(Features::Constant(20, 10, 0.2)); }), ContainsSubstring("row 0"));
  Features negative(1, 2);
  negative << 1.5, -0.5;
  CHECK_THAT(refusal([&] { inception_score(negative, {.splits = 1}); }), ContainsSubstring("not a distribution"));
  CHECK_THAT(refusal([] { inception_score(Features::Constant(9, 10, 0.1)); }),
             ContainsSubstring("at least 10 samples"));
}

}  // namespace
}  // namespace tobogan::metrics
