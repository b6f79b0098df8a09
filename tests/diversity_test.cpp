// Species, and what "Div." makes of them.
#include "experiments/metrics/diversity.h"

#include "datasets/synthetic.h"
#include "tests/support/catch.h"
#include "tests/support/hostile.h"

namespace tobogan::metrics {
namespace {

using Catch::Matchers::ContainsSubstring;
using Species = std::vector<int32_t>;

TEST_CASE("the Gini-Simpson index by hand") {
  CHECK(gini_simpson(std::vector<int64_t>{1, 1, 1, 1}) == 0.75);
  CHECK(gini_simpson(std::vector<int64_t>{3, 1}) == Approx(1 - 10 / 16.0));
  CHECK(gini_simpson(std::vector<int64_t>{5, 0}) == 0);
  CHECK(gini_simpson(std::vector<int64_t>{}) == 0);
  CHECK_THAT(refusal([] { gini_simpson(std::vector<int64_t>{-1}); }), ContainsSubstring("-1"));
}

TEST_CASE("who leads decides who follows") {
  // 0 - 1 - 2 - 3: a chain in which only neighbours are alike.
  Eigen::MatrixXf chain = Eigen::MatrixXf::Identity(4, 4);
  for (int i = 0; i + 1 < 4; ++i) chain(i, i + 1) = chain(i + 1, i) = 0.8f;
  CHECK(leader_clusters(chain, Species{0, 1, 2, 3}, 0.7f) == Species{0, 0, 1, 1});
  CHECK(leader_clusters(chain, Species{1, 0, 2, 3}, 0.7f) == Species{0, 0, 0, 1});
  CHECK(leader_clusters(chain, Species{3, 1, 0, 2}, 0.7f) == Species{1, 1, 0, 0});
  CHECK(leader_clusters(chain, Species{0, 1, 2, 3}, 0.8f) == Species{0, 1, 2, 3});  // above, not at
  CHECK(leader_clusters(Eigen::MatrixXf(0, 0), Species{}, 0.7f).empty());
  CHECK_THAT(refusal([&] { leader_clusters(chain, Species{0, 1}, 0.7f); }), ContainsSubstring("got 2"));
}

TEST_CASE("Div.: classes of equal images have one species, an empty class none, and numbers are used as asked") {
  const ImageSet glyphs = synthetic_glyphs({.train = 100, .test = 0}).train;
  GreyImages images = grey_images(glyphs);
  Species labels(100);
  for (int i = 0; i < 100; ++i) labels[i] = i % 2;
  // Class 0: copies of one image; class 1: glyphs; class 2: nothing.
  const std::span<const float> first = images.image(0);
  for (int i = 0; i < 100; i += 2) std::copy(first.begin(), first.end(), images.values.begin() + 784 * i);
  int64_t calls = 0;
  const Diversity found =
      diversity(images, labels, 3, {.per_class = 40, .orders = 3, .threads = 2}, [&](auto...) { ++calls; });
  CHECK(calls == 3);
  CHECK(found.images == std::vector<int>{40, 40, 0});
  CHECK(found.by_class[0] == 0);
  CHECK(found.by_class[1] > 0.3);
  CHECK(found.by_class[2] == 0);
  CHECK(found.within == Approx(found.by_class[1] / 3));
  CHECK(found.species > 2);
  CHECK(found.between > 0);
  CHECK(found.between < 0.5);
  CHECK(diversity(images, labels, 3, {.per_class = 40, .orders = 3, .threads = 1}).within == found.within);
  // All alike: one species each.  None alike: as many as images.
  const Diversity one = diversity(images, labels, 2, {.threshold = 0, .per_class = 40});
  CHECK(one.species == Approx(1));
  CHECK(one.within == 0);
  CHECK(one.between == Approx(0.5));
  CHECK(diversity(images, labels, 2, {.threshold = 2, .per_class = 40}).within == Approx(1 - 1 / 40.0));
}

TEST_CASE("Div. refuses labels that do not fit") {
  const GreyImages images{.count = 2, .height = 1, .width = 1, .values = {1, 2}};
  CHECK_THAT(refusal([&] { diversity(images, Species{0}, 1); }), ContainsSubstring("got 1 labels"));
  CHECK_THAT(refusal([&] { diversity(images, Species{0, 2}, 2); }), ContainsSubstring("label 2"));
  CHECK_THAT(refusal([&] { diversity(images, Species{0, 1}, 2, {.orders = 0}); }), ContainsSubstring("got 0"));
}

}  // namespace
}  // namespace tobogan::metrics
