// Training sets that lack variety in one class (Kim & Lee, section 2.a of the specification): few different images
// stand where many were, so the set keeps its size and the class its share.
#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "datasets/dataset.h"

namespace tobogan {

struct Biased {
  ImageSet set;               // the j-th image of the class became kept[j % kept.size()]; every other image stayed
  std::vector<int32_t> kept;  // the different images of the class, as indices into the original set
  int32_t centre = -1;        // content bias: the image the others resemble, one of `kept`
};

struct SizeBiasOptions {
  int label = 5, keep = 20;
};

// Keeps `keep` images of the class, drawn without replacement.  Throws Error if the class has fewer.
Biased size_bias(const ImageSet& set, SizeBiasOptions options, uint64_t seed);

// How much two images resemble each other; 1 for equal ones.  (Kim & Lee: SSIM, experiments/metrics/ssim.h.)
using Similarity = std::function<double(std::span<const uint8_t>, std::span<const uint8_t>)>;

struct ContentBiasOptions {
  int label = 5;
  double threshold = 0.7;
  int least = 8;     // fewer survivors than this: another centre is drawn
  int draws = 1000;  // at most so many centres, all different; then the one with most survivors is taken
};

// Draws an image of the class as centre and keeps those whose similarity to it is above the threshold, in the order of
// the set.  Costs one similarity per image of the class and draw.  Throws Error if the class is empty.
Biased content_bias(const ImageSet& set, const ContentBiasOptions& options, const Similarity& similarity,
                    uint64_t seed);

}  // namespace tobogan
