// A cell's configuration holds everything its result depends on; its seed comes from the seed of the run and its own
// name.
#include "experiments/abadi/cells.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "engine/random.h"
#include "experiments/abadi/classifier.h"
#include "experiments/abadi/gan.h"

namespace tobogan::abadi {
namespace {

// Collects cells; a cell that two tables share is made once.
class Builder {
 public:
  Builder(const Plan& plan, const Parts& parts, std::shared_ptr<Data> data)
      : plan_(plan), parts_(parts), data_(std::move(data)) {}

  // The GANs of all classes of a sample.  Returns their names.
  std::vector<std::string> add_gans(double alpha, const Sample& sample, double ratio, uint64_t seed) {
    std::vector<std::string> names;
    for (int label = 0; label < kClasses; ++label) names.push_back(add_gan(alpha, sample, ratio, label, seed));
    return names;
  }

  void add_classifier(const Diet& diet, double pool_ratio, uint64_t seed) {
    const std::string name = classifier_name(diet, seed);
    if (!names_.insert(name).second) return;
    std::vector<std::string> gans;
    if (diet.fakes > 0) gans = add_gans(diet.alpha, diet.sample, pool_ratio, seed);
    const ClassifierConfig config{.epochs = plan_.classifier_epochs,
                                  .batch = plan_.batch,
                                  .repeats = plan_.repeats,
                                  .seed = stream_key(seed, name)};
    auto run = [data = data_, diet, gans, config, seed](CellRun& run) {
      const Dataset& digits = data->digits();
      const ImageSet real = draw_sample(digits.train, diet.sample.images, seed);
      ImageSet images = diet.real ? real : blank_like(real, 0);
      for (const std::string& gan : gans) add_fakes(run, gan, diet.fakes, images, real);
      return run_classifier(run, config, images, digits.test);
    };
    nlohmann::json about = {
        {"images", diet.sample.images}, {"real", diet.real},         {"fakes", diet.fakes}, {"epochs", config.epochs},
        {"batch", config.batch},        {"repeats", config.repeats}, {"seed", seed}};
    if (diet.fakes > 0) about["gan"] = gan_settings(diet.alpha, diet.sample.gan_epochs);
    about.update(data_->identity(kDigits));
    cells_.push_back({name, about, gans, run});
  }

  void add_colour_classifier(double ratio, uint64_t seed) {
    const ColourPlan& p = plan_.colour;
    const std::string name = colour_classifier_name(p, ratio, seed);
    std::vector<std::string> gans;
    if (ratio > 0)
      for (int label = 0; label < kClasses; ++label) gans.push_back(add_colour_gan(label, seed));
    const ClassifierConfig config{.network = Network::kSmallCnn,
                                  .width = p.classifier_width,
                                  .epochs = p.classifier_epochs,
                                  .batch = plan_.batch,
                                  .repeats = plan_.repeats,
                                  .seed = stream_key(seed, name)};
    auto run = [data = data_, p, ratio, gans, config, seed](CellRun& run) {
      const Dataset& colour = data->colour();
      const ImageSet real = draw_sample(colour.train, p.classifier_images, seed);
      ImageSet images = real;
      for (const std::string& gan : gans) add_fakes(run, gan, ratio, images, real);
      return run_classifier(run, config, images, colour.test);
    };
    nlohmann::json about = {{"images", p.classifier_images},
                            {"fakes", ratio},
                            {"epochs", config.epochs},
                            {"width", config.width},
                            {"batch", config.batch},
                            {"repeats", config.repeats},
                            {"seed", seed}};
    if (ratio > 0) {
      about["gan"] = gan_settings(p.alpha, p.gan_epochs);
      about["gan"]["images"] = p.gan_images_per_class;
    }
    about.update(data_->identity(kColour));
    cells_.push_back({name, about, gans, run});
  }

  std::vector<Cell> take() { return std::move(cells_); }

 private:
  nlohmann::json gan_settings(double alpha, int epochs) const {
    return {{"alpha", alpha}, {"epochs", epochs}, {"batch", plan_.batch}, {"feature_norm", parts_.normalize_features}};
  }

  std::string add_gan(double alpha, const Sample& sample, double ratio, int label, uint64_t seed) {
    const std::string name = gan_name(alpha, sample, label, seed);
    if (!names_.insert(name).second) return name;
    nlohmann::json about = gan_settings(alpha, sample.gan_epochs);
    about.update({{"images", sample.images}, {"class", label}, {"pool", ratio}, {"seed", seed}});
    about.update(data_->identity(kDigits));
    auto run = [=, this_seed = stream_key(seed, name), data = data_, batch = plan_.batch,
                features = parts_.normalize_features](CellRun& run) {
      const ImageSet real = draw_sample(data->digits().train, sample.images, seed);
      const ImageSet of_label = subset(real, of_class(real, label));
      const GanConfig config{.network = {.alpha = alpha, .side = real.height, .normalize_features = features},
                             .label = label,
                             .epochs = sample.gan_epochs,
                             .batch = batch,
                             .fakes = static_cast<int>(std::lround(ratio * of_label.count)),
                             .seed = this_seed};
      return run_gan(run, config, of_label);
    };
    cells_.push_back({name, about, {}, run});
    return name;
  }

  std::string add_colour_gan(int label, uint64_t seed) {
    const ColourPlan& p = plan_.colour;
    const std::string name = colour_gan_name(p, label, seed);
    if (!names_.insert(name).second) return name;
    const double most = *std::max_element(p.ratios.begin(), p.ratios.end());
    nlohmann::json about = gan_settings(p.alpha, p.gan_epochs);
    about.update({{"images", p.gan_images_per_class},
                  {"class", label},
                  {"sample", p.classifier_images},
                  {"pool", most},
                  {"seed", seed}});
    about.update(data_->identity(kColour));
    auto run = [=, this_seed = stream_key(seed, name), data = data_, batch = plan_.batch,
                features = parts_.normalize_features](CellRun& run) {
      const ImageSet of_label = draw_class(data->colour().train, label, p.gan_images_per_class, seed);
      // The most that a classifier will want of them.  A class that its sample lacks still leaves one fake.
      const ImageSet sample = draw_sample(data->colour().train, p.classifier_images, seed);
      const int fakes = std::max(1, static_cast<int>(std::lround(most * of_class(sample, label).size())));
      const GanConfig config{
          .network = {.alpha = p.alpha, .channels = 3, .side = of_label.height, .normalize_features = features},
          .label = label,
          .epochs = p.gan_epochs,
          .batch = batch,
          .fakes = fakes,
          .seed = this_seed};
      return run_gan(run, config, of_label);
    };
    cells_.push_back({name, about, {}, run});
    return name;
  }

  // The first ratio * n fakes of a GAN whose class has n real images.
  static void add_fakes(CellRun& run, const std::string& gan, double ratio, ImageSet& images, const ImageSet& real) {
    const ImageSet pool = read_images(run.need(gan).folder, real);
    check(pool.count > 0, gan, " left no images");
    const int of_label = static_cast<int>(of_class(real, pool.labels[0]).size());
    const int wanted = static_cast<int>(std::lround(ratio * of_label));
    check(wanted <= pool.count, gan, " has a pool of ", pool.count, " fakes, ", wanted, " are wanted");
    std::vector<int32_t> first(wanted);
    for (int i = 0; i < wanted; ++i) first[i] = i;
    images = concatenate(images, subset(pool, first));
  }

  const Plan& plan_;
  Parts parts_;
  std::shared_ptr<Data> data_;
  std::set<std::string> names_;
  std::vector<Cell> cells_;
};

}  // namespace

std::string gan_name(double alpha, const Sample& sample, int label, uint64_t seed) {
  return fmt::format("gan-a{}-n{}-e{}-c{}-s{}", alpha, sample.images, sample.gan_epochs, label, seed);
}

std::string classifier_name(const Diet& diet, uint64_t seed) {
  const std::string fakes =
      diet.fakes > 0 ? fmt::format("-a{}-e{}-r{}", diet.alpha, diet.sample.gan_epochs, diet.fakes) : "";
  return fmt::format("mlp-n{}{}{}-s{}", diet.sample.images, diet.real ? "-real" : "-fake", fakes, seed);
}

std::string colour_gan_name(const ColourPlan& p, int label, uint64_t seed) {
  return fmt::format("colour-gan-a{}-n{}-e{}-c{}-s{}", p.alpha, p.gan_images_per_class, p.gan_epochs, label, seed);
}

std::string colour_classifier_name(const ColourPlan& p, double ratio, uint64_t seed) {
  const std::string gan = ratio > 0 ? fmt::format("-e{}", p.gan_epochs) : "";
  return fmt::format("cnn-n{}{}-r{}-s{}", p.classifier_images, gan, ratio, seed);
}

std::vector<Cell> make_cells(const Plan& plan, const Parts& parts, const std::vector<uint64_t>& seeds,
                             std::shared_ptr<Data> data) {
  Builder builder(plan, parts, std::move(data));
  auto largest = [](const std::vector<double>& ratios) { return *std::max_element(ratios.begin(), ratios.end()); };
  const double pool = std::max(largest(plan.digits.fake_ratios), largest(plan.digits.mixed_ratios));
  for (const uint64_t seed : seeds) {
    if (parts.digits) {
      for (const Sample& sample : plan.digits.samples) {
        for (double ratio : plan.digits.mixed_ratios)
          builder.add_classifier({plan.digits.alpha, sample, true, ratio}, pool, seed);
        for (double ratio : plan.digits.fake_ratios)
          builder.add_classifier({plan.digits.alpha, sample, false, ratio}, pool, seed);
      }
    }
    if (parts.width) {
      for (double alpha : plan.width.alphas) builder.add_classifier({alpha, plan.width.sample, false, 1}, pool, seed);
    }
    if (parts.colour) {
      for (double ratio : plan.colour.ratios) builder.add_colour_classifier(ratio, seed);
    }
  }
  return builder.take();
}

}  // namespace tobogan::abadi
