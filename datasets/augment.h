// New images from old ones without a network: what GANs are compared with, and what stands in for images a paper's
// authors made by hand.  Image i of the result is a function of (seed, i, image i) alone.
#pragma once
#include <cstdint>

#include "datasets/dataset.h"

namespace tobogan {

struct Range {
  double low, high;
};

// Each amount is drawn uniformly from its range, per image.
struct DeformOptions {
  double rotation = 15;        // degrees, either way
  double shear = 0.15;         // columns a row, either way
  Range scale = {0.85, 1.15};  // one factor for both directions
  double shift = 2;            // pixels, either way, in each direction
  double elastic = 8,
         softness = 3;  // a field of uniform noise in -elastic..elastic, blurred by a Gaussian of this sigma
};

// Every image bent and moved; bilinear, black outside.  The labels stay.  (Kim & Lee's deformed images for classifier
// H.)
ImageSet deform(const ImageSet& set, const DeformOptions& options, uint64_t seed);

struct StrengthenOptions {
  double rotation = 15;           // degrees, either way
  Range brightness = {0.8, 1.2};  // factors, applied in an order drawn per image
  Range contrast = {0.8, 1.2};    // around the mean of the grey image
  Range saturation = {0.8, 1.2};  // around the grey image; nothing to do for grey sets
};

// Every image rotated (bilinear, black outside), then its colours changed by torchvision's formulas for colour jitter,
// rounded once at the end.  (Chen's "Strengthened" set.)  Throws Error unless images have 1 or 3 channels.
ImageSet strengthen(const ImageSet& set, const StrengthenOptions& options, uint64_t seed);

}  // namespace tobogan
