// Batch by batch, without a record of gradients.
#include "experiments/training/sampling.h"

#include "engine/autograd.h"

namespace tobogan {

ImageSet sample_images(const Device& device, const ImageSet& form, std::span<const int32_t> labels,
                       const PixelRange& range, const Generate& generate, int batch) {
  const NoGrad off;
  ImageSet fakes = blank_like(form, 0);
  fakes.source = "fakes of " + form.source;
  for (size_t begin = 0; begin < labels.size(); begin += batch) {
    const auto part = labels.subspan(begin, std::min<size_t>(batch, labels.size() - begin));
    const std::vector<uint8_t> bytes = to_bytes(generate(Indices(part, device)), range);
    fakes.pixels.insert(fakes.pixels.end(), bytes.begin(), bytes.end());
  }
  fakes.count = static_cast<int>(labels.size());
  fakes.labels.assign(labels.begin(), labels.end());
  return fakes;
}

std::vector<int32_t> labels_by_class(int classes, int each) {
  std::vector<int32_t> labels;
  for (int label = 0; label < classes; ++label) labels.insert(labels.end(), each, label);
  return labels;
}

}  // namespace tobogan
