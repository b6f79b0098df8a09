// One GAN for one class: trained on the images of a sample that have the class, then asked for a pool of fakes.
#pragma once
#include "datasets/batches.h"
#include "engine/optim.h"
#include "engine/readings.h"
#include "engine/serialize.h"
#include "engine/step.h"
#include "experiments/training/training.h"
#include "models/tutorial_dcgan.h"

namespace tobogan::abadi {

struct GanConfig {
  TutorialDcganOptions network;
  int label = 0;   // the class
  int epochs = 0;  // over the class's images
  int batch = 64;
  int fakes = 0;      // size of the pool
  uint64_t seed = 0;  // of this GAN alone
};

// A GAN in training.  Losses and optimisers as the specification has them: L_D = 1/2 [BCE(D(x), 1) + BCE(D(G(z)), 0)],
// L_G = BCE(D(G(z)), 1), both gradients from the same forward pass, Adam 0.001 in Keras' form for both.
// Its log is [step, L_D, L_G] at a hundred points along the way.
class ClassGan : public Training {
 public:
  // `images` are those of the class.
  ClassGan(Machine& machine, const GanConfig& config, const ImageSet& images);

  void save_generator(const std::filesystem::path& path) const { tobogan::save(path, generator_.state()); }

  // `count` fakes of the generator as it is in use (running statistics), labelled with the class.
  // Throws Interrupted when the cell was asked to stop.
  ImageSet sample(const CellRun& run, int count);

 private:
  void step() override;
  State state() override;
  void train_once();

  GanConfig config_;
  ImageSet form_;  // names and sizes of what is generated
  DeviceImages images_;
  Batches batches_;
  TutorialGenerator generator_;
  TutorialDiscriminator discriminator_;
  Adam generator_adam_, discriminator_adam_;
  Readings readings_;  // L_D, L_G of the last step
  Step step_;
};

// A cell: trains the GAN, leaves "fakes" (see images_file) and generator.safetensors in the cell's folder, and returns
// the losses along the way.
nlohmann::json run_gan(CellRun& run, const GanConfig& config, const ImageSet& images);

// A set of images in a cell's folder, as IDX where they are grey and CIFAR records where they are colour.
void write_images(const std::filesystem::path& folder, const ImageSet& images);
ImageSet read_images(const std::filesystem::path& folder, const ImageSet& form);

}  // namespace tobogan::abadi
