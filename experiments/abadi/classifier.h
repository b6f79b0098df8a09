// Classifiers trained on real images, on fakes, or on both, and how many test images they get right.
#pragma once
#include <functional>

#include "datasets/dataset.h"
#include "experiments/run/cell.h"

namespace tobogan::abadi {

enum class Network { kMlp, kSmallCnn };

struct ClassifierConfig {
  Network network = Network::kMlp;
  double width = 1;  // of the small CNN
  int epochs = 15;
  int batch = 64;
  int repeats = 3;    // trainings from different starts, averaged
  uint64_t seed = 0;  // of this cell alone
};

// A cell: trains `repeats` classifiers with Adam 0.001 and returns
//   "best": the mean over repeats of the largest test accuracy of any epoch, which is the paper's number,
//   "last": the mean of the last epoch's, "train": the mean accuracy on the training images at the end,
//   "accuracy": the test accuracy of every repeat and epoch.
nlohmann::json run_classifier(CellRun& run, const ClassifierConfig& config, const ImageSet& train,
                              const ImageSet& test);

}  // namespace tobogan::abadi
