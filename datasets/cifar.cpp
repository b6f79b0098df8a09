// CIFAR's binary records, read and written.
#include "datasets/cifar.h"

#include <cstdint>
#include <span>
#include <utility>

#include "datasets/files.h"
#include "engine/atomic_file.h"
#include "engine/error.h"

namespace tobogan {
namespace {

constexpr int kChannels = 3, kSide = 32, kPixels = kChannels * kSide * kSide;
constexpr size_t kMostBytes = size_t{1} << 30;

}  // namespace

std::vector<std::string> read_class_names(const std::filesystem::path& path, int classes) {
  std::vector<std::string> names(1);
  for (const uint8_t byte : read_file(path, 65536)) {
    if (byte == '\r') continue;
    if (byte == '\n') {
      names.emplace_back();
    } else {
      names.back() += static_cast<char>(byte);
    }
  }
  while (!names.empty() && names.back().empty()) names.pop_back();
  check(names.size() == static_cast<size_t>(classes), path.native(), ": expected ", classes,
        " class names, one a line, got ", names.size());
  return names;
}

ImageSet read_cifar(const std::filesystem::path& path, std::vector<std::string> class_names, std::string source,
                    CifarOptions options) {
  const size_t record = options.label_bytes + kPixels;
  const std::vector<uint8_t> bytes = read_file(path, kMostBytes);
  check(!bytes.empty() && bytes.size() % record == 0, path.native(), ": expected whole records of ", record,
        " bytes, got ", bytes.size(), " bytes");
  const size_t count = bytes.size() / record;
  check(options.records == 0 || count == static_cast<size_t>(options.records), path.native(), ": expected ",
        options.records, " records, got ", count);

  ImageSet set{.count = static_cast<int>(count),
               .channels = kChannels,
               .height = kSide,
               .width = kSide,
               .class_names = std::move(class_names),
               .source = std::move(source)};
  set.pixels.reserve(count * kPixels);
  set.labels.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    const auto pixels = bytes.begin() + i * record + options.label_bytes;
    const int label = pixels[-1];
    check(label < set.classes(), path.native(), ": label ", label, " of record ", i, " is outside 0..",
          set.classes() - 1);
    set.labels.push_back(label);
    set.pixels.insert(set.pixels.end(), pixels, pixels + kPixels);
  }
  return set;
}

void write_cifar(const ImageSet& set, const std::filesystem::path& path) {
  check_consistent(set);
  check(set.count > 0, path.native(), ": there are no images to write");
  check(set.channels == kChannels && set.height == kSide && set.width == kSide && set.classes() <= 256, path.native(),
        ": CIFAR records hold 3x32x32 images of at most 256 classes, got ", set.channels, "x", set.height, "x",
        set.width, " of ", set.classes());
  std::vector<uint8_t> records;
  for (int i = 0; i < set.count; ++i) {
    records.push_back(static_cast<uint8_t>(set.labels[i]));
    const auto pixels = set.image(i);
    records.insert(records.end(), pixels.begin(), pixels.end());
  }
  atomic_write(path, std::as_bytes(std::span(records)));
}

Dataset load_cifar10(const std::filesystem::path& folder) {
  const std::vector<std::string> names = read_class_names(folder / "batches.meta.txt", 10);
  const auto part = [&](const std::string& file) {
    return read_cifar(folder / file, names, "cifar-10", {.records = 10000});
  };
  Dataset data{.train = part("data_batch_1.bin"), .test = part("test_batch.bin")};
  for (int batch = 2; batch <= 5; ++batch) {
    data.train = concatenate(std::move(data.train), part(concat_text("data_batch_", batch, ".bin")));
  }
  return data;
}

Dataset load_cifar100(const std::filesystem::path& folder) {
  const std::vector<std::string> names = read_class_names(folder / "fine_label_names.txt", 100);
  return {.train = read_cifar(folder / "train.bin", names, "cifar-100", {.label_bytes = 2, .records = 50000}),
          .test = read_cifar(folder / "test.bin", names, "cifar-100", {.label_bytes = 2, .records = 10000})};
}

}  // namespace tobogan
