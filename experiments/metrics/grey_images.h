// Grey images as the image metrics want them: floats on the scale 0..255.
#pragma once
#include <span>
#include <vector>

#include "datasets/dataset.h"

namespace tobogan::metrics {

struct GreyImages {
  int count = 0, height = 0, width = 0;
  std::vector<float> values = {};  // [image][row][column], 0..255

  std::span<const float> image(int index) const {
    const size_t size = static_cast<size_t>(height) * width;
    return std::span(values).subspan(index * size, size);
  }
};

// The bytes of a set.  Throws Error for colour images.
GreyImages grey_images(const ImageSet& set);

// Throws Error, beginning with `what`, unless sizes are positive, agree with the number of values, and all values are
// finite.
void check_images(const std::string& what, const GreyImages& images);

}  // namespace tobogan::metrics
