// Biased sets are made once for each (set, bias, seed) and shared by the cells that ask for them.
#include "experiments/kim_lee/data.h"

#include "datasets/image_folder.h"
#include "datasets/load.h"
#include "datasets/synthetic.h"
#include "engine/error.h"
#include "engine/random.h"

namespace tobogan::kim_lee {

std::string to_string(Bias bias) {
  return bias == Bias::plain ? "plain" : bias == Bias::size ? "size" : "content";
}

Data::Data(std::filesystem::path root, std::filesystem::path images, const Plan& plan)
    : root_(std::move(root)),
      images_(std::move(images)),
      plan_(plan),
      sets_([this](const std::string& name) { return load(name); }) {}

Dataset Data::load(const std::string& name) const {
  if (name == kOwnImages) return load_image_folders(images_, {.height = 28, .width = 28, .channels = 1});
  if (!root_.empty()) return load_dataset(root_, name, 0);
  // Two sets of one kind: what is drawn in place of Fashion-MNIST has another seed.
  return synthetic_glyphs(
      {.train = plan_.synthetic_train, .test = plan_.synthetic_test, .seed = name == kMnist ? 1u : 2u});
}

nlohmann::json Data::identity(const std::string& name) {
  if (root_.empty() && name != kOwnImages) return {{"synthetic", {plan_.synthetic_train, plan_.synthetic_test}}};
  return {{"fingerprint", sets_.fingerprint(name)}};
}

std::shared_ptr<const Biased> Data::train(const std::string& name, Bias bias, uint64_t seed) {
  const ImageSet& plain = set(name).train;
  const std::lock_guard lock(mutex_);
  std::shared_ptr<const Biased>& slot = biased_[{name, bias, seed}];
  if (slot) return slot;
  check(bias == Bias::plain || plain.classes() > kBiasedClass, "biased sets lack variety in class ", kBiasedClass,
        ", and ", plain.source, " has ", plain.classes(), " classes");
  const uint64_t own = stream_key(seed, "bias/" + name + "/" + to_string(bias));
  const metrics::SsimOptions ssim{.height = plain.height, .width = plain.width, .window = plan_.window};
  if (bias == Bias::plain) {
    slot = std::make_shared<const Biased>(Biased{.set = plain, .kept = {}});
  } else if (bias == Bias::size) {
    slot = std::make_shared<const Biased>(size_bias(plain, {.label = kBiasedClass}, own));
  } else {
    slot = std::make_shared<const Biased>(content_bias(
        plain, {.label = kBiasedClass}, [&](auto a, auto b) { return metrics::ssim(a, b, ssim); }, own));
  }
  return slot;
}

}  // namespace tobogan::kim_lee
