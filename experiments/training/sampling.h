// Images that a generator makes, as a set of bytes with the classes that were asked for.
#pragma once
#include <functional>
#include <span>

#include "datasets/batches.h"

namespace tobogan {

// Images of the classes of a batch, in the range that the network works in.
using Generate = std::function<Tensor(const Indices& labels)>;

// One image for each label, in order; `form` gives sizes and class names.  `batch` at a time, without gradients.
ImageSet sample_images(const Device& device, const ImageSet& form, std::span<const int32_t> labels,
                       const PixelRange& range, const Generate& generate, int batch = 100);

// `each` labels of class 0, then of class 1, ...
std::vector<int32_t> labels_by_class(int classes, int each);

}  // namespace tobogan
