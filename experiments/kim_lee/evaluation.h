// What the tables say of a set of fakes.
#pragma once
#include "experiments/kim_lee/plan.h"
#include "experiments/training/classifier.h"

namespace tobogan::kim_lee {

// Maps images to what a model's own clustering sees: [E_n, softmax E_c].  For ACGAN: the logits of its classes.
using Embed = std::function<metrics::Features(const ImageSet& images)>;

inline constexpr int kPixelFakes = 2000;  // at most; k-means on pixels is dear, and says little
inline constexpr int kKidSubsets = 10;
// The least number of images, fakes or of the test set, whose distribution is compared with another.
inline constexpr int kFewestImages = 20;

struct Evaluation {
  const ImageSet* fakes;  // with the classes they were asked for
  const ImageSet* test;   // plain test set: reference of Frechet distance
  const Classifier* expert;
  Embed embed;
  bool cluster = true;  // by k-means of the embedding; false: the embedding's largest column is the cluster
  int diversity_images;
  uint64_t seed;
  int threads;
};

// Judges fakes and returns
//   "acc"       100 * share of fakes in which the expert sees the class asked for; "matched": after the best renaming
//   "nmi", "ari"  of the expert's labels with the model's own clusters; "gen_": with the classes asked for; "pixel_":
//               with k-means on pixels; "real_": of the test set's labels with k-means on its embedding
//   "fid_h", "is_h", "is_h_deviation"  in features and classes of the expert
//   "div", "species", "div_between"    section 2.e.5 of the specification
//   "precision", "recall", "density", "coverage", "kid_h"  in features of the expert
//   "expert": its label of every fake; "fakes": how many there are of each class.
// Numbers that so few fakes cannot have are null; without a single one the diversity is 0, as in a class of one fake.
nlohmann::json evaluate(CellRun& run, const Evaluation& what);

}  // namespace tobogan::kim_lee
