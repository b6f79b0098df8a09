// ClusterGAN and CLS-R GAN: one training, with and without the quality loss and the clustering loop.
#pragma once
#include <optional>

#include "datasets/batches.h"
#include "engine/optim.h"
#include "engine/readings.h"
#include "engine/step.h"
#include "experiments/kim_lee/plan.h"
#include "experiments/training/training.h"
#include "models/cls_r_gan.h"

namespace tobogan::kim_lee {

// What makes a ClusterGAN a CLS-R GAN, and the ablations.
struct Method {
  bool quality = false;  // the self-improvement loop: CE(C(G(z)), k) of a frozen classifier
  bool encoder = true;   // the clustering loop; without it the encoder keeps the weights it started with
};

// An iteration: `critic_steps` steps of the critic on new fakes (which do not move the generator's running statistics),
// one of generator and encoder.  Adam 1e-4, 0.5, 0.9 for the critic and for generator with encoder.
class ClusterTraining : public Training {
 public:
  // `classifier`: the file of the frozen C; read for the quality loss, without which plan.self_augment must be 0.
  // Qualified fakes that it then trains on are kept in `folder`.
  ClusterTraining(Machine& machine, const ClusterPlan& plan, Method method, const ImageSet& images, uint64_t seed,
                  const std::filesystem::path& classifier, std::filesystem::path folder,
                  const EvaluationPlan& evaluation);

  // log(): [[iteration, L_D of the last critic step, L_GE], ...].

  State generator_state() const { return generator_.state(); }
  State encoder_state() const { return encoder_.state(); }

 private:
  void step() override;
  State state() override;
  void train_critic();
  void train_generator();
  Tensor real_images();
  void keep_qualified();

  ClusterPlan plan_;
  Method method_;
  std::filesystem::path folder_;
  EvaluationPlan evaluation_;  // says what is qualified
  ImageSet form_;
  DeviceImages images_;
  Batches batches_;
  ClusterGenerator generator_;
  ClusterCritic critic_;
  ClusterEncoder encoder_;
  std::optional<IndependentClassifier> classifier_;
  Adam adam_ge_, adam_d_;
  Readings losses_d_, losses_ge_;
  Step critic_step_, generator_step_;
  std::optional<DeviceImages> qualified_;
  std::optional<Batches> qualified_batches_;
};

inline ClusterGanOptions network(const ClusterPlan& plan, int classes) {
  return {.width = plan.width, .classes = classes};
}

}  // namespace tobogan::kim_lee
