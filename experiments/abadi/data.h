// The images of Abadi's study, loaded when a cell first asks for them.
//
// Seeds are split here: the same seed and sample size always name the same images, for the GANs and for the
// classifiers.
#pragma once
#include <filesystem>
#include <nlohmann/json.hpp>

#include "datasets/loaded_sets.h"

namespace tobogan::abadi {

inline constexpr const char *kDigits = "mnist", *kColour = "cifar-10";

class Data {
 public:
  // `root` holds mnist/ and cifar-10/; where it is empty, glyphs and shapes are drawn instead: `train` and `test` of
  // each.
  Data(std::filesystem::path root, int synthetic_train, int synthetic_test);

  bool synthetic() const { return root_.empty(); }
  // Any thread may ask.  Throws Error for missing and corrupt files.
  const Dataset& digits() { return sets_.get(kDigits); }
  const Dataset& colour() { return sets_.get(kColour); }
  // What tells kDigits or kColour from other images of the name, for the configuration of cells.
  nlohmann::json identity(const std::string& name);

 private:
  std::filesystem::path root_;
  int synthetic_train_, synthetic_test_;
  LoadedSets sets_;
};

// The sample of `count` training images that a seed names: drawn without replacement, not stratified.
ImageSet draw_sample(const ImageSet& train, int count, uint64_t seed);

// The first `per_class` images of one class in a random order that a seed names; all of them where 0.
ImageSet draw_class(const ImageSet& train, int label, int per_class, uint64_t seed);

}  // namespace tobogan::abadi
