// Picking from sets: what is drawn must not depend on machine, library or year.
#include "datasets/dataset.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "datasets/random.h"
#include "tests/support/catch.h"
#include "tests/support/hostile.h"

using namespace tobogan;
using Catch::Matchers::ContainsSubstring;

namespace {

// Image i is filled with the byte i and has class i % 3.
ImageSet numbered(int count) {
  ImageSet set{
      .count = count, .channels = 2, .height = 2, .width = 3, .class_names = {"a", "b", "c"}, .source = "numbered"};
  for (int i = 0; i < count; ++i) {
    set.pixels.insert(set.pixels.end(), 12, static_cast<uint8_t>(i));
    set.labels.push_back(i % 3);
  }
  return set;
}

}  // namespace

TEST_CASE("subset picks in order and may repeat") {
  const ImageSet set = numbered(7);
  const ImageSet picked = subset(set, std::array{5, 0, 5});
  check_consistent(picked);
  CHECK(picked.count == 3);
  CHECK(picked.labels == std::vector<int32_t>{2, 0, 2});
  CHECK(picked.image(0)[0] == 5);
  CHECK(picked.image(1)[11] == 0);
  CHECK(picked.image(2)[11] == 5);
  CHECK(picked.source == "numbered");
  CHECK_THAT(refusal([&] { subset(set, std::array{7}); }), ContainsSubstring("index 7 is outside 0..6"));
  CHECK_THAT(refusal([&] { subset(set, std::array{-1}); }), ContainsSubstring("index -1"));
}

TEST_CASE("of_class finds every image of a class") {
  const ImageSet set = numbered(7);
  CHECK(of_class(set, 0) == std::vector<int32_t>{0, 3, 6});
  CHECK(of_class(set, 2) == std::vector<int32_t>{2, 5});
  CHECK_THAT(refusal([&] { of_class(set, 3); }), ContainsSubstring("no class 3"));
}

TEST_CASE("concatenate keeps both and names both sources") {
  const ImageSet first = numbered(2);
  ImageSet second = numbered(3);
  CHECK(concatenate(first, second).source == "numbered");
  second.source = "fakes";
  const ImageSet both = concatenate(first, second);
  check_consistent(both);
  CHECK(both.count == 5);
  CHECK(both.labels == std::vector<int32_t>{0, 1, 0, 1, 2});
  CHECK(both.image(4)[0] == 2);
  CHECK(both.source == "numbered + fakes");
  second.class_names.pop_back();
  CHECK_THAT(refusal([&] { concatenate(first, second); }), ContainsSubstring("2x2x3 in 2 classes"));
}

TEST_CASE("check_consistent tells what is wrong") {
  ImageSet set = numbered(4);
  CHECK(refusal([&] { check_consistent(set); }).empty());
  set.labels[2] = 3;
  CHECK_THAT(refusal([&] { check_consistent(set); }), ContainsSubstring("label 3 of image 2 is outside 0..2"));
  set.labels.pop_back();
  CHECK_THAT(refusal([&] { check_consistent(set); }), ContainsSubstring("expected 4 labels, got 3"));
  set.pixels.pop_back();
  CHECK_THAT(refusal([&] { check_consistent(set); }), ContainsSubstring("expected 48 bytes"));
}

TEST_CASE("a draw is without repetition, nested, and a function of the seed") {
  const std::vector<int32_t> ten = draw_indices(10, 100, 7), hundred = draw_indices(100, 100, 7);
  CHECK(std::equal(ten.begin(), ten.end(), hundred.begin()));
  std::vector<int32_t> sorted = hundred, all(100);
  std::ranges::sort(sorted);
  std::iota(all.begin(), all.end(), 0);
  CHECK(sorted == all);
  CHECK(hundred != all);
  CHECK(draw_indices(10, 100, 8) != ten);
  CHECK(draw_indices(0, 0, 1).empty());
  CHECK_THAT(refusal([] { draw_indices(11, 10, 1); }), ContainsSubstring("cannot draw 11 of 10"));
}

TEST_CASE("draws are the numbers they were on the first machine") {
  // Computed by a ten-line Python script from the definition of SplitMix64 and FNV-1a.
  Draws draws(42, "test", 3);
  CHECK(draws.bits() == 0x30fa89438257a440u);
  CHECK(draws.bits() == 0xf9526811c23430d0u);
  CHECK(draws.below(1000) == 933);
  CHECK(draw_indices(5, 60000, 1) == std::vector<int32_t>{14332, 52421, 41799, 33453, 23853});
}

TEST_CASE("draws have the distributions they claim") {
  Draws draws(1, "distributions");
  std::array<int, 7> seen = {};
  double sum = 0, squares = 0, below_one = 0;
  constexpr int kCount = 70000;
  for (int i = 0; i < kCount; ++i) {
    ++seen[draws.below(7)];
    const double x = draws.normal();
    sum += x;
    squares += x * x;
    below_one += std::abs(x) < 1;
    const double u = draws.uniform();
    REQUIRE((u >= 0 && u < 1));
  }
  for (const int count : seen) CHECK(std::abs(count - 10000) < 4 * std::sqrt(10000 * 6 / 7.0));
  CHECK(std::abs(sum / kCount) < 4 / std::sqrt(kCount));
  CHECK(squares / kCount == Approx(1).margin(0.02));
  CHECK(below_one / kCount == Approx(0.6827).margin(0.01));  // twelve numbers give 0.675
  CHECK(draws.below(1) == 0);
}

TEST_CASE("a fingerprint tells sets apart by pixels, labels, names and sizes") {
  const Dataset plain{numbered(6), numbered(3)};
  const std::string known = fingerprint(plain);
  CHECK(known.size() == 8);
  CHECK(fingerprint({numbered(6), numbered(3)}) == known);
  Dataset other = plain;
  other.test.pixels.back() ^= 1;
  CHECK(fingerprint(other) != known);
  other = plain;
  other.train.labels[0] = 2;
  CHECK(fingerprint(other) != known);
  other = plain;
  other.train.class_names[1] = "bb";
  CHECK(fingerprint(other) != known);
  other = plain;
  std::swap(other.train.height, other.train.width);
  CHECK(fingerprint(other) != known);
  CHECK(fingerprint({numbered(3), numbered(6)}) != known);
}
