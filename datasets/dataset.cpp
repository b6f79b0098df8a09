// Picking from sets of images.
#include "datasets/dataset.h"

#include <zlib.h>

#include <algorithm>
#include <cstdio>
#include <numeric>

#include "datasets/random.h"
#include "engine/error.h"

namespace tobogan {
namespace {

std::string size_text(const ImageSet& set) {
  return concat_text(set.channels, "x", set.height, "x", set.width, " in ", set.classes(), " classes");
}

}  // namespace

void check_consistent(const ImageSet& set) {
  check(set.count >= 0 && set.channels > 0 && set.height > 0 && set.width > 0, set.source,
        ": expected positive sizes, got ", set.count, " images of ", size_text(set));
  check(set.pixels.size() == set.count * set.image_bytes(), set.source, ": expected ", set.count * set.image_bytes(),
        " bytes of pixels for ", set.count, " images of ", size_text(set), ", got ", set.pixels.size());
  check(set.labels.size() == static_cast<size_t>(set.count), set.source, ": expected ", set.count, " labels, got ",
        set.labels.size());
  for (int i = 0; i < set.count; ++i) {
    check(set.labels[i] >= 0 && set.labels[i] < set.classes(), set.source, ": label ", set.labels[i], " of image ", i,
          " is outside 0..", set.classes() - 1);
  }
}

std::string fingerprint(const Dataset& set) {
  uLong crc = crc32_z(0, nullptr, 0);
  const auto add = [&](const void* bytes, size_t size) { crc = crc32_z(crc, static_cast<const Bytef*>(bytes), size); };
  for (const ImageSet* part : {&set.train, &set.test}) {
    const int32_t sizes[] = {part->count, part->channels, part->height, part->width};
    add(sizes, sizeof sizes);
    add(part->pixels.data(), part->pixels.size());
    add(part->labels.data(), part->labels.size() * sizeof(int32_t));
    for (const std::string& name : part->class_names) add(name.c_str(), name.size() + 1);
  }
  char hex[9];
  std::snprintf(hex, sizeof hex, "%08lx", crc);
  return hex;
}

ImageSet blank_like(const ImageSet& set, int count) {
  ImageSet blank{.count = count,
                 .channels = set.channels,
                 .height = set.height,
                 .width = set.width,
                 .class_names = set.class_names,
                 .source = set.source};
  blank.pixels.resize(count * set.image_bytes());
  blank.labels.resize(count);
  return blank;
}

ImageSet subset(const ImageSet& set, std::span<const int32_t> indices) {
  ImageSet picked = blank_like(set, static_cast<int>(indices.size()));
  for (int i = 0; i < picked.count; ++i) {
    check(indices[i] >= 0 && indices[i] < set.count, "subset of ", set.source, ": index ", indices[i],
          " is outside 0..", set.count - 1);
    std::ranges::copy(set.image(indices[i]), picked.image(i).begin());
    picked.labels[i] = set.labels[indices[i]];
  }
  return picked;
}

std::vector<int32_t> of_class(const ImageSet& set, int label) {
  check(label >= 0 && label < set.classes(), set.source, " has no class ", label, ", only 0..", set.classes() - 1);
  std::vector<int32_t> indices;
  for (int i = 0; i < set.count; ++i) {
    if (set.labels[i] == label) indices.push_back(i);
  }
  return indices;
}

std::vector<int32_t> draw_indices(int wanted, int available, uint64_t seed) {
  check(wanted >= 0 && wanted <= available, "cannot draw ", wanted, " of ", available, " images without repetition");
  std::vector<int32_t> order(available);
  std::iota(order.begin(), order.end(), 0);
  Draws draws(seed, "draw without replacement");
  for (int i = 0; i < wanted; ++i) std::swap(order[i], order[i + draws.below(available - i)]);
  order.resize(wanted);
  return order;
}

ImageSet concatenate(ImageSet first, const ImageSet& second) {
  check(first.channels == second.channels && first.height == second.height && first.width == second.width &&
            first.class_names == second.class_names,
        "cannot concatenate ", first.source, " (", size_text(first), ") and ", second.source, " (", size_text(second),
        "): sizes and class names must be equal");
  first.count += second.count;
  first.pixels.insert(first.pixels.end(), second.pixels.begin(), second.pixels.end());
  first.labels.insert(first.labels.end(), second.labels.begin(), second.labels.end());
  if (first.source != second.source) first.source += " + " + second.source;
  return first;
}

}  // namespace tobogan
