// The cells of Abadi's study and their names: GANs of one class each, and classifiers on what they made.
#pragma once
#include <memory>

#include "experiments/abadi/data.h"
#include "experiments/abadi/plan.h"
#include "experiments/run/cell.h"

namespace tobogan::abadi {

// Which parts of the study are wanted.
struct Parts {
  bool width = true;   // Table 1
  bool digits = true;  // Tables 2-4
  bool colour = true;  // Table 5
  bool normalize_features = false;
};

// What a classifier on digits was trained on.
struct Diet {
  double alpha;
  Sample sample;
  bool real;     // the real images of the sample
  double fakes;  // and this many times as many fakes
};

std::string classifier_name(const Diet& diet, uint64_t seed);
std::string gan_name(double alpha, const Sample& sample, int label, uint64_t seed);
std::string colour_classifier_name(const ColourPlan& plan, double ratio, uint64_t seed);
std::string colour_gan_name(const ColourPlan& plan, int label, uint64_t seed);

constexpr int kClasses = 10;

// All cells for the seeds given.  The cells share `data`, which is loaded when the first of them runs.
std::vector<Cell> make_cells(const Plan& plan, const Parts& parts, const std::vector<uint64_t>& seeds,
                             std::shared_ptr<Data> data);

}  // namespace tobogan::abadi
