// How large each part of Abadi's study is.  A profile changes sizes, never the protocol.
#pragma once
#include <vector>

#include "experiments/run/options.h"

namespace tobogan::abadi {

// A sample of the training images, and how long the GANs of its classes are trained.
struct Sample {
  int images;
  int gan_epochs;
  bool operator==(const Sample&) const = default;
};

// Tables 2 to 4: real images, fakes and both.
struct DigitsPlan {
  double alpha;
  std::vector<Sample> samples;
  std::vector<double> fake_ratios;   // Table 3
  std::vector<double> mixed_ratios;  // Table 4
  bool operator==(const DigitsPlan&) const = default;
};

// Table 1: fakes of GANs of several widths.
struct WidthPlan {
  std::vector<double> alphas;
  Sample sample;
  bool operator==(const WidthPlan&) const = default;
};

// Table 5: colour images.
struct ColourPlan {
  double alpha;
  int gan_images_per_class;
  int gan_epochs;
  int classifier_images;
  int classifier_epochs;
  double classifier_width;
  std::vector<double> ratios;
  bool operator==(const ColourPlan&) const = default;
};

struct Plan {
  WidthPlan width;
  DigitsPlan digits;
  ColourPlan colour;
  int repeats = 3;             // trainings of each classifier
  int classifier_epochs = 15;  // on digits
  int batch = 64;
  int synthetic_test = 10000;  // test images where the data are drawn by us
  bool operator==(const Plan&) const = default;
};

Plan plan_for(Profile profile);

}  // namespace tobogan::abadi
