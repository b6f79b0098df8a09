// Synthetic sets: the same bytes everywhere, every class in equal number, and neither trivial nor hopeless to tell
// apart.
#include "datasets/synthetic.h"

#include <zlib.h>

#include <algorithm>
#include <limits>
#include <set>
#include <string>

#include "datasets/load.h"
#include "tests/support/catch.h"
#include "tests/support/hostile.h"
#include "tests/support/temp_folder.h"

using namespace tobogan;
using Catch::Matchers::ContainsSubstring;

namespace {

uLong checksum(const ImageSet& set) {
  return crc32(crc32(0, nullptr, 0), set.pixels.data(), static_cast<uInt>(set.pixels.size()));
}

// The share of test images whose nearest training image (Euclidean, on the sum of the channels) has another class.
double nearest_neighbour_error(const Dataset& data) {
  const size_t plane = data.train.image_bytes() / data.train.channels;
  const auto grey = [&](const ImageSet& set, int image) {
    std::vector<int> sums(plane);
    for (size_t i = 0; i < set.image_bytes(); ++i) sums[i % plane] += set.image(image)[i];
    return sums;
  };
  std::vector<std::vector<int>> train;
  for (int i = 0; i < data.train.count; ++i) train.push_back(grey(data.train, i));
  int wrong = 0;
  for (int i = 0; i < data.test.count; ++i) {
    const std::vector<int> asked = grey(data.test, i);
    int64_t least = std::numeric_limits<int64_t>::max();
    int label = -1;
    for (int k = 0; k < data.train.count; ++k) {
      int64_t sum = 0;
      for (size_t p = 0; p < plane; ++p) sum += int64_t{asked[p] - train[k][p]} * (asked[p] - train[k][p]);
      if (sum < least) label = data.train.labels[k];
      least = std::min(least, sum);
    }
    wrong += label != data.test.labels[i];
  }
  return double(wrong) / data.test.count;
}

using Maker = Dataset (*)(SyntheticOptions);
const std::vector<std::pair<std::string, Maker>> kMakers = {{"glyphs", synthetic_glyphs}, {"shapes", synthetic_shapes}};

}  // namespace

TEST_CASE("synthetic sets have the bytes they had on the first machine") {
  const Dataset glyphs = synthetic_glyphs({.train = 200, .test = 100, .seed = 1});
  CHECK(checksum(glyphs.train) == 0xda4b4855u);
  CHECK(checksum(glyphs.test) == 0xe403cec0u);
  const Dataset shapes = synthetic_shapes({.train = 200, .test = 100, .seed = 1});
  CHECK(checksum(shapes.train) == 0xc34636d2u);
  CHECK(checksum(shapes.test) == 0x36c45040u);
}

TEST_CASE("a longer set begins with the shorter one, another seed or part shares nothing with it") {
  for (const auto& [name, make] : kMakers) {
    INFO(name);
    const Dataset small = make({.train = 37, .test = 37, .seed = 5}), large = make({.train = 64, .test = 1, .seed = 5});
    CHECK(std::equal(small.train.pixels.begin(), small.train.pixels.end(), large.train.pixels.begin()));
    CHECK(std::equal(small.train.labels.begin(), small.train.labels.end(), large.train.labels.begin()));
    CHECK(small.train.pixels != small.test.pixels);
    CHECK(make({.train = 37, .test = 0, .seed = 6}).train.pixels != small.train.pixels);
    std::set<std::string> different;
    for (int i = 0; i < 64; ++i) different.emplace(large.train.image(i).begin(), large.train.image(i).end());
    CHECK(different.size() == 64);
  }
}

TEST_CASE("of ten images in a row each class has one, in changing order") {
  for (const auto& [name, make] : kMakers) {
    INFO(name);
    const ImageSet set = make({.train = 200, .test = 0, .seed = 1}).train;
    check_consistent(set);
    CHECK(set.source == "synthetic " + name);
    for (int label = 0; label < 10; ++label) CHECK(of_class(set, label).size() == 20);
    std::set<std::vector<int32_t>> orders;
    for (int i = 0; i < 200; i += 10) orders.insert({set.labels.begin() + i, set.labels.begin() + i + 10});
    CHECK(orders.size() == 20);
  }
}

TEST_CASE("glyphs are ink on black, shapes have colour") {
  const ImageSet glyphs = synthetic_glyphs({.train = 500, .test = 0, .seed = 2}).train;
  double sum = 0;
  for (const uint8_t pixel : glyphs.pixels) sum += pixel;
  CHECK(sum / glyphs.pixels.size() / 255 == Approx(0.13).margin(0.03));  // MNIST: 0.1307
  const auto black = std::ranges::count(glyphs.pixels, 0);
  CHECK(black > static_cast<int64_t>(glyphs.pixels.size() * 3 / 4));
  for (int i = 0; i < glyphs.count; ++i) CHECK(std::ranges::max(glyphs.image(i)) > 120);

  const ImageSet shapes = synthetic_shapes({.train = 50, .test = 0, .seed = 2}).train;
  for (int i = 0; i < shapes.count; ++i) {
    const auto image = shapes.image(i);
    CHECK(!std::equal(image.begin(), image.begin() + 1024, image.begin() + 1024));
    CHECK(std::ranges::max(image) - std::ranges::min(image) > 80);
  }
}

TEST_CASE("500 images teach a nearest-neighbour classifier something, not everything") {
  const double glyphs = nearest_neighbour_error(synthetic_glyphs({.train = 500, .test = 300, .seed = 3}));
  const double shapes = nearest_neighbour_error(synthetic_shapes({.train = 500, .test = 300, .seed = 3}));
  CAPTURE(glyphs, shapes);
  CHECK((glyphs > 0.05 && glyphs < 0.40));
  CHECK((shapes > 0.05 && shapes < 0.75));  // colour and pose mislead it; chance is 0.9
}

TEST_CASE("load_dataset knows its names and says how to get what is missing") {
  const TempFolder folder;
  CHECK_THAT(refusal([&] { load_dataset(folder.path(), "mnits", 1); }),
             ContainsSubstring("\"mnits\"") && ContainsSubstring("fashion-mnist"));
  for (const std::string name : {"mnist", "fashion-mnist", "cifar-10", "cifar-100"}) {
    CHECK_THAT(refusal([&] { load_dataset(folder.path(), name, 1); }),
               ContainsSubstring((folder.path() / name).native()) && ContainsSubstring("datasets/fetch --to") &&
                   ContainsSubstring(name));
    std::filesystem::create_directory(folder.path() / name);
    CHECK_THAT(refusal([&] { load_dataset(folder.path(), name, 1); }), ContainsSubstring("there is no file"));
  }
}

TEST_CASE("load_dataset gives synthetic sets the sizes of what they stand in for") {
  const Dataset glyphs = load_dataset("", "glyphs", 1);
  CHECK((glyphs.train.count == 60000 && glyphs.test.count == 10000 && glyphs.train.height == 28));
  CHECK(std::ranges::equal(glyphs.train.image(0), synthetic_glyphs({.train = 1, .test = 0}).train.image(0)));
}
