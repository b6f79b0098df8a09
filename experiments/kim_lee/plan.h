// How large each part of Kim & Lee's study is, and what can be chosen.  A profile changes sizes, never the protocol.
#pragma once
#include "experiments/metrics/ssim.h"
#include "experiments/run/options.h"
#include "experiments/training/classifier.h"

namespace tobogan::kim_lee {

// What a generator's batch norm does when fakes are drawn.
enum class Statistics {
  running,  // averages along the training
  batch,    // those of the batch, as ClusterGAN's authors do: an image depends on its batch
  standing  // running averages of many batches through the finished generator
};

// ClusterGAN and CLS-R GAN.
struct ClusterPlan {
  double width = 1;  // multiplies the numbers of maps and of hidden units
  int batch = 64, critic_steps = 5, iterations = 50000;
  double noise = 0.1;         // standard deviation of z_n
  double self_augment = 0;    // share of the critic's real images that are qualified fakes, in the second half
  double quality_weight = 1;  // of the quality loss
  bool operator==(const ClusterPlan&) const = default;
};

struct AcganPlan {
  double width = 1;
  int batch = 100, iterations = 30000;
  bool operator==(const AcganPlan&) const = default;
};

struct EvaluationPlan {
  int per_class = 1000;  // fakes
  double p_min = 0.9;    // probability from which a fake is qualified
  Statistics statistics = Statistics::running;
  int diversity_images = 200;  // of each class
  int tsne_per_class = 200, tsne_iterations = 1000;
  bool operator==(const EvaluationPlan&) const = default;
};

struct Plan {
  ClusterPlan cluster;
  AcganPlan acgan;
  ClassifierPlan classifier;  // C
  ClassifierPlan expert;      // H
  EvaluationPlan evaluation;
  metrics::SsimWindow window = metrics::SsimWindow::kUniform7;  // of the content bias
  std::filesystem::path inception = {};                         // weights; empty: no Inception numbers
  std::string inception_digest = {};                            // tells them from others, in the cells' configuration
  std::vector<double> p_mins{0.5, 0.7, 0.8, 0.9, 0.95, 0.99};   // of the sweep
  int synthetic_train = 60000, synthetic_test = 10000;
  bool operator==(const Plan&) const = default;
};

Plan plan_for(Profile profile);

}  // namespace tobogan::kim_lee
