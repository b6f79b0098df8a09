// Principal components and every part of t-SNE against scikit-learn, and a picture that must come out.
#include "experiments/metrics/tsne.h"

#include "experiments/metrics/agreement.h"
#include "experiments/metrics/kmeans.h"
#include "tests/support/catch.h"
#include "tests/support/hostile.h"
#include "tests/support/metrics_golden.h"

namespace tobogan::metrics {
namespace {

using Catch::Matchers::ContainsSubstring;

TEST_CASE("components, probabilities, divergence and gradient are scikit-learn's") {
  const nlohmann::json wanted = golden("tsne");
  const Features x = matrix_of(wanted["x"]), points = matrix_of(wanted["points"]);
  CHECK(distance(principal_components(x, 4), matrix_of(wanted["components"])) < 1e-10);
  const Features joint = joint_probabilities(x, 10, 2);
  CHECK(joint.sum() == Approx(1).epsilon(1e-12));
  CHECK((joint == joint.transpose()));
  CHECK(joint.diagonal().isZero());
  // There distances are float and each search stops within 1e-5 on its own side.
  const std::vector<double> first_row = wanted["joint"].get<std::vector<double>>();
  for (int j = 1; j < 60; ++j) CHECK(joint(0, j) == Approx(first_row[j]).margin(2e-9));
  CHECK(tsne_divergence(joint, points) == Approx(wanted["divergence"].get<double>()).epsilon(1e-6));
  const Features gradient = matrix_of(wanted["gradient"]);
  CHECK(distance(tsne_gradient(joint, points, 2), gradient) < 1e-6 * gradient.cwiseAbs().maxCoeff());
}

TEST_CASE("the gradient is the divergence's") {
  const Features x = Features::Random(30, 5), joint = joint_probabilities(x, 5);
  Features points = Features::Random(30, 2);
  const Features gradient = tsne_gradient(joint, points);
  for (const auto& [i, axis] : {std::pair(0, 0), {7, 1}, {29, 0}}) {
    const double h = 1e-6, at = points(i, axis);
    points(i, axis) = at + h;
    const double above = tsne_divergence(joint, points);
    points(i, axis) = at - h;
    const double below = tsne_divergence(joint, points);
    points(i, axis) = at;
    CHECK(gradient(i, axis) == Approx((above - below) / (2 * h)).epsilon(1e-6));
  }
}

// Later steps amplify what the last bits of the probabilities differ in.
TEST_CASE("eight steps go where scikit-learn's go") {
  const nlohmann::json wanted = golden("tsne");
  const Features moved = tsne(matrix_of(wanted["x"]), {.perplexity = 10, .iterations = 8, .exaggerated = 8}).points;
  const Features expected = matrix_of(wanted["after_8"]);
  CHECK(distance(moved, expected) < 1e-5 * expected.cwiseAbs().maxCoeff());
}

TEST_CASE("heaps in many dimensions are heaps in the plane, on any number of threads") {
  Features x = 0.3 * Features::Random(150, 60);
  std::vector<int32_t> heap;
  for (int i = 0; i < 150; ++i) heap.push_back(i % 3), x(i, i % 3) += 3;
  int64_t last = 0;
  const TsneOptions options{.perplexity = 20, .iterations = 400, .threads = 2};
  const Tsne picture = tsne(x, options, [&](int64_t done, int64_t) { last = done; });
  CHECK(last == 400);
  CHECK(adjusted_rand_index(kmeans(picture.points, {.clusters = 3}).labels, heap) == 1);
  CHECK(picture.divergence ==
        Approx(tsne_divergence(joint_probabilities(principal_components(x, 50), 20), picture.points)));
  CHECK(picture.divergence < 1.5);
  TsneOptions alone = options;
  alone.threads = 1;
  CHECK((tsne(x, alone).points == picture.points));
}

TEST_CASE("t-SNE refuses what it cannot draw; its callback can stop it") {
  CHECK_THAT(refusal([] { tsne(Features::Random(30, 5)); }), ContainsSubstring("perplexity"));
  CHECK_THAT(refusal([] { tsne(Features::Ones(50, 5), {.perplexity = 5}); }), ContainsSubstring("the same"));
  CHECK_THAT(refusal([] { tsne(Features::Random(50, 1), {.perplexity = 5}); }), ContainsSubstring("two features"));
  CHECK_THAT(refusal([] { tsne(Features::Constant(50, 4, NAN)); }), ContainsSubstring("finite"));
  CHECK_THAT(refusal([] { principal_components(Features::Random(5, 9), 6); }), ContainsSubstring("1..5"));
  struct Stop {};
  const OnProgress stop = [](int64_t done, int64_t) {
    if (done == 2) throw Stop();
  };
  CHECK_THROWS_AS(tsne(Features::Random(20, 3), {.perplexity = 3}, stop), Stop);
}

}  // namespace
}  // namespace tobogan::metrics
