// The images of Abadi's study, loaded when a cell first asks for them.
//
// Seeds are split here: of one training set the same seed and sample size always name the same images, for the GANs and
// for the classifiers.
#pragma once
#include <filesystem>
#include <nlohmann/json.hpp>

#include "datasets/loaded_sets.h"

namespace tobogan::abadi {

inline constexpr const char *kDigits = "mnist", *kColour = "cifar-10";

// How many images of each kind are drawn where there are no files: to train on, and to test with.
struct SyntheticSizes {
  int digits, colour, test;
};

class Data {
 public:
  // `root` holds mnist/ and cifar-10/; where it is empty, glyphs and shapes are drawn instead.
  Data(std::filesystem::path root, const SyntheticSizes& sizes);

  bool synthetic() const { return root_.empty(); }
  // Any thread may ask.  Throws Error for missing and corrupt files.
  const Dataset& digits() { return sets_.get(kDigits); }
  const Dataset& colour() { return sets_.get(kColour); }
  // What tells kDigits or kColour from other images of the name, for the configuration of cells.
  nlohmann::json identity(const std::string& name);

 private:
  std::filesystem::path root_;
  SyntheticSizes sizes_;
  LoadedSets sets_;
};

// The sample of `count` training images that a seed names: drawn without replacement, not stratified.
ImageSet draw_sample(const ImageSet& train, int count, uint64_t seed);

// The first `per_class` images of one class in a random order that a seed names; all of them where 0.
ImageSet draw_class(const ImageSet& train, int label, int per_class, uint64_t seed);

}  // namespace tobogan::abadi
