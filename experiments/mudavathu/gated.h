// M1: a GAN of which in each iteration only the network that is behind is trained.
#pragma once
#include "datasets/batches.h"
#include "engine/optim.h"
#include "engine/step.h"
#include "experiments/mudavathu/plan.h"
#include "experiments/training/training.h"
#include "models/gated_gan.h"

namespace tobogan::mudavathu {

// One pass in training mode over a batch and as many fakes gives the losses d = (BCE(D(x), 1) + BCE(D(G(z)), 0)) / 2
// and g = BCE(D(G(z)), 1); the gates look at them, and what they let through is trained on the gradients of that very
// pass. RMSProp in TensorFlow 1's form, rate 1.5e-4, with 1e-6 * sum(w^2) / 2 added to either loss.
class GatedGan : public Training {
 public:
  GatedGan(Machine& machine, const GatedPlan& plan, const ImageSet& images, uint64_t seed);

  // log(): {"losses": [[iteration, 2d, g], ...], "trained": [times G was trained, times D was]}.  2d, the sum, is what
  // the paper prints.  Iteration 0 is before any training.
  const nlohmann::json& losses() const { return log().at("losses"); }

  State generator_state() const { return generator_.state(); }
  // Fakes of the generator as it is in use.
  ImageSet sample(const ImageSet& form, int count);

 private:
  void step() override { step_(batches_.next_size()); }
  State state() override;
  void train_once();

  GatedPlan plan_;
  DeviceImages images_;
  Batches batches_;
  GatedGenerator generator_;
  GatedDiscriminator discriminator_;
  RmsProp rms_g_, rms_d_;
  Step step_;
};

// A cell: trains the GAN, leaves generator.safetensors and 64 fakes, and returns its log.
nlohmann::json run_gated(CellRun& run, const GatedPlan& plan, const ImageSet& images, uint64_t seed);

}  // namespace tobogan::mudavathu
