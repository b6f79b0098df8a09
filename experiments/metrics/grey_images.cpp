// Bytes become floats without a change of scale.
#include "experiments/metrics/grey_images.h"

#include <algorithm>
#include <cmath>

#include "engine/error.h"

namespace tobogan::metrics {

GreyImages grey_images(const ImageSet& set) {
  check(set.channels == 1, set.source, ": expected grey images, got images of ", set.channels, " channels");
  return {.count = set.count,
          .height = set.height,
          .width = set.width,
          .values = std::vector<float>(set.pixels.begin(), set.pixels.end())};
}

void check_images(const std::string& what, const GreyImages& images) {
  const size_t expected = static_cast<size_t>(images.count) * images.height * images.width;
  check(images.count >= 0 && images.height >= 1 && images.width >= 1 && images.values.size() == expected, what,
        ": expected ", images.count, " images of ", images.height, " x ", images.width, ", got ", images.values.size(),
        " values");
  check(std::ranges::all_of(images.values, [](float value) { return std::isfinite(value); }), what,
        ": the images hold values that are not finite");
}

}  // namespace tobogan::metrics
