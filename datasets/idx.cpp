// The IDX format, read and written.
#include "datasets/idx.h"

#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include "datasets/files.h"
#include "engine/atomic_file.h"
#include "engine/error.h"

namespace tobogan {
namespace {

constexpr uint32_t kImageMagic = 0x00000803, kLabelMagic = 0x00000801;
constexpr uint64_t kMostPixels = uint64_t{1} << 30;
constexpr uint32_t kMostSide = 4096;

uint32_t big_endian(const std::vector<uint8_t>& bytes, size_t word) {
  const uint8_t* b = bytes.data() + 4 * word;
  return uint32_t{b[0]} << 24 | uint32_t{b[1]} << 16 | uint32_t{b[2]} << 8 | b[3];
}

void append_big_endian(std::vector<uint8_t>& bytes, uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<uint8_t>(value >> shift));
}

// Fills a file that appears at its place only by its commit().
void fill(AtomicFile& file, const std::filesystem::path& path, const std::vector<uint8_t>& bytes) {
  if (path.extension() == ".gz") {
    file.write(std::as_bytes(std::span<const uint8_t>(gzip(bytes))));
  } else {
    file.write(std::as_bytes(std::span(bytes)));
  }
}

void check_magic(const std::filesystem::path& path, uint32_t got, uint32_t expected, std::string_view what) {
  check(got == expected, path.native(), ": expected an IDX file of ", what, " (magic number ", expected, "), got ",
        got);
}

void read_images(const std::filesystem::path& path, ImageSet& set) {
  ByteReader file(path);
  check_magic(path, big_endian(file.read(4, "magic number"), 0), kImageMagic, "images");
  const std::vector<uint8_t> sizes = file.read(12, "header");
  const uint32_t count = big_endian(sizes, 0), rows = big_endian(sizes, 1), columns = big_endian(sizes, 2);
  check(count > 0 && rows > 0 && columns > 0, path.native(), ": no images in it (", count, " of ", rows, "x", columns,
        ")");
  check(rows <= kMostSide && columns <= kMostSide && count <= kMostPixels / (rows * columns), path.native(),
        ": the header promises ", count, " images of ", rows, "x", columns, ", more than the ", kMostPixels,
        " bytes and ", kMostSide, " pixels a side that are read");
  set.count = static_cast<int>(count);
  set.channels = 1;
  set.height = static_cast<int>(rows);
  set.width = static_cast<int>(columns);
  set.pixels = file.read(size_t{count} * rows * columns, "pixels");
  file.expect_end();
}

void read_labels(const IdxFiles& files, ImageSet& set) {
  ByteReader file(files.labels);
  check_magic(files.labels, big_endian(file.read(4, "magic number"), 0), kLabelMagic, "labels");
  const uint32_t count = big_endian(file.read(4, "header"), 0);
  check(count == static_cast<uint32_t>(set.count), files.labels.native(), ": expected ", set.count,
        " labels, as many as images in ", files.images.native(), ", got ", count);
  const std::vector<uint8_t> bytes = file.read(count, "labels");
  file.expect_end();
  for (uint32_t i = 0; i < count; ++i) {
    check(bytes[i] < set.class_names.size(), files.labels.native(), ": label ", int{bytes[i]}, " of image ", i,
          " is outside 0..", set.classes() - 1);
  }
  set.labels.assign(bytes.begin(), bytes.end());
}

// The file, or its compressed form where only that is there.
std::filesystem::path plain_or_gz(const std::filesystem::path& path) {
  std::filesystem::path compressed = path;
  compressed += ".gz";
  std::error_code ignored;
  if (std::filesystem::exists(path, ignored)) return path;
  check(std::filesystem::exists(compressed, ignored), "there is no file ", path.native(), ", nor ",
        compressed.filename().native());
  return compressed;
}

Dataset load_four_files(const std::filesystem::path& folder, const std::vector<std::string>& names,
                        const std::string& source) {
  const auto part = [&](const std::string& stem) {
    return read_idx({.images = plain_or_gz(folder / (stem + "-images-idx3-ubyte")),
                     .labels = plain_or_gz(folder / (stem + "-labels-idx1-ubyte"))},
                    names, source);
  };
  Dataset data{.train = part("train"), .test = part("t10k")};
  check(data.train.height == data.test.height && data.train.width == data.test.width, folder.native(),
        ": training images are ", data.train.height, "x", data.train.width, ", test images ", data.test.height, "x",
        data.test.width);
  return data;
}

}  // namespace

ImageSet read_idx(const IdxFiles& files, std::vector<std::string> class_names, std::string source) {
  ImageSet set;
  set.class_names = std::move(class_names);
  set.source = std::move(source);
  read_images(files.images, set);
  read_labels(files, set);
  return set;
}

void write_idx(const ImageSet& set, const IdxFiles& files) {
  check_consistent(set);
  check(set.count > 0, files.images.native(), ": there are no images to write");
  check(set.channels == 1, files.images.native(), ": IDX files hold grey images, got ", set.channels, " channels");
  check(set.pixels.size() <= kMostPixels, files.images.native(), ": at most ", kMostPixels, " bytes of pixels, got ",
        set.pixels.size());
  check(set.classes() <= 256, files.labels.native(), ": IDX labels are bytes, got ", set.classes(), " classes");
  std::vector<uint8_t> images, labels;
  for (const int word : {int(kImageMagic), set.count, set.height, set.width}) append_big_endian(images, word);
  images.insert(images.end(), set.pixels.begin(), set.pixels.end());
  for (const int word : {int(kLabelMagic), set.count}) append_big_endian(labels, word);
  labels.insert(labels.end(), set.labels.begin(), set.labels.end());

  AtomicFile image_file(files.images), label_file(files.labels);  // both are whole before the first takes its place
  fill(image_file, files.images, images);
  fill(label_file, files.labels, labels);
  image_file.commit();
  label_file.commit();
}

Dataset load_mnist(const std::filesystem::path& folder) {
  return load_four_files(folder, {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}, "mnist");
}

Dataset load_fashion_mnist(const std::filesystem::path& folder) {
  return load_four_files(
      folder,
      {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"},
      "fashion-mnist");
}

}  // namespace tobogan
