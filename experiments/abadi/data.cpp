// Real files where there is a root, procedural images where there is none.
#include "experiments/abadi/data.h"

#include "datasets/load.h"
#include "datasets/synthetic.h"
#include "engine/error.h"
#include "engine/random.h"

namespace tobogan::abadi {

Data::Data(std::filesystem::path root, int synthetic_train, int synthetic_test)
    : root_(std::move(root)), synthetic_train_(synthetic_train), synthetic_test_(synthetic_test) {}

const Dataset& Data::load(std::optional<Dataset>& slot, const std::function<Dataset()>& loader) {
  const std::lock_guard lock(mutex_);
  if (!slot) slot = loader();
  return *slot;
}

const Dataset& Data::digits() {
  return load(digits_, [&] {
    return synthetic() ? synthetic_glyphs({.train = synthetic_train_, .test = synthetic_test_})
                       : load_dataset(root_, "mnist", 0);
  });
}

const Dataset& Data::colour() {
  return load(colour_, [&] {
    return synthetic() ? synthetic_shapes({.train = synthetic_train_, .test = synthetic_test_})
                       : load_dataset(root_, "cifar-10", 0);
  });
}

ImageSet draw_sample(const ImageSet& train, int count, uint64_t seed) {
  check(count <= train.count, "a sample of ", count, " images was asked for; ", train.source, " has ", train.count);
  return subset(train, draw_indices(count, train.count, stream_key(seed, concat_text("sample/", count))));
}

ImageSet draw_class(const ImageSet& train, int label, int per_class, uint64_t seed) {
  const std::vector<int32_t> of_label = of_class(train, label);
  const int available = static_cast<int>(of_label.size()), count = per_class ? per_class : available;
  check(count <= available, count, " images of class ", label, " were asked for; ", train.source, " has ", available);
  std::vector<int32_t> drawn = draw_indices(count, available, stream_key(seed, concat_text("class/", label)));
  for (int32_t& index : drawn) index = of_label[index];
  return subset(train, drawn);
}

}  // namespace tobogan::abadi
