// Training and test images of the published set are joined, shuffled by seed, and cut 70 : 30.
#include "experiments/mudavathu/data.h"

#include "datasets/load.h"
#include "datasets/synthetic.h"
#include "engine/error.h"
#include "engine/random.h"

namespace tobogan::mudavathu {

Data::Data(std::filesystem::path root, int synthetic, int train_images)
    : root_(std::move(root)),
      synthetic_(synthetic),
      train_images_(train_images),
      sets_([this](const std::string& name) {
        return this->synthetic() ? synthetic_glyphs({.train = synthetic_, .test = 0}) : load_dataset(root_, name, 0);
      }) {}

nlohmann::json Data::identity(const std::string& name) {
  if (synthetic()) return {{"synthetic_images", synthetic_}};
  return {{"fingerprint", sets_.fingerprint(name)}};
}

std::shared_ptr<const Dataset> Data::split(const std::string& name, uint64_t seed) {
  const std::lock_guard lock(mutex_);
  std::shared_ptr<const Dataset>& slot = splits_[{name, seed}];
  if (slot) return slot;
  const Dataset& published = sets_.get(name);
  const ImageSet all = published.test.count ? concatenate(published.train, published.test) : published.train;
  const int train = train_images_ ? train_images_ : static_cast<int>(all.count * 7LL / 10);
  check(train < all.count, "--train-images ", train, ": expected less than the ", all.count, " images of ", all.source);
  const std::vector<int32_t> order = draw_indices(all.count, all.count, stream_key(seed, "split"));
  const auto middle = order.begin() + train;
  slot = std::make_shared<const Dataset>(
      Dataset{subset(all, std::vector(order.begin(), middle)), subset(all, std::vector(middle, order.end()))});
  return slot;
}

}  // namespace tobogan::mudavathu
