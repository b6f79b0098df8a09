// What every reader and generator of images returns: a plain value, bytes in host memory.  Readers fill it, the
// functions below pick from it, Batches (datasets/batches.h) carries it to a device.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace tobogan {

// A labelled set of images of one size.
struct ImageSet {
  int count = 0, channels = 0, height = 0, width = 0;
  std::vector<uint8_t> pixels = {};           // [image][channel][row][column]
  std::vector<int32_t> labels = {};           // one an image, 0..classes()-1
  std::vector<std::string> class_names = {};  // one a class
  std::string source = {};                    // "mnist", "synthetic glyphs", ...: printed with every result

  int classes() const { return static_cast<int>(class_names.size()); }
  size_t image_bytes() const { return static_cast<size_t>(channels) * height * width; }

  // The bytes of one image, [channel][row][column].  REQUIRES: 0 <= index < count.
  std::span<const uint8_t> image(int index) const {
    return std::span(pixels).subspan(static_cast<size_t>(index) * image_bytes(), image_bytes());
  }
  std::span<uint8_t> image(int index) {
    return std::span(pixels).subspan(static_cast<size_t>(index) * image_bytes(), image_bytes());
  }
};

struct Dataset {
  ImageSet train, test;
};

// A grey value as it is stored: rounded, and held inside 0..255.
inline uint8_t to_byte(double value) {
  return static_cast<uint8_t>(std::clamp(value, 0.0, 255.0) + 0.5);
}

// Throws Error unless sizes, the numbers of pixels and labels, and the range of the labels agree.
void check_consistent(const ImageSet& set);

// Eight hex digits (CRC-32) that differ where sizes, pixels, labels or class names differ: results carry them, so that
// those of other images under the same name are not taken for theirs.
std::string fingerprint(const Dataset& set);

// A set of the same form with `count` black images of class 0.
ImageSet blank_like(const ImageSet& set, int count);

// The images at `indices`, in that order; an index may come more than once.  Throws Error on an index outside the set.
ImageSet subset(const ImageSet& set, std::span<const int32_t> indices);

// Where the images of one class are, ascending.  Throws Error on a class the set does not have.
std::vector<int32_t> of_class(const ImageSet& set, int label);

// `wanted` different numbers of 0..available-1 in random order: a function of the seed alone, the same on any machine.
// The first k of a longer draw are the shorter draw.  Throws Error when more are wanted than there are.
std::vector<int32_t> draw_indices(int wanted, int available, uint64_t seed);

// `first` followed by `second`; the source names both where they differ.  Throws Error unless image sizes and class
// names agree.
ImageSet concatenate(ImageSet first, const ImageSet& second);

}  // namespace tobogan
