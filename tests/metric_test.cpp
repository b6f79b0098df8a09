// What every metric is printed with.
#include "experiments/metrics/metric.h"

#include <cmath>

#include "engine/context.h"
#include "tests/support/catch.h"
#include "tests/support/hostile.h"

namespace tobogan::metrics {
namespace {

using Catch::Matchers::ContainsSubstring;

TEST_CASE("a number says where it comes from, and an expensive one what it costs") {
  CHECK(
      Provenance{.extractor = "fid_h", .samples = 10000, .reference = "MNIST test", .reference_samples = 9999}.text() ==
      "fid_h, 10000 images against 9999 of MNIST test, not resized");
  CHECK(Provenance{.extractor = "is_inception", .samples = 5, .resize = "299 x 299"}.text() ==
        "is_inception, 5 images, resized to 299 x 299");
  CHECK(cost_text(1.2e11) == "1.2e+11 multiply-adds, about 12 s on one core");
  CHECK(cost_text(5.4e13) == "5.4e+13 multiply-adds, about 90 min on one core");
  CHECK(mean_deviation(std::vector<double>{1, 3}).deviation == 1);
  CHECK_THAT(refusal([] { thread_count(-1); }), ContainsSubstring("-1"));
}

TEST_CASE("features are a matrix of finite numbers") {
  Machine machine({.threads = 1});
  const std::vector<Real> values = {1, 2, 3, 4, 5, 6};
  const Features x = features_of(Tensor::from_host({2, 3}, values, machine.device()));
  CHECK(x(0, 2) == 3);
  CHECK(x(1, 0) == 4);
  CHECK_THAT(refusal([&] { features_of(Tensor::zeros({1, 2, 3}, machine.device())); }), ContainsSubstring("{1, 2, 3}"));
  CHECK_THAT(refusal([&] { check_features("FID", x, 3); }),
             ContainsSubstring("FID") && ContainsSubstring("got 2 samples"));
  CHECK_THAT(refusal([&] { check_features("FID", x * NAN, 1); }), ContainsSubstring("not finite"));
}

}  // namespace
}  // namespace tobogan::metrics
