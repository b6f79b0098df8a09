// How large each part of Mudavathu's study is.  A profile changes sizes, never the protocol.
#pragma once
#include "experiments/run/options.h"
#include "experiments/training/classifier.h"

namespace tobogan::mudavathu {

// M1, the gated GAN.
struct GatedPlan {
  std::string data = "fashion-mnist";
  int maps = 64, batch = 64, iterations = 10000;
  int log_every = 1000;
  double dropout = 0.4;
  // The generator is left alone where gate_g * its loss < the discriminator's, and the other way round.
  double gate_g = 1, gate_d = 1;
  bool operator==(const GatedPlan&) const = default;
};

// M2, the AC-GAN.
struct ConditionalPlan {
  double width = 1;  // multiplies the numbers of maps
  int stem = 16;     // maps of the generator's first layer
  int batch = 100, epochs = 1400;
  bool true_epochs = false;  // an epoch is a pass over the images, not an iteration
  bool invert = false;       // 255 - x before the rescaling
  int picture_every = 200;   // epochs
  int judged = 10000;        // fakes shown to the expert
  bool operator==(const ConditionalPlan&) const = default;
};

struct Plan {
  GatedPlan gated;
  ConditionalPlan conditional;
  int train_images = 0;                              // of all images; 0: 70 %
  ClassifierPlan expert;                             // judges fakes
  ClassifierPlan augmented;                          // learns from real images and fakes
  int real_images = 0;                               // that it learns from; 0: all of the training images
  std::vector<double> fake_shares{0, 10.0 / 49, 1};  // and so many times as many fakes
  int synthetic_images = 70000;
  bool operator==(const Plan&) const = default;
};

Plan plan_for(Profile profile);

}  // namespace tobogan::mudavathu
