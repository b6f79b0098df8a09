// Deformed and recoloured images, against their definition on images simple enough to know the answer.
#include "datasets/augment.h"

#include <zlib.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "datasets/random.h"
#include "datasets/synthetic.h"
#include "tests/support/catch.h"
#include "tests/support/hostile.h"

using namespace tobogan;
using Catch::Matchers::ContainsSubstring;

namespace {

constexpr int kSide = 28;
const DeformOptions kStill{.rotation = 0, .shear = 0, .scale = {1, 1}, .shift = 0, .elastic = 0};
const StrengthenOptions kPlain{.rotation = 0, .brightness = {1, 1}, .contrast = {1, 1}, .saturation = {1, 1}};

// Brightness a plane over the image, which bilinear interpolation reproduces exactly: 20 + 3 x + 4 y.
ImageSet slopes(int count) {
  ImageSet set{.count = count,
               .channels = 1,
               .height = kSide,
               .width = kSide,
               .labels = std::vector<int32_t>(count),
               .class_names = {"slope"},
               .source = "slopes"};
  for (int i = 0; i < count * kSide * kSide; ++i) {
    set.pixels.push_back(20 + 3 * (i % kSide) + 4 * (i / kSide % kSide));
  }
  return set;
}

ImageSet one_colour(int count, std::array<uint8_t, 3> colour) {
  ImageSet set{.count = count,
               .channels = 3,
               .height = 2,
               .width = 2,
               .labels = std::vector<int32_t>(count),
               .class_names = {"colour"},
               .source = "colour"};
  for (int i = 0; i < count; ++i) {
    for (const uint8_t value : colour) set.pixels.insert(set.pixels.end(), 4, value);
  }
  return set;
}

// The largest error against value(x, y, draws of image i) in the middle of the images, where nothing comes from
// outside.
template <class Value>
double worst_error(const ImageSet& images, Value value) {
  double worst = 0;
  for (int i = 0; i < images.count; ++i) {
    Draws draws(9, "deform", i);
    const double rotation = draws.uniform(-1, 1), shear = draws.uniform(-1, 1), scale = draws.uniform(0, 1);
    const double shift_x = draws.uniform(-1, 1), shift_y = draws.uniform(-1, 1);
    for (int y = 9; y < kSide - 9; ++y) {
      for (int x = 9; x < kSide - 9; ++x) {
        const auto [from_x, from_y] = value(x - 13.5, y - 13.5, rotation, shear, scale, shift_x, shift_y);
        const double expected = 20 + 3 * (from_x + 13.5) + 4 * (from_y + 13.5);
        worst = std::max(worst, std::abs(images.image(i)[y * kSide + x] - expected));
      }
    }
  }
  return worst;
}

uLong checksum(const ImageSet& set) {
  return crc32(crc32(0, nullptr, 0), set.pixels.data(), static_cast<uInt>(set.pixels.size()));
}

}  // namespace

TEST_CASE("no deformation is no change") {
  const ImageSet glyphs = synthetic_glyphs({.train = 20, .test = 0}).train;
  CHECK(deform(glyphs, kStill, 1).pixels == glyphs.pixels);
  const ImageSet shapes = synthetic_shapes({.train = 20, .test = 0}).train;
  CHECK(deform(shapes, kStill, 1).pixels == shapes.pixels);
  CHECK(strengthen(shapes, kPlain, 1).pixels == shapes.pixels);
  CHECK(deform(shapes, {}, 1).labels == shapes.labels);
}

TEST_CASE("each amount moves pixels as geometry says") {
  const ImageSet set = slopes(30);
  constexpr double kHalf = 0.5 + 1e-9;  // of a grey value: rounding
  const auto with = [&](auto change) {
    DeformOptions options = kStill;
    change(options);
    return deform(set, options, 9);
  };
  CHECK(worst_error(with([](auto& o) { o.shift = 2; }),
                    [](double x, double y, double, double, double, double sx, double sy) {
                      return std::pair{x - 2 * sx, y - 2 * sy};
                    }) < kHalf);
  CHECK(worst_error(with([](auto& o) {
                      o.scale = {0.5, 2};
                    }),
                    [](double x, double y, double, double, double s, double, double) {
                      return std::pair{x / (0.5 + 1.5 * s), y / (0.5 + 1.5 * s)};
                    }) < kHalf);
  CHECK(worst_error(with([](auto& o) { o.shear = 0.15; }),
                    [](double x, double y, double, double k, double, double, double) {
                      return std::pair{x - 0.15 * k * y, y};
                    }) < kHalf);
  CHECK(worst_error(with([](auto& o) { o.rotation = 90; }),
                    [](double x, double y, double r, double, double, double, double) {
                      const double a = r * std::acos(-1.0) / 2;
                      return std::pair{std::cos(a) * x + std::sin(a) * y, std::cos(a) * y - std::sin(a) * x};
                    }) < kHalf);
}

TEST_CASE("what comes from outside is black") {
  const ImageSet white = [] {
    ImageSet set = slopes(50);
    std::ranges::fill(set.pixels, 255);
    return set;
  }();
  DeformOptions options = kStill;
  options.shift = 40;
  const ImageSet moved = deform(white, options, 9);
  int black_images = 0;
  for (int i = 0; i < moved.count; ++i) {
    Draws draws(9, "deform", i);
    for (int skipped = 0; skipped < 3; ++skipped) draws.bits();
    const double x = draws.uniform(-40, 40), y = draws.uniform(-40, 40);
    const bool gone = std::abs(x) >= kSide || std::abs(y) >= kSide;
    black_images += gone;
    CHECK((std::ranges::max(moved.image(i)) == 0) == gone);
  }
  CHECK((black_images > 5 && black_images < 50));
}

TEST_CASE("the elastic field has the strength of blurred uniform noise, and is smooth") {
  DeformOptions options = kStill;
  options.elastic = 8;
  const ImageSet set = slopes(200), bent = deform(set, options, 3);
  double squares = 0, steps = 0;
  int count = 0;
  for (int i = 0; i < set.count; ++i) {
    for (int y = 10; y < 18; ++y) {
      for (int x = 10; x < 18; ++x, ++count) {
        const int at = y * kSide + x;
        const double here = bent.image(i)[at] - set.image(i)[at], next = bent.image(i)[at + 1] - set.image(i)[at + 1];
        squares += here * here;
        steps += (next - here) * (next - here);
      }
    }
  }
  // Noise of standard deviation 8/sqrt(3), each direction blurred by sigma 3: times 1/(2 sqrt(pi) 3); two independent
  // fields on slopes 3 and 4: times 5.  Neighbours correlate by exp(-1/(4*9)); rounding adds 1/12 and 1/6.
  const double variance = std::pow(5 * 8 / std::sqrt(3.0) / (2 * std::sqrt(std::acos(-1.0)) * 3), 2);
  CHECK(squares / count == Approx(variance + 1 / 12.).epsilon(0.12));
  CHECK(steps / count == Approx(2 * variance * (1 - std::exp(-1 / 36.)) + 1 / 6.).epsilon(0.12));
}

TEST_CASE("colours change by torchvision's formulas") {
  const ImageSet set = one_colour(1, {200, 100, 50});  // grey 124.18
  const auto with = [&](auto change) {
    StrengthenOptions options = kPlain;
    change(options);
    const ImageSet out = strengthen(set, options, 1);
    return std::array<int, 3>{out.pixels[0], out.pixels[5], out.pixels[10]};
  };
  CHECK(with([](auto& o) { o.brightness = {0.5, 0.5}; }) == std::array{100, 50, 25});
  CHECK(with([](auto& o) { o.brightness = {2, 2}; }) == std::array{255, 200, 100});
  CHECK(with([](auto& o) { o.contrast = {0.5, 0.5}; }) == std::array{162, 112, 87});
  CHECK(with([](auto& o) { o.saturation = {0, 0}; }) == std::array{124, 124, 124});
  CHECK(with([](auto& o) { o.saturation = {2, 2}; }) == std::array{255, 76, 0});
}

TEST_CASE("the order of the colour changes is drawn for each image") {
  const ImageSet set = one_colour(60, {200, 100, 50});
  StrengthenOptions options = kPlain;
  options.brightness = {2, 2};
  options.saturation = {0, 0};
  const ImageSet out = strengthen(set, options, 1);
  std::multiset<int> seen;
  for (int i = 0; i < out.count; ++i) seen.insert(out.image(i)[0]);
  CHECK(seen.size() == seen.count(248) + seen.count(205));  // grey then doubled, or doubled, cut at 255, then grey
  CHECK((seen.count(248) > 15 && seen.count(205) > 15));
}

TEST_CASE("grey sets are strengthened too, other channel counts are refused") {
  const ImageSet glyphs = synthetic_glyphs({.train = 3, .test = 0}).train;
  CHECK(strengthen(glyphs, {}, 1).pixels != glyphs.pixels);
  ImageSet two = one_colour(1, {1, 2, 3});
  two.channels = 2;
  CHECK_THAT(refusal([&] { strengthen(two, {}, 1); }), ContainsSubstring("got 2 channels"));
  CHECK_THAT(refusal([&] { deform(glyphs, {.scale = {0, 1}}, 1); }), ContainsSubstring("positive range of scales"));
}

TEST_CASE("image i depends on seed and i alone, and has the bytes it had on the first machine") {
  const ImageSet glyphs = synthetic_glyphs({.train = 100, .test = 0}).train;
  const ImageSet whole = deform(glyphs, {}, 4);
  std::vector<int32_t> first_ten(10);
  for (int i = 0; i < 10; ++i) first_ten[i] = i;
  CHECK(deform(subset(glyphs, first_ten), {}, 4).pixels == subset(whole, first_ten).pixels);
  CHECK(deform(glyphs, {}, 5).pixels != whole.pixels);
  const ImageSet shapes = synthetic_shapes({.train = 100, .test = 0}).train;
  CHECK(strengthen(shapes, {}, 4).pixels != strengthen(shapes, {}, 5).pixels);
  CHECK(checksum(whole) == 0xdd38a98au);
  CHECK(checksum(strengthen(shapes, {}, 4)) == 0x14280513u);
}
