// Classifiers of 28 x 28 grey images that judge a GAN or are fed by one: trained in one cell, used in others.
#pragma once
#include <functional>
#include <memory>

#include "datasets/dataset.h"
#include "engine/nn/module.h"
#include "experiments/metrics/metric.h"
#include "experiments/run/cell.h"

namespace tobogan {

struct ClassifierPlan {
  bool expert = false;  // models/expert_classifier.h, else the classifier of models/cls_r_gan.h
  int epochs = 10;
  int images = 0;             // drawn from the training set; 0: all of it
  bool falling_rate = false;  // a tenth from 60 % of the epochs on, a hundredth from 85 %
  int batch = 128;
  bool operator==(const ClassifierPlan&) const = default;
};
nlohmann::json about(const ClassifierPlan& plan);

// A network and its two halves: features of images in 0..1, and the logits of features.
struct Classifier {
  std::unique_ptr<Module> network;
  std::function<Tensor(const Tensor&)> features, scores;

  Tensor logits(const Tensor& images) const { return scores(features(images)); }
};

// A set with its name in results.
struct TestSet {
  std::string name;
  const ImageSet* images;
};

// A cell: trains with Adam 0.001, leaves classifier.safetensors in the cell's folder and returns the accuracy at the
// end on each of `tests` under its name, and "images".
nlohmann::json run_classifier(CellRun& run, const ClassifierPlan& plan, const ImageSet& train,
                              const std::vector<TestSet>& tests, uint64_t seed);

// The classifier that such a cell left, in evaluation mode.
Classifier load_classifier(Context& context, const ClassifierPlan& plan, int classes, const Finished& cell);

// Its weights.
std::filesystem::path classifier_file(const Finished& cell);

// What a classifier says of a set.
struct Judgement {
  std::vector<int32_t> labels;      // the most probable class of each image
  std::vector<double> confidence;   // its probability
  metrics::Features probabilities;  // {N, classes}
  metrics::Features features;       // {N, F}: what the last layer sees
};
// REQUIRES: the network is in evaluation mode.
Judgement judge(const Classifier& classifier, const ImageSet& images);

// The share of images whose label the classifier finds.
double accuracy(const Judgement& judgement, const ImageSet& images);

// A training set for the expert: `train` and 0.6 times as many of its images, drawn and deformed (in place of the
// paper's 36,000 fakes annotated by hand).
ImageSet expert_training_set(const ImageSet& train, uint64_t seed);
// Nine tenths of a test set, drawn and deformed in the same way.
ImageSet deformed_test_set(const ImageSet& test, uint64_t seed);

}  // namespace tobogan
