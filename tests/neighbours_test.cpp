// Precision, recall, density and coverage against scikit-learn's nearest neighbours.
#include "experiments/metrics/neighbours.h"

#include "tests/support/catch.h"
#include "tests/support/hostile.h"
#include "tests/support/metrics_golden.h"

namespace tobogan::metrics {
namespace {

using Catch::Matchers::ContainsSubstring;

TEST_CASE("precision, recall, density and coverage are those of scikit-learn's neighbours") {
  const nlohmann::json wanted = golden("features");
  const Features a = matrix_of(wanted["a"]), b = matrix_of(wanted["b"]);
  int64_t last = 0;
  const NeighbourScores scores = neighbour_scores(a, b, {.threads = 2}, [&](int64_t done, int64_t total) {
    CHECK(done > last);
    CHECK(total == 60 + 70 + 60);
    last = done;
  });
  CHECK(last == 190);
  CHECK(scores.precision == Approx(wanted["precision"].get<double>()).epsilon(1e-12));
  CHECK(scores.recall == Approx(wanted["recall"].get<double>()).epsilon(1e-12));
  CHECK(scores.density == Approx(wanted["density"].get<double>()).epsilon(1e-12));
  CHECK(scores.coverage == Approx(wanted["coverage"].get<double>()).epsilon(1e-12));
}

TEST_CASE("fakes far away share nothing, collapsed fakes are precise and recall nothing") {
  const Features real = Features::Random(500, 3);  // several blocks
  const NeighbourScores far = neighbour_scores(real, real.array() + 100, {.threads = 2});
  CHECK(far.precision == 0);
  CHECK(far.recall == 0);
  CHECK(far.density == 0);
  CHECK(far.coverage == 0);
  Features collapsed = 1e-4 * Features::Random(300, 3);
  collapsed.rowwise() += real.row(7);
  const NeighbourScores one = neighbour_scores(real, collapsed);
  CHECK(one.precision == 1);
  CHECK(one.recall < 0.01);
  CHECK(one.coverage < 0.05);
}

TEST_CASE("neighbours refuse features that do not fit") {
  const Features x = Features::Random(10, 3);
  CHECK_THAT(refusal([&] { neighbour_scores(x, x.topRows(5)); }), ContainsSubstring("at least 6 samples"));
  CHECK_THAT(refusal([&] { neighbour_scores(x, Features::Random(10, 4)); }), ContainsSubstring("got 3 and 4"));
  CHECK_THAT(refusal([&] { neighbour_scores(x, x, {.neighbours = 0}); }), ContainsSubstring("got 0"));
}

}  // namespace
}  // namespace tobogan::metrics
