// Biased training sets: what was kept, what was repeated, and that nothing else changed.
#include "datasets/bias.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <string>

#include "datasets/idx.h"
#include "datasets/synthetic.h"
#include "tests/support/catch.h"
#include "tests/support/data.h"
#include "tests/support/hostile.h"

using namespace tobogan;
using Catch::Matchers::ContainsSubstring;

namespace {

// What holds for every bias: sizes, labels, other classes, and the cyclic repetition of what was kept.
void check_bias(const ImageSet& original, const Biased& biased, int label) {
  CHECK(biased.set.labels == original.labels);
  CHECK(biased.set.source == original.source);
  int j = 0, others_changed = 0, wrong_repeats = 0;
  for (int i = 0; i < original.count; ++i) {
    if (original.labels[i] != label) {
      others_changed += !std::ranges::equal(original.image(i), biased.set.image(i));
    } else {
      const int32_t kept = biased.kept[j++ % biased.kept.size()];
      wrong_repeats += !std::ranges::equal(original.image(kept), biased.set.image(i));
    }
  }
  CHECK(others_changed == 0);
  CHECK(wrong_repeats == 0);
  for (const int32_t kept : biased.kept) CHECK(original.labels[kept] == label);
  CHECK(std::set<int32_t>(biased.kept.begin(), biased.kept.end()).size() == biased.kept.size());
}

// Ten images a class of one pixel; in class 5 the values 0..9 in file order.
ImageSet ladder() {
  ImageSet set{.count = 100,
               .channels = 1,
               .height = 1,
               .width = 1,
               .class_names = std::vector<std::string>(10, "x"),
               .source = "ladder"};
  for (int i = 0; i < 100; ++i) {
    set.labels.push_back(i % 10);
    set.pixels.push_back(i % 10 == 5 ? i / 10 : 100 + i % 10);
  }
  return set;
}

double closeness(std::span<const uint8_t> a, std::span<const uint8_t> b) {
  return 1 - 0.1 * std::abs(a[0] - b[0]);
}

}  // namespace

TEST_CASE("size bias keeps so many different images and repeats them in turn") {
  const ImageSet set = synthetic_glyphs({.train = 1000, .test = 0}).train;
  const Biased biased = size_bias(set, {}, 1);
  check_bias(set, biased, 5);
  CHECK(biased.kept.size() == 20);
  CHECK(biased.centre == -1);
  CHECK(size_bias(set, {}, 1).kept == biased.kept);
  CHECK(size_bias(set, {}, 2).kept != biased.kept);
  const Biased three = size_bias(set, {.label = 3, .keep = 1}, 1);
  check_bias(set, three, 3);
  CHECK(three.kept.size() == 1);
  CHECK_THAT(refusal([&] { size_bias(set, {.keep = 101}, 1); }),
             ContainsSubstring("1..100") && ContainsSubstring("101"));
  CHECK_THAT(refusal([&] { size_bias(set, {.keep = 0}, 1); }), ContainsSubstring("got 0"));
  CHECK_THAT(refusal([&] { size_bias(set, {.label = 10}, 1); }), ContainsSubstring("no class 10"));
}

TEST_CASE("content bias keeps the centre and what is closer to it than the threshold") {
  const ImageSet set = ladder();
  // Above 0.75 are values at most 2 away: five images, fewer at the ends of the ladder, where another centre is drawn.
  const ContentBiasOptions options{.threshold = 0.75, .least = 5};
  std::set<int32_t> centres;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const Biased biased = content_bias(set, options, closeness, seed);
    check_bias(set, biased, 5);
    const int32_t c = biased.centre;
    CHECK(biased.kept == std::vector<int32_t>{c - 20, c - 10, c, c + 10, c + 20});
    CHECK(content_bias(set, options, closeness, seed).kept == biased.kept);
    centres.insert(c);
  }
  CHECK(centres.size() > 1);
}

TEST_CASE("content bias falls back on the best centre it has seen") {
  const ImageSet set = ladder();
  int calls = 0;
  const auto counted = [&](auto a, auto b) { return ++calls, closeness(a, b); };
  const Biased all_seen = content_bias(set, {.threshold = 0.75, .least = 8}, counted, 1);
  CHECK(all_seen.kept.size() == 5);
  CHECK(calls == 10 * 9);  // every centre once, never against itself
  calls = 0;
  const Biased one_draw = content_bias(set, {.threshold = 0.75, .least = 8, .draws = 1}, counted, 1);
  CHECK(calls == 9);
  CHECK(one_draw.kept.size() >= 3);
  const Biased alone = content_bias(set, {.threshold = 1, .least = 1}, closeness, 1);
  CHECK(alone.kept == std::vector<int32_t>{alone.centre});
  CHECK_THAT(refusal([&] { content_bias(set, {.draws = 0}, closeness, 1); }), ContainsSubstring("0 draws"));
}

TEST_CASE("the size bias of MNIST has 5,421 fives and 20 different ones", "[data][mnist]") {
  const auto folder = data_set("mnist");
  if (!folder) return;
  const ImageSet mnist = load_mnist(*folder).train;
  const Biased biased = size_bias(mnist, {}, 1);
  check_bias(mnist, biased, 5);
  std::multiset<std::string> fives;
  for (const int32_t i : of_class(biased.set, 5)) fives.emplace(biased.set.image(i).begin(), biased.set.image(i).end());
  CHECK(fives.size() == 5421);
  CHECK(std::set<std::string>(fives.begin(), fives.end()).size() == 20);
}
