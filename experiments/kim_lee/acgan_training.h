// The AC-GAN of the tables, trained as Keras' example trains it.
#pragma once
#include "datasets/batches.h"
#include "engine/optim.h"
#include "engine/readings.h"
#include "engine/step.h"
#include "experiments/kim_lee/plan.h"
#include "experiments/training/training.h"
#include "models/acgan.h"

namespace tobogan::kim_lee {

// D moves on the mean over real images and fakes of BCE(source) with targets 0.9 and 0.1, plus CE(class) of the real
// images alone; G on BCE(source, 0.9) + CE(class) of twice as many new fakes.  Adam 2e-4, 0.5; z uniform in -1..1.
class AcganTraining : public Training {
 public:
  AcganTraining(Machine& machine, const AcganPlan& plan, const ImageSet& images, uint64_t seed);

  // log(): [[iteration, L_D, L_G], ...].

  State generator_state() const { return generator_.state(); }
  State discriminator_state() const { return discriminator_.state(); }

 private:
  void step() override;
  State state() override;
  void train_discriminator();
  void train_generator();
  Tensor noise(int count);

  AcganPlan plan_;
  DeviceImages images_;
  Batches batches_;
  AcganGenerator generator_;
  AcganDiscriminator discriminator_;
  Adam adam_g_, adam_d_;
  Readings readings_;  // L_D, L_G
  Step step_;
  Tensor loss_d_;
};

inline AcganOptions network(const AcganPlan& plan, int classes) {
  return {.width = plan.width, .classes = classes};
}

}  // namespace tobogan::kim_lee
