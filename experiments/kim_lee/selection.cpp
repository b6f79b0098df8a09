// Draws for one class go on until enough are qualified or the draws run out.
#include "experiments/kim_lee/selection.h"

#include <algorithm>

#include "engine/autograd.h"
#include "experiments/training/sampling.h"

namespace tobogan::kim_lee {
namespace {

constexpr int kSampleBatch = 64;       // the size that batch statistics are trained with
constexpr int kStandingBatches = 500;  // running averages of weight 0.99 forget all but 0.7 % of what was before
constexpr int kDrawnAtOnce = 320;

}  // namespace

ImageSet draw_cluster_fakes(ClusterGenerator& generator, const ImageSet& form, std::span<const int32_t> labels,
                            double noise, const std::string& stream) {
  Context& context = generator.context();
  const ClusterGanOptions& options = generator.options;
  // By its own statistics a batch of one class would be normalised to something that was never trained: there the fakes
  // that are wanted are a class's share of the batch, and the others are of any class.
  const bool by_batch = generator.training();
  const int wanted_at_once = by_batch ? std::max(1, kSampleBatch / options.classes) : kSampleBatch;
  return sample_images(
      context.device, form, labels, {0, 1},
      [&](const Indices& wanted) {
        const int size = static_cast<int>(wanted.count());
        const Tensor z_n = context.rng[stream].normal({size, options.noise}, 0, noise);
        const Tensor z = ClusterLatent(z_n, wanted, options.classes).z;
        if (!by_batch) return generator(z);
        const Tensor others =
            ClusterLatent::draw(context.rng[stream + "/others"], kSampleBatch - size, options, noise).z;
        return slice(generator(concat({z, others}, 0)), 0, 0, size);
      },
      wanted_at_once);
}

void set_statistics(ClusterGenerator& generator, Statistics statistics, double noise) {
  generator.train();
  generator.track_statistics(statistics == Statistics::standing);
  if (statistics == Statistics::standing) {
    const NoGrad off;
    RandomStream& stream = generator.context().rng["standing"];
    for (int i = 0; i < kStandingBatches; ++i)
      generator(ClusterLatent::draw(stream, kSampleBatch, generator.options, noise).z);
  }
  if (statistics != Statistics::batch) generator.eval();
}

Selected select_qualified(const ImageSet& form, const DrawFakes& draw,
                          const std::function<Tensor(const Tensor&)>& logits, const Device& device,
                          const SelectionOptions& options) {
  const NoGrad off;
  Selected result{.images = blank_like(form, 0), .drawn = std::vector<int>(form.classes())};
  result.images.source = "qualified fakes of " + form.source;
  const int most = options.draws_per_wanted * options.per_class;
  for (int label = 0; label < form.classes(); ++label) {
    int kept = 0;
    int& drawn = result.drawn[label];
    while (kept < options.per_class && drawn < most) {
      const std::vector<int32_t> labels(std::min(kDrawnAtOnce, most - drawn), label);
      const ImageSet fakes = draw(labels);
      const Tensor probabilities = softmax(logits(DeviceImages(fakes, device).range(0, fakes.count, {0, 1}).images));
      const std::vector<int32_t> seen = argmax_rows(probabilities).to_host();
      const std::vector<Real> sure = probabilities.to_host();
      for (int i = 0; i < fakes.count && kept < options.per_class; ++i) {
        ++drawn;
        if (seen[i] != label || sure[static_cast<size_t>(i) * form.classes() + label] < options.p_min) continue;
        const auto image = fakes.image(i);
        result.images.pixels.insert(result.images.pixels.end(), image.begin(), image.end());
        result.images.labels.push_back(label);
        ++kept;
        ++result.images.count;
      }
    }
  }
  return result;
}

}  // namespace tobogan::kim_lee
