// The images of Abadi's study, loaded when a cell first asks for them.
//
// Seeds are split here: the same seed and sample size always name the same images, for the GANs and for the
// classifiers.
#pragma once
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>

#include "datasets/dataset.h"

namespace tobogan::abadi {

class Data {
 public:
  // `root` holds mnist/ and cifar-10/; where it is empty, glyphs and shapes are drawn instead: `train` and `test` of
  // each.
  Data(std::filesystem::path root, int synthetic_train, int synthetic_test);

  bool synthetic() const { return root_.empty(); }
  // Any thread may ask.  Throws Error for missing and corrupt files.
  const Dataset& digits();
  const Dataset& colour();

 private:
  const Dataset& load(std::optional<Dataset>& slot, const std::function<Dataset()>& loader);

  std::filesystem::path root_;
  int synthetic_train_, synthetic_test_;
  std::mutex mutex_;
  std::optional<Dataset> digits_, colour_;
};

// The sample of `count` training images that a seed names: drawn without replacement, not stratified.
ImageSet draw_sample(const ImageSet& train, int count, uint64_t seed);

// The first `per_class` images of one class in a random order that a seed names; all of them where 0.
ImageSet draw_class(const ImageSet& train, int label, int per_class, uint64_t seed);

}  // namespace tobogan::abadi
