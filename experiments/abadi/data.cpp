// Real files where there is a root, procedural images where there is none.
#include "experiments/abadi/data.h"

#include "datasets/load.h"
#include "datasets/synthetic.h"
#include "engine/error.h"
#include "engine/random.h"

namespace tobogan::abadi {

Data::Data(std::filesystem::path root, const SyntheticSizes& sizes)
    : root_(std::move(root)), sizes_(sizes), sets_([this](const std::string& name) {
        if (!synthetic()) return load_dataset(root_, name, 0);
        return name == kDigits ? synthetic_glyphs({.train = sizes_.digits, .test = sizes_.test})
                               : synthetic_shapes({.train = sizes_.colour, .test = sizes_.test});
      }) {}

// Which images a sample has depends on how many there are to draw from.
nlohmann::json Data::identity(const std::string& name) {
  if (synthetic()) return {{"synthetic", {name == kDigits ? sizes_.digits : sizes_.colour, sizes_.test}}};
  return {{"fingerprint", sets_.fingerprint(name)}};
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
