// Names and the resize are those of the published graph: a feature is comparable only if both are.
#include "experiments/metrics/inception.h"

#include <algorithm>

#include "datasets/batches.h"
#include "engine/autograd.h"
#include "engine/serialize.h"
#include "experiments/metrics/inception_score.h"

namespace tobogan::metrics {
namespace {

constexpr int kBatch = 16;  // the stem holds 11 MB an image

// "inception.Mixed_5b.branch1x1.bn.gamma" to "Mixed_5b.branch1x1.bn.weight".
std::string name_in_file(const InceptionV3& network, std::string name) {
  name.erase(0, network.name().size() + 1);
  const auto rename = [&](const std::string& ours, const std::string& theirs) {
    if (name.ends_with(ours)) name.replace(name.size() - ours.size(), ours.size(), theirs);
  };
  rename(".gamma", ".weight");
  rename(".beta", ".bias");
  rename(".running_variance", ".running_var");
  return name;
}

// Bytes {N, C, H, W} as numbers 0..255 to what the network sees.
Tensor network_input(const Tensor& bytes) {
  const Tensor colour = bytes.shape()[1] == 3 ? bytes : concat({bytes, bytes, bytes}, 1);
  return (resize_bilinear(colour, InceptionV3::kSide, ResizeRule::kTensorFlow1) - 128) * (1.0 / 128);
}

}  // namespace

void load_inception(const std::filesystem::path& file, InceptionV3& network) {
  State state = network.state();
  for (NamedValue& value : state) value.name = name_in_file(network, value.name);
  load(file, state);
}

std::string inception_unavailable(const std::filesystem::path& file) {
  if (file.empty()) return "n/a: no Inception weights were given";
  if (!std::filesystem::is_regular_file(file)) return "n/a: there is no file of Inception weights " + file.string();
  return "";
}

InceptionFeatures inception_features(InceptionV3& network, const ImageSet& images, const OnProgress& progress) {
  check(images.channels == 1 || images.channels == 3, images.source, ": expected grey or colour images, got ",
        images.channels, " channels");
  const NoGrad off;
  network.eval();
  InceptionFeatures result{Features(images.count, InceptionV3::kFeatures),
                           Features(images.count, InceptionV3::kClasses)};
  const DeviceImages device_images(images, network.context().device);
  for (int begin = 0; begin < images.count; begin += kBatch) {
    const int end = std::min(begin + kBatch, images.count);
    const Tensor features = network(network_input(device_images.range(begin, end, {.low = 0, .high = 255}).images));
    result.features.middleRows(begin, end - begin) = features_of(features);
    result.probabilities.middleRows(begin, end - begin) = softmax_rows(features_of(network.logits(features)));
    if (progress) progress(end, images.count);
  }
  return result;
}

double inception_cost(int64_t images) {
  return 5.7e9 * static_cast<double>(images);
}

}  // namespace tobogan::metrics
