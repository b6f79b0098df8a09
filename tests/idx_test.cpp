// IDX files: round trips, the published files, and files that lie.
#include "datasets/idx.h"

#include <zlib.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "datasets/files.h"
#include "datasets/random.h"
#include "tests/support/catch.h"
#include "tests/support/data.h"
#include "tests/support/hostile.h"
#include "tests/support/temp_folder.h"

using namespace tobogan;
namespace fs = std::filesystem;
using Catch::Matchers::ContainsSubstring;

namespace {

const std::vector<std::string> kTenNames = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};

ImageSet noise(int count, int height, int width) {
  ImageSet set{
      .count = count, .channels = 1, .height = height, .width = width, .class_names = kTenNames, .source = "noise"};
  Draws draws(1, "noise");
  for (size_t i = 0; i < count * set.image_bytes(); ++i) set.pixels.push_back(draws.below(256));
  for (int i = 0; i < count; ++i) set.labels.push_back(draws.below(10));
  return set;
}

Bytes word(uint32_t value) {
  return {uint8_t(value >> 24), uint8_t(value >> 16), uint8_t(value >> 8), uint8_t(value)};
}

Bytes operator+(Bytes a, const Bytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

Bytes image_file(uint32_t magic, uint32_t count, uint32_t rows, uint32_t columns, size_t pixels) {
  return word(magic) + word(count) + word(rows) + word(columns) + Bytes(pixels, 7);
}

Bytes label_file(uint32_t magic, uint32_t count, const Bytes& labels) {
  return word(magic) + word(count) + labels;
}

// Writes two files and returns the sentence their reading is refused with.
struct Pair {
  TempFolder folder;
  IdxFiles files{.images = folder.path() / "images", .labels = folder.path() / "labels"};

  std::string refused(const Bytes& images, const Bytes& labels) const {
    put(files.images, images);
    put(files.labels, labels);
    return refusal([&] { read_idx(files, kTenNames, "test"); });
  }
};

const Bytes kGoodImages = image_file(2051, 3, 2, 2, 12), kGoodLabels = label_file(2049, 3, {0, 9, 4});

}  // namespace

TEST_CASE("IDX files come back as they were written, plain and compressed") {
  const TempFolder folder;
  const ImageSet set = noise(50, 5, 9);
  for (const std::string ending : {"", ".gz"}) {
    const IdxFiles files{.images = folder.path() / ("i" + ending), .labels = folder.path() / ("l" + ending)};
    write_idx(set, files);
    const ImageSet back = read_idx(files, kTenNames, "again");
    check_consistent(back);
    CHECK((back.count == 50 && back.channels == 1 && back.height == 5 && back.width == 9));
    CHECK(back.pixels == set.pixels);
    CHECK(back.labels == set.labels);
    CHECK(back.source == "again");
  }
  CHECK(get(folder.path() / "i").size() == 16 + 50 * 45);
  CHECK(get(folder.path() / "i.gz")[0] == 0x1f);
}

TEST_CASE("a set that IDX cannot hold is refused before a file is touched") {
  const TempFolder folder;
  const IdxFiles files{.images = folder.path() / "i", .labels = folder.path() / "l"};
  ImageSet colour = noise(1, 3, 3);
  colour.channels = 3;
  colour.pixels.resize(27);
  CHECK_THAT(refusal([&] { write_idx(colour, files); }), ContainsSubstring("grey images, got 3 channels"));
  CHECK_THAT(refusal([&] { write_idx(noise(0, 3, 3), files); }), ContainsSubstring("no images"));
  CHECK(fs::is_empty(folder.path()));
  const IdxFiles nowhere{.images = folder.path() / "no" / "i", .labels = folder.path() / "l"};
  CHECK_THAT(refusal([&] { write_idx(noise(1, 3, 3), nowhere); }), ContainsSubstring((folder.path() / "no").native()));
}

TEST_CASE("wrong headers are refused with what was expected and what came") {
  const Pair pair;
  CHECK(pair.refused(kGoodImages, kGoodLabels) == "");
  CHECK_THAT(pair.refused(image_file(2052, 3, 2, 2, 12), kGoodLabels),
             ContainsSubstring("magic number 2051") && ContainsSubstring("got 2052"));
  CHECK_THAT(pair.refused(kGoodLabels, kGoodImages), ContainsSubstring("got 2049"));  // the two exchanged
  CHECK_THAT(pair.refused(kGoodImages, label_file(2051, 3, {0, 1, 2})), ContainsSubstring("magic number 2049"));
  CHECK_THAT(pair.refused(kGoodImages, label_file(2049, 4, {0, 1, 2, 3})), ContainsSubstring("expected 3 labels"));
  CHECK_THAT(pair.refused(image_file(2051, 0, 2, 2, 0), kGoodLabels), ContainsSubstring("no images"));
  CHECK_THAT(pair.refused(image_file(2051, 3, 0, 2, 0), kGoodLabels), ContainsSubstring("no images"));
  CHECK_THAT(pair.refused(Bytes(), kGoodLabels), ContainsSubstring("the file ends after 0"));
}

TEST_CASE("sizes beyond the limit are refused without the memory they promise") {
  const Pair pair;
  for (const auto& [count, rows, columns] : {std::array<uint32_t, 3>{0xffffffff, 28, 28},
                                             {1, 0xffffffff, 1},
                                             {1, 4097, 1},
                                             {65536, 256, 256},
                                             {0x80000000, 4096, 4096},
                                             {0xffffffff, 0xffffffff, 0xffffffff},
                                             {0x40000000, 2, 2}}) {
    CHECK_THAT(pair.refused(image_file(2051, count, rows, columns, 100), kGoodLabels),
               ContainsSubstring("more than the 1073741824 bytes"));
  }
  // Just inside the limit, and nothing behind the header: refused for what is missing.
  CHECK_THAT(pair.refused(image_file(2051, 1 << 20, 32, 32, 100), kGoodLabels),
             ContainsSubstring("expected 1073741824 bytes of pixels, the file ends after 100"));
}

TEST_CASE("a label without a class is refused") {
  const Pair pair;
  CHECK_THAT(pair.refused(kGoodImages, label_file(2049, 3, {0, 10, 4})),
             ContainsSubstring("label 10 of image 1 is outside 0..9"));
}

TEST_CASE("files cut off anywhere and files with a tail are refused") {
  const Pair pair;
  for (size_t size = 0; size < kGoodImages.size(); ++size) {
    CHECK_THAT(pair.refused(Bytes(kGoodImages.begin(), kGoodImages.begin() + size), kGoodLabels),
               ContainsSubstring("the file ends after"));
  }
  for (size_t size = 0; size < kGoodLabels.size(); ++size) {
    CHECK_THAT(pair.refused(kGoodImages, Bytes(kGoodLabels.begin(), kGoodLabels.begin() + size)),
               ContainsSubstring("the file ends after"));
  }
  CHECK_THAT(pair.refused(kGoodImages + Bytes(1), kGoodLabels), ContainsSubstring("goes on after the last byte"));
  CHECK_THAT(pair.refused(kGoodImages, kGoodLabels + Bytes(1)), ContainsSubstring("goes on after the last byte"));
}

TEST_CASE("damaged gzip streams are refused") {
  const Pair pair;
  const Bytes packed = gzip(kGoodImages);
  CHECK(pair.refused(packed, gzip(kGoodLabels)) == "");
  for (size_t size = 2; size < packed.size(); ++size) {
    INFO("cut off after " << size << " of " << packed.size());
    CHECK_THAT(pair.refused(Bytes(packed.begin(), packed.begin() + size), kGoodLabels), ContainsSubstring("cut off"));
  }
  CHECK_THAT(pair.refused(packed + Bytes{1, 2, 3}, kGoodLabels), ContainsSubstring("follow the end of the gzip"));
  CHECK_THAT(pair.refused(gzip(kGoodImages + Bytes(1)), kGoodLabels), ContainsSubstring("goes on after the last byte"));
  for (const size_t at : {packed.size() - 8, packed.size() - 1}) {  // checksum, length
    Bytes flipped = packed;
    flipped[at] ^= 1;
    CHECK_THAT(pair.refused(flipped, kGoodLabels), ContainsSubstring("damaged"));
  }
}

TEST_CASE("a gzip file of several members is read as one") {
  const Pair pair;
  const auto cut = kGoodImages.begin() + 20;
  const Bytes members = gzip(Bytes(kGoodImages.begin(), cut)) + gzip(Bytes(cut, kGoodImages.end()));
  CHECK(pair.refused(members, kGoodLabels) == "");
  CHECK_THAT(pair.refused(members + gzip(Bytes(1)), kGoodLabels), ContainsSubstring("goes on after the last byte"));
  CHECK_THAT(pair.refused(members + Bytes{0x1f, 2, 3}, kGoodLabels), ContainsSubstring("is damaged"));
}

TEST_CASE("a gzip bomb is left uninflated") {
  const Pair pair;
  const Bytes bomb = gzip(image_file(2051, 3, 2, 2, size_t{64} << 20));
  REQUIRE(bomb.size() < (100 << 10));
  CHECK_THAT(pair.refused(bomb, kGoodLabels), ContainsSubstring("goes on after the last byte"));
}

TEST_CASE("what is not a file is refused") {
  const TempFolder folder;
  CHECK_THAT(refusal([&] { load_mnist(folder.path()); }),
             ContainsSubstring("there is no file") && ContainsSubstring("train-images-idx3-ubyte"));
  fs::create_directory(folder.path() / "train-images-idx3-ubyte");
  put(folder.path() / "train-labels-idx1-ubyte", kGoodLabels);
  CHECK_THAT(refusal([&] { load_mnist(folder.path()); }), ContainsSubstring("not a regular file"));
}

TEST_CASE("the four files of MNIST are what is published", "[data][mnist]") {
  const auto folder = data_set("mnist");
  if (!folder) return;
  const Dataset mnist = load_mnist(*folder);
  CHECK(
      (mnist.train.count == 60000 && mnist.train.channels == 1 && mnist.train.height == 28 && mnist.train.width == 28));
  CHECK(mnist.test.count == 10000);
  CHECK(of_class(mnist.train, 5).size() == 5421);
  CHECK(of_class(mnist.test, 5).size() == 892);
  CHECK(std::vector<int32_t>(mnist.train.labels.begin(), mnist.train.labels.begin() + 6) ==
        std::vector<int32_t>{5, 0, 4, 1, 9, 2});
  double sum = 0, squares = 0;
  for (const uint8_t pixel : mnist.train.pixels) {
    sum += pixel / 255.0;
    squares += pixel / 255.0 * (pixel / 255.0);
  }
  const double mean = sum / mnist.train.pixels.size();
  CHECK(mean == Approx(0.1307).margin(5e-5));
  CHECK(std::sqrt(squares / mnist.train.pixels.size() - mean * mean) == Approx(0.3081).margin(5e-5));
}

TEST_CASE("the four files of Fashion-MNIST are what is published", "[data][fashion-mnist]") {
  const auto folder = data_set("fashion-mnist");
  if (!folder) return;
  const Dataset fashion = load_fashion_mnist(*folder);
  for (int label = 0; label < 10; ++label) {
    CHECK(of_class(fashion.train, label).size() == 6000);
    CHECK(of_class(fashion.test, label).size() == 1000);
  }
  CHECK(fashion.train.class_names[5] == "Sandal");
  const double mean = std::accumulate(fashion.train.pixels.begin(), fashion.train.pixels.end(), 0.0) / 255 /
                      fashion.train.pixels.size();
  CHECK(mean == Approx(0.2860).margin(5e-5));
}
