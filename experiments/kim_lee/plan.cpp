// The sizes of the three profiles; "paper" has those of the specification (the paper names none).
#include "experiments/kim_lee/plan.h"

namespace tobogan::kim_lee {
namespace {

Plan full(int iterations, int acgan_iterations, int expert_epochs) {
  return {.cluster = {.iterations = iterations},
          .acgan = {.iterations = acgan_iterations},
          .classifier = {.epochs = 10},
          .expert = {.expert = true, .epochs = expert_epochs, .falling_rate = true},
          .evaluation = {}};
}

// The expert of the quick profile has the classifier's network: it too must be trained within the minutes there are.
Plan quick() {
  return {.cluster = {.width = 0.25, .batch = 32, .critic_steps = 2, .iterations = 1500},
          .acgan = {.width = 0.25, .batch = 32, .iterations = 1500},
          .classifier = {.epochs = 2, .images = 10000},
          .expert = {.epochs = 3, .images = 20000, .falling_rate = true},
          .evaluation = {.per_class = 100, .diversity_images = 50, .tsne_per_class = 50, .tsne_iterations = 500},
          .synthetic_train = 20000,
          .synthetic_test = 2000};
}

}  // namespace

Plan plan_for(Profile profile) {
  switch (profile) {
    case Profile::quick:
      return quick();
    case Profile::standard:
      return full(8000, 3600, 8);
    case Profile::paper:
      return full(50000, 30000, 20);
  }
  return quick();
}

}  // namespace tobogan::kim_lee
