// The sizes of the three profiles.  "standard" is "paper" but for the expert, whose training is most of its time.
#include "experiments/mudavathu/plan.h"

namespace tobogan::mudavathu {
namespace {

Plan full(int expert_epochs) {
  return {.gated = {},
          .conditional = {},
          .expert = {.expert = true, .epochs = expert_epochs, .falling_rate = true},
          .augmented = {.epochs = 10}};
}

// The expert of the quick profile has the classifier's network: it too must be trained within the minutes there are.
Plan quick() {
  return {.gated = {.maps = 16, .batch = 32, .iterations = 3000, .log_every = 300},
          .conditional = {.width = 0.5, .batch = 32, .judged = 1000},
          .expert = {.epochs = 3, .images = 20000, .falling_rate = true},
          .augmented = {.epochs = 2},
          .real_images = 4900,
          .synthetic_images = 10000};
}

}  // namespace

Plan plan_for(Profile profile) {
  switch (profile) {
    case Profile::quick:
      return quick();
    case Profile::standard:
      return full(8);
    case Profile::paper:
      return full(20);
  }
  return quick();
}

}  // namespace tobogan::mudavathu
