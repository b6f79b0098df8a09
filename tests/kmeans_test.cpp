// k-means against scikit-learn from the same start, and what must hold for any start.
#include "experiments/metrics/kmeans.h"

#include "datasets/idx.h"
#include "experiments/metrics/agreement.h"
#include "tests/support/catch.h"
#include "tests/support/data.h"
#include "tests/support/hostile.h"
#include "tests/support/metrics_golden.h"

namespace tobogan::metrics {
namespace {

using Catch::Matchers::ContainsSubstring;

TEST_CASE("from the same centres, scikit-learn's clusters") {
  const nlohmann::json wanted = golden("kmeans");
  const KMeans found = kmeans_from(matrix_of(wanted["x"]), matrix_of(wanted["start"]), {.clusters = 4});
  CHECK(found.labels == labels_of(wanted["labels"]));
  CHECK(distance(found.centres, matrix_of(wanted["centres"])) < 1e-10);
  CHECK(found.inertia == Approx(wanted["inertia"].get<double>()).epsilon(1e-10));
}

TEST_CASE("ten starts find what fifty of scikit-learn find") {
  const nlohmann::json wanted = golden("kmeans");
  const Features x = matrix_of(wanted["x"]);
  std::vector<int64_t> told;
  const KMeans found = kmeans(x, {.clusters = 4, .seed = 3}, [&](int64_t done, int64_t total) {
    CHECK(total == 10);
    told.push_back(done);
  });
  CHECK(told == std::vector<int64_t>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10});
  CHECK(found.inertia == Approx(wanted["best_inertia"].get<double>()).epsilon(1e-6));
}

TEST_CASE("the result does not depend on the number of threads, but on the seed") {
  const Features x = Features::Random(1000, 5);
  const KMeansOptions options{.clusters = 7, .starts = 1, .iterations = 5, .seed = 1, .threads = 1};
  KMeansOptions more = options, other = options;
  more.threads = 3;
  other.seed = 2;
  const KMeans one = kmeans(x, options), many = kmeans(x, more);
  CHECK(one.labels == many.labels);
  CHECK((one.centres == many.centres));
  CHECK(one.inertia == many.inertia);
  CHECK(kmeans(x, other).inertia != one.inertia);
}

TEST_CASE("separate heaps are found, and as many clusters as samples leave nothing over") {
  Features x(30, 2);
  std::vector<int32_t> heap;
  for (int i = 0; i < 30; ++i) {
    heap.push_back(i % 3);
    x.row(i) << 100 * (i % 3) + 0.1 * (i / 3), 0.05 * i;
  }
  const KMeans found = kmeans(x, {.clusters = 3});
  CHECK(adjusted_rand_index(found.labels, heap) == 1);
  CHECK(kmeans(x, {.clusters = 30, .starts = 3}).inertia == Approx(0).margin(1e-12));
}

TEST_CASE("a centre without samples is moved, equal samples are no trouble") {
  Features x(5, 1), far(2, 1);
  x << 0, 1, 2, 3, 50;
  far << 1, 1e6;
  const KMeans found = kmeans_from(x, far, {.clusters = 2});
  CHECK(found.labels == std::vector<int32_t>{0, 0, 0, 0, 1});
  CHECK(found.inertia == Approx(5));
  const KMeans equal = kmeans(Features::Ones(6, 2), {.clusters = 3});
  CHECK(equal.inertia == 0);
  CHECK((equal.centres == Features::Ones(3, 2)));
  CHECK(equal.iterations == 1);
}

TEST_CASE("k-means refuses too few samples and numbers that are none") {
  CHECK_THAT(refusal([] { kmeans(Features::Random(3, 2), {.clusters = 4}); }), ContainsSubstring("at least 4 samples"));
  CHECK_THAT(refusal([] { kmeans(Features::Constant(20, 2, NAN), {}); }), ContainsSubstring("finite"));
  CHECK_THAT(refusal([] { kmeans_from(Features::Random(9, 2), Features::Random(3, 3), {.clusters = 3}); }),
             ContainsSubstring("got 3 of 3"));
}

TEST_CASE("pixels of MNIST cluster as well as has been measured", "[data][mnist]") {
  const auto folder = data_set("mnist");
  if (!folder) return;
  const ImageSet test = load_mnist(*folder).test;
  Features pixels(2000, 784);
  for (int64_t i = 0; i < pixels.size(); ++i) pixels.data()[i] = test.pixels[i] / 255.0;
  const KMeans found = kmeans(pixels, {.clusters = 10, .starts = 3});
  const auto truth = std::span(test.labels).first(2000);
  CHECK(normalized_mutual_information(truth, found.labels) == Approx(0.50).margin(0.05));
  CHECK(adjusted_rand_index(truth, found.labels) == Approx(0.39).margin(0.06));
}

}  // namespace
}  // namespace tobogan::metrics
