// M2: an AC-GAN as Keras-GAN trains it.
#pragma once
#include "datasets/batches.h"
#include "engine/optim.h"
#include "engine/readings.h"
#include "engine/step.h"
#include "experiments/mudavathu/plan.h"
#include "experiments/training/training.h"
#include "models/upsampling_acgan.h"

namespace tobogan::mudavathu {

// An iteration: D moves on BCE(., 1) + CE(class, y) of real images, again on BCE(., 0) + CE(class, k) of fakes made by
// the generator as it is in use, and then G on BCE(., 1) + CE(class, k) of fakes from the same noise.  Adam 2e-4, 0.5.
class ConditionalGan : public Training {
 public:
  // Pictures are stored in `folder` along the way.
  ConditionalGan(Machine& machine, const ConditionalPlan& plan, const ImageSet& images, uint64_t seed,
                 std::filesystem::path folder);

  // log(): {"losses": [[iteration, D, G], ...], "right": sums over the last 100 iterations of D's accuracy on the
  // classes of real images and of fakes, "iterations": how many of those}.  D is the mean of its two losses.

  State generator_state() const { return generator_.state(); }
  // Fakes of the generator as it is in use, of these classes, from the named stream.
  ImageSet sample(std::span<const int32_t> labels, const std::string& stream);
  // What D says: the probability of being real, and the most probable class.
  struct Verdicts {
    std::vector<double> real;
    std::vector<int32_t> labels;
  };
  Verdicts judge(const ImageSet& images);

 private:
  void step() override;
  State state() override;
  void train_once();
  void picture(int64_t epoch);
  ImageSet turned(const ImageSet& images) const;  // inverted if the plan says so; twice is nothing

  ConditionalPlan plan_;
  std::filesystem::path folder_;
  ImageSet form_;
  DeviceImages images_;
  Batches batches_;
  UpsamplingGenerator generator_;
  FourLayerDiscriminator discriminator_;
  Adam adam_g_, adam_d_;
  Readings readings_;  // L_D, L_G and D's accuracy on the classes of real images and of fakes
  Step step_;
};

// The epochs after which there is a picture: every so many, and the last.
inline std::vector<int> pictured_epochs(const ConditionalPlan& plan) {
  std::vector<int> epochs;
  for (int epoch = 0; epoch < plan.epochs; epoch += plan.picture_every) epochs.push_back(epoch);
  epochs.push_back(plan.epochs);
  return epochs;
}

// A cell: trains the GAN, leaves generator.safetensors, pictures ("grid-0", "grid-200", ...: ten of each class),
// "judged" (fakes in equal parts of each class) and "accepted" (`accepted` fakes that D takes for real), and returns
// the log with "held_out", D's accuracy on the classes of images it never saw, and "drawn", how many fakes it took.
nlohmann::json run_conditional(CellRun& run, const ConditionalPlan& plan, const Dataset& data, int accepted,
                               uint64_t seed);

}  // namespace tobogan::mudavathu
