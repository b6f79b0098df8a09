// Batches: every image once an epoch, in an order that is new each time and can be taken up again.
#include "datasets/batches.h"

#include <algorithm>
#include <map>
#include <numeric>

#include "engine/serialize.h"
#include "tests/support/catch.h"
#include "tests/support/temp_folder.h"

namespace tobogan {
namespace {

using Catch::Matchers::ContainsSubstring;

struct Fixture {
  Machine machine{{.threads = 2}};
  Context context{machine, 9};
  const Device& on = machine.device();

  // `count` images of 2 x 2 x 3 bytes whose first byte is their position and whose label is that modulo 7.
  static ImageSet numbered(int count) {
    ImageSet set;
    set.count = count, set.channels = 2, set.height = 2, set.width = 3;
    for (int i = 0; i < 7; ++i) set.class_names.push_back(std::to_string(i));
    for (int i = 0; i < count; ++i) {
      for (int j = 0; j < 12; ++j) set.pixels.push_back(static_cast<uint8_t>(j == 0 ? i : 20 * j + i % 3));
      set.labels.push_back(i % 7);
    }
    return set;
  }
};

// Where the images of a batch came from, checked against their labels.
std::vector<int> positions_of(const Batch& batch) {
  const std::vector<uint8_t> bytes = to_bytes(batch.images);
  const std::vector<int32_t> labels = batch.labels.to_host();
  std::vector<int> positions;
  for (size_t i = 0; i < labels.size(); ++i) {
    positions.push_back(bytes[12 * i]);
    REQUIRE(labels[i] == positions.back() % 7);
  }
  return positions;
}

std::vector<int> epoch_of(Batches& batches) {
  std::vector<int> all;
  for (int64_t i = 0; i < batches.steps_per_epoch(); ++i)
    for (const int position : positions_of(batches.next())) all.push_back(position);
  return all;
}

std::vector<int> sorted(std::vector<int> values) {
  std::sort(values.begin(), values.end());
  return values;
}

TEST_CASE_METHOD(Fixture, "every image comes once an epoch, for sizes around powers of two and batches of any size") {
  for (const int count : {1, 2, 3, 16, 17, 100, 255}) {
    const DeviceImages images(numbered(count), on);
    std::vector<int> everything(count);
    std::iota(everything.begin(), everything.end(), 0);
    for (const int size : {1, 7, 64, 300}) {
      Batches batches(context, images, {.batch = size});
      CHECK(batches.steps_per_epoch() == (count + size - 1) / size);
      for (int epoch = 0; epoch < 3; ++epoch) CHECK(sorted(epoch_of(batches)) == everything);
    }
  }
}

TEST_CASE_METHOD(Fixture, "the last batch of an epoch holds what is left, and says so before") {
  const DeviceImages images(numbered(100), on);
  Batches batches(context, images, {.batch = 32});
  for (int epoch = 0; epoch < 2; ++epoch) {
    for (const int size : {32, 32, 32, 4}) {
      CHECK(batches.next_size() == size);
      const Batch batch = batches.next();
      CHECK(batch.images.shape() == Shape{size, 2, 2, 3});
      CHECK(batch.labels.count() == size);
    }
  }
}

TEST_CASE_METHOD(Fixture, "the order is new for every epoch, stream and seed, and the same for the same") {
  const DeviceImages images(numbered(100), on);
  Context again(machine, 9), other(machine, 10);
  Batches a(context, images, {.batch = 32}), b(again, images, {.batch = 10}), c(other, images, {.batch = 32}),
      d(context, images, {.batch = 32, .stream = "other"});
  const std::vector<int> first = epoch_of(a), second = epoch_of(a);
  CHECK(first != second);
  CHECK(epoch_of(b) == first);  // whatever the size of the batches
  CHECK(epoch_of(b) == second);
  CHECK(epoch_of(c) != first);
  CHECK(epoch_of(d) != first);
  // No order at all would leave most images near their place: they are a third of the set away on average.
  double moved = 0;
  for (int i = 0; i < 100; ++i) moved += std::abs(first[i] - i) / 100.0;
  CHECK(moved == Approx(33).margin(8));
}

TEST_CASE_METHOD(Fixture, "a cursor that was saved goes on where it stood") {
  const TempFolder folder;
  const DeviceImages images(numbered(50), on);
  Batches batches(context, images, {.batch = 16}), resumed(context, images, {.batch = 16});
  for (int i = 0; i < 6; ++i) batches.next();  // in the second epoch
  save(folder.path() / "cursor", batches.state());
  resumed.next();
  load(folder.path() / "cursor", resumed.state());
  for (int i = 0; i < 9; ++i) {
    CHECK(resumed.next_size() == batches.next_size());
    CHECK(positions_of(resumed.next()) == positions_of(batches.next()));
  }
}

TEST_CASE_METHOD(Fixture, "images are scaled into their range, laid out as {N, C, H, W}, and come back as bytes") {
  const ImageSet set = numbered(30);
  const DeviceImages images(set, on);
  const std::vector<int32_t> wanted{29, 0, 7, 7};
  const Indices index(wanted, on);
  for (const PixelRange& range : {PixelRange{-1, 1}, PixelRange{0, 1}, PixelRange{0, 255}}) {
    const Batch batch = images.gather(index, range);
    const std::vector<Real> values = batch.images.to_host();
    for (size_t i = 0; i < values.size(); ++i) {
      const double byte = set.pixels[static_cast<size_t>(wanted[i / 12]) * 12 + i % 12];
      CHECK(values[i] == Approx(range.low + byte * (range.high - range.low) / 255).margin(1e-4));
    }
    const std::vector<uint8_t> bytes = to_bytes(batch.images, range);
    for (size_t i = 0; i < bytes.size(); ++i)
      CHECK(bytes[i] == set.pixels[static_cast<size_t>(wanted[i / 12]) * 12 + i % 12]);
  }
  const std::vector<int> some = positions_of(images.range(3, 9));
  CHECK(some == std::vector<int>{3, 4, 5, 6, 7, 8});
  CHECK(images.range(5, 5).images.shape() == Shape{0, 2, 2, 3});
  CHECK_THROWS_WITH(images.range(3, 31), ContainsSubstring("31") && ContainsSubstring("30"));
}

TEST_CASE_METHOD(Fixture, "bytes are rounded to the nearest and clamped") {
  const Tensor x = Tensor::from_host({1, 1, 1, 6}, std::vector<Real>{-3, -1, 0, Real(1.4 / 127.5 - 1), 1, 7}, on);
  CHECK(to_bytes(x) == std::vector<uint8_t>{0, 0, 128, 1, 255, 255});
}

TEST_CASE_METHOD(Fixture, "draws with replacement come from the whole set and repeat") {
  const DeviceImages images(numbered(20), on);
  Batches batches(context, images, {.batch = 8});
  std::map<int, int> counts;
  for (const int position : positions_of(batches.draw(2000))) ++counts[position];
  CHECK(counts.size() == 20);
  for (const auto& [position, count] : counts) CHECK(count == Approx(100).margin(50));
  CHECK(batches.next_size() == 8);  // the epoch is as it was
}

TEST_CASE_METHOD(Fixture, "an empty set and a batch of nothing are refused") {
  const DeviceImages images(numbered(3), on), none(numbered(0), on);
  CHECK_THROWS_WITH(Batches(context, none), ContainsSubstring("no images"));
  CHECK_THROWS_WITH(Batches(context, images, {.batch = 0}), ContainsSubstring("0"));
  ImageSet wrong = numbered(3);
  wrong.labels.pop_back();
  CHECK_THROWS_AS(DeviceImages(wrong, on), Error);
}

}  // namespace
}  // namespace tobogan
