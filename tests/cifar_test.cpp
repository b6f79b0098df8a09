// CIFAR's records: round trips, the published files, and files that lie.
#include "datasets/cifar.h"

#include <array>
#include <string>

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

ImageSet noise(int count) {
  ImageSet set{.count = count, .channels = 3, .height = 32, .width = 32, .class_names = kTenNames, .source = "noise"};
  Draws draws(1, "noise");
  for (int i = 0; i < count * 3072; ++i) set.pixels.push_back(draws.below(256));
  for (int i = 0; i < count; ++i) set.labels.push_back(draws.below(10));
  return set;
}

}  // namespace

TEST_CASE("CIFAR records come back as they were written") {
  const TempFolder folder;
  const fs::path path = folder.path() / "batch.bin";
  const ImageSet set = noise(7);
  write_cifar(set, path);
  CHECK(get(path).size() == 7 * 3073);
  const ImageSet back = read_cifar(path, kTenNames, "again", {.records = 7});
  check_consistent(back);
  CHECK(back.pixels == set.pixels);
  CHECK(back.labels == set.labels);
  CHECK_THAT(refusal([&] { read_cifar(path, kTenNames, "again", {.records = 8}); }),
             ContainsSubstring("expected 8 records, got 7"));
}

TEST_CASE("CIFAR-100's second label byte is the one that is read") {
  const TempFolder folder;
  const fs::path path = folder.path() / "train.bin";
  Bytes record(3074, 1);
  record[0] = 19;
  record[1] = 3;
  record[2] = 200;
  put(path, record);
  const ImageSet set = read_cifar(path, kTenNames, "test", {.label_bytes = 2});
  CHECK(set.labels == std::vector<int32_t>{3});
  CHECK((set.image(0)[0] == 200 && set.image(0)[3071] == 1));
}

TEST_CASE("CIFAR files that lie are refused") {
  const TempFolder folder;
  const fs::path path = folder.path() / "batch.bin";
  const auto refused = [&](const Bytes& bytes) {
    put(path, bytes);
    return refusal([&] { read_cifar(path, kTenNames, "test"); });
  };
  CHECK(refused(Bytes(2 * 3073, 9)) == "");
  for (const size_t size : {0, 1, 3072, 3074, 2 * 3073 - 1}) {
    CHECK_THAT(refused(Bytes(size)), ContainsSubstring(concat_text("got ", size, " bytes")));
  }
  Bytes bad_label(2 * 3073, 9);
  bad_label[3073] = 10;
  CHECK_THAT(refused(bad_label), ContainsSubstring("label 10 of record 1 is outside 0..9"));
  CHECK_THAT(refusal([&] { read_cifar(folder.path(), kTenNames, "test"); }), ContainsSubstring("not a regular file"));
  CHECK_THAT(refusal([&] { read_cifar(folder.path() / "no", kTenNames, "test"); }), ContainsSubstring("there is no"));
}

TEST_CASE("a file beyond the limit is refused, however sparse it is on the disk") {
  const TempFolder folder;
  const fs::path path = folder.path() / "batch.bin";
  put(path, Bytes(1));
  fs::resize_file(path, uintmax_t{1} << 40);
  CHECK_THAT(refusal([&] { read_class_names(path, 10); }), ContainsSubstring("larger than the 65536 bytes"));
}

TEST_CASE("class names are counted, empty lines at the end are not") {
  const TempFolder folder;
  const fs::path path = folder.path() / "batches.meta.txt";
  const std::string text = "cat\ndog\r\nship\n\n";
  put(path, Bytes(text.begin(), text.end()));
  CHECK(read_class_names(path, 3) == std::vector<std::string>{"cat", "dog", "ship"});
  CHECK_THAT(refusal([&] { read_class_names(path, 10); }), ContainsSubstring("expected 10 class names"));
}

TEST_CASE("what CIFAR cannot hold is not written") {
  const TempFolder folder;
  ImageSet grey = noise(1);
  grey.channels = 1;
  grey.pixels.resize(1024);
  CHECK_THAT(refusal([&] { write_cifar(grey, folder.path() / "x"); }), ContainsSubstring("got 1x32x32"));
  CHECK_THAT(refusal([&] { write_cifar(noise(0), folder.path() / "x"); }), ContainsSubstring("no images"));
  CHECK(fs::is_empty(folder.path()));
}

TEST_CASE("the files of CIFAR-10 are what is published", "[data][cifar-10]") {
  const auto folder = data_set("cifar-10");
  if (!folder) return;
  const Dataset cifar = load_cifar10(*folder);
  CHECK((cifar.train.count == 50000 && cifar.test.count == 10000));
  CHECK((cifar.train.class_names[0] == "airplane" && cifar.train.class_names[9] == "truck"));
  for (int label = 0; label < 10; ++label) {
    CHECK(of_class(cifar.train, label).size() == 5000);
    CHECK(of_class(cifar.test, label).size() == 1000);
  }
  CHECK((cifar.train.labels[0] == 6 && cifar.train.labels[1] == 9 && cifar.test.labels[0] == 3));
  std::array<double, 3> sums = {};
  for (size_t i = 0; i < cifar.train.pixels.size(); ++i) sums[i / 1024 % 3] += cifar.train.pixels[i];
  CHECK(sums[0] / 255 / 1024 / 50000 == Approx(0.4914).margin(5e-5));
  CHECK(sums[1] / 255 / 1024 / 50000 == Approx(0.4822).margin(5e-5));
  CHECK(sums[2] / 255 / 1024 / 50000 == Approx(0.4465).margin(5e-5));
}
