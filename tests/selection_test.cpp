// Kim & Lee's qualified fakes: which are kept, how many draws it takes, and what a fake's batch has to do with it.
#include "experiments/kim_lee/selection.h"

#include <algorithm>

#include "engine/autograd.h"
#include "tests/support/catch.h"

namespace tobogan::kim_lee {
namespace {

ImageSet form() {
  return {.channels = 1, .height = 28, .width = 28, .class_names = {"dark", "grey", "bright"}, .source = "greys"};
}

// Dark, grey, bright, dark, ... whatever is asked for.
ImageSet greys(std::span<const int32_t> labels) {
  ImageSet set = blank_like(form(), static_cast<int>(labels.size()));
  for (int i = 0; i < set.count; ++i) std::ranges::fill(set.image(i), static_cast<uint8_t>(127 * (i % 3)));
  set.labels.assign(labels.begin(), labels.end());
  return set;
}

// Sees the brightness: dark and bright are sure (probability 0.998), grey is not (0.576).
Tensor see(const Tensor& x) {
  std::vector<Real> logits;
  const std::vector<Real> pixels = x.to_host();
  for (int i = 0; i < x.shape()[0]; ++i) {
    const int seen = static_cast<int>(std::lround(2 * pixels[static_cast<size_t>(i) * 784]));
    for (int k = 0; k < 3; ++k) logits.push_back(k == seen ? (seen == 1 ? 1 : 7) : 0);
  }
  return Tensor::from_host({x.shape()[0], 3}, logits, x.device());
}

TEST_CASE("a fake is qualified by its class and the classifier's certainty, and a class may stay short") {
  Machine machine({.threads = 1});
  const auto select = [&](double p_min) {
    return select_qualified(form(), greys, see, machine.device(), {.per_class = 4, .p_min = p_min});
  };
  const Selected strict = select(0.9);
  CHECK(strict.images.labels == std::vector<int32_t>{0, 0, 0, 0, 2, 2, 2, 2});
  CHECK(strict.drawn == std::vector<int>{10, 80, 12});  // every third draw fits; 20 draws for one that is wanted
  CHECK(strict.images.count == 8);
  for (int i = 0; i < 8; ++i) {
    INFO(i);
    CHECK(std::ranges::all_of(strict.images.image(i), [&](uint8_t pixel) { return pixel == (i < 4 ? 0 : 254); }));
  }
  const Selected lax = select(0.5);
  CHECK(lax.images.count == 12);
  CHECK(lax.drawn == std::vector<int>{10, 11, 12});
  CHECK(select(1).images.count == 0);
}

TEST_CASE("an image depends on its batch with batch statistics only") {
  Machine machine({.threads = 1});
  Context context(machine, 5);
  const ClusterGanOptions options{.width = 1.0 / 16};
  const NoGrad off;
  const auto state_of = [](const ClusterGenerator& generator) {
    std::vector<Real> all;
    for (const NamedValue& value : generator.state()) {
      const std::vector<Real> part = std::get<Tensor>(value.value).to_host();
      all.insert(all.end(), part.begin(), part.end());
    }
    return all;
  };
  for (const Statistics statistics : {Statistics::running, Statistics::batch, Statistics::standing}) {
    ClusterGenerator generator(context, "generator", options);
    const std::vector<Real> before = state_of(generator);
    set_statistics(generator, statistics, 0.1);
    const std::vector<Real> ready = state_of(generator);
    CHECK((ready != before) == (statistics == Statistics::standing));
    const ClusterLatent four = ClusterLatent::draw(context.rng["latent"], 4, options, 0.1);
    const std::vector<Real> together = slice(generator(four.z), 0, 0, 2).to_host(),
                            apart = generator(slice(four.z, 0, 0, 2)).to_host();
    double difference = 0;
    for (size_t i = 0; i < apart.size(); ++i)
      difference = std::max<double>(difference, std::abs(apart[i] - together[i]));
    if (statistics == Statistics::batch) {
      CHECK(difference > 1e-3);
    } else {
      CHECK(difference < 1e-5);
    }
    CHECK(state_of(generator) == ready);  // drawing moves nothing
  }
}

TEST_CASE("fakes carry the labels that were asked for, and the noise is a function of the stream") {
  Machine machine({.threads = 1});
  const auto draw = [&](const std::string& stream) {
    Context context(machine, 5);
    ClusterGenerator generator(context, "generator", {.width = 1.0 / 16, .classes = 3});
    set_statistics(generator, Statistics::running, 0.1);
    return draw_cluster_fakes(generator, form(), std::vector<int32_t>{2, 0, 1}, 0.1, stream);
  };
  const ImageSet fakes = draw("one");
  CHECK(fakes.labels == std::vector<int32_t>{2, 0, 1});
  CHECK(fakes.pixels.size() == 3 * 784);
  CHECK(draw("one").pixels == fakes.pixels);
  CHECK(draw("another").pixels != fakes.pixels);
}

TEST_CASE("with batch statistics fakes of one class are drawn among others") {
  Machine machine({.threads = 1});
  Context context(machine, 5);
  ClusterGenerator generator(context, "generator", {.width = 1.0 / 16, .classes = 3});
  // A beta and weights that let the class be seen.
  for (const Tensor& weight : generator.parameters())
    Tensor(weight).set(context.rng["weights"].normal(weight.shape(), 0, 0.3).to_host());
  set_statistics(generator, Statistics::batch, 0.1);
  const auto draw = [&](const std::vector<int32_t>& labels) {
    return draw_cluster_fakes(generator, form(), labels, 0.01, "fakes").pixels;
  };
  const auto distance = [](const std::vector<uint8_t>& a, const std::vector<uint8_t>& b) {
    double sum = 0;
    for (size_t i = 0; i < a.size(); ++i) sum += std::abs(a[i] - b[i]);
    return sum / static_cast<double>(a.size());
  };
  // Normalised among themselves, images of one class would forget which class it is.
  const std::vector<int32_t> zeros(20, 0), ones(20, 1);
  const double within = distance(draw(zeros), draw(zeros)), between = distance(draw(zeros), draw(ones));
  CHECK(between > 2 * within);
}

}  // namespace
}  // namespace tobogan::kim_lee
