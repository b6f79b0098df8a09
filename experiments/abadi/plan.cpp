// The sizes of the three profiles; "paper" has the paper's own.
#include "experiments/abadi/plan.h"

namespace tobogan::abadi {
namespace {

const std::vector<double> kFakeRatios{1, 2, 4};
const std::vector<double> kMixedRatios{0, 0.25, 0.5, 0.75, 1, 2, 4};
const std::vector<double> kColourRatios{0, 0.01, 0.025, 0.05, 0.075, 0.1};

ColourPlan full_colour(int gan_epochs) {
  return {.alpha = 2,
          .gan_images_per_class = 5000,
          .gan_epochs = gan_epochs,
          .classifier_images = 50000,
          .classifier_epochs = 15,
          .classifier_width = 1,
          .ratios = kColourRatios};
}

Plan quick() {
  return {.width = {.alphas = {0.25, 0.5, 1}, .sample = {200, 200}},
          .digits = {.alpha = 0.5,
                     .samples = {{500, 300}, {1000, 150}},
                     .fake_ratios = {1, 2},
                     .mixed_ratios = {0, 0.5, 1, 2}},
          .colour = {.alpha = 0.5,
                     .gan_images_per_class = 1000,
                     .gan_epochs = 10,
                     .classifier_images = 5000,
                     .classifier_epochs = 5,
                     .classifier_width = 0.5,
                     .ratios = {0, 0.05, 0.1}},
          .synthetic_test = 2000};
}

Plan standard() {
  return {.width = {.alphas = {1, 2, 4}, .sample = {500, 500}},
          .digits = {.alpha = 2,
                     .samples = {{500, 500}, {1000, 500}, {2000, 500}, {4000, 500}, {60000, 50}},
                     .fake_ratios = kFakeRatios,
                     .mixed_ratios = kMixedRatios},
          .colour = full_colour(50)};
}

Plan paper() {
  return {.width = {.alphas = {1, 2, 4}, .sample = {500, 2000}},
          .digits = {.alpha = 2,
                     .samples = {{500, 2000}, {1000, 2000}, {2000, 2000}, {4000, 2000}, {60000, 2000}},
                     .fake_ratios = kFakeRatios,
                     .mixed_ratios = kMixedRatios},
          .colour = full_colour(3000)};
}

}  // namespace

Plan plan_for(Profile profile) {
  switch (profile) {
    case Profile::quick:
      return quick();
    case Profile::standard:
      return standard();
    case Profile::paper:
      return paper();
  }
  return quick();
}

}  // namespace tobogan::abadi
