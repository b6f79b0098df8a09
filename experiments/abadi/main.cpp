// Abadi, "An Empirical Analysis of GAN-based Data Augmentation for Classification": how much does a classifier gain
// from the images of DCGANs that saw only the images it has itself?
//
//   abadi                                   quick, on images drawn by the program
//   abadi --data DIR --profile standard     MNIST and CIFAR-10 from DIR
#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "datasets/load.h"
#include "engine/error.h"
#include "experiments/abadi/tables.h"
#include "experiments/run/machine.h"
#include "experiments/run/report.h"
#include "experiments/run/scheduler.h"

namespace tobogan::abadi {
namespace {

// What this study can be told beside what every experiment can.
struct Overrides {
  std::vector<int> tables;  // empty: what the profile has time for
  std::vector<int> sizes;
  std::vector<double> alphas;
  double alpha = 0;
  int gan_epochs = 0;
  int colour_images = 0;
  int synthetic_test = 0;
  std::string dense_norm = "channel";
};

void add_overrides(CLI::App& app, Overrides& o) {
  app.add_option("--tables", o.tables, "tables to make, 2 to 4 together [quick: 1,2,3,4; else 1,2,3,4,5]")
      ->delimiter(',')
      ->check(CLI::Range(1, 5));
  app.add_option("--sizes", o.sizes, "sample sizes of Tables 2 to 4 [from the profile]")
      ->delimiter(',')
      ->check(CLI::Range(20, 60000));
  app.add_option("--alphas", o.alphas, "filter ratios of Table 1 [from the profile]")
      ->delimiter(',')
      ->check(number_in(1.0 / 32, 16.0));
  app.add_option("--alpha", o.alpha, "filter ratio of Tables 2 to 5 [from the profile]")
      ->check(number_in(1.0 / 32, 16.0));
  app.add_option("--gan-epochs", o.gan_epochs, "epochs of every GAN [from the profile]")->check(CLI::Range(1, 1000000));
  app.add_option("--colour-images", o.colour_images, "images per class of Table 5 [from the profile]")
      ->check(CLI::Range(20, 5000));
  app.add_option("--synthetic-test", o.synthetic_test,
                 "test images where they are drawn by the program [from the profile]")
      ->check(CLI::Range(100, 10000));
  app.add_option("--bn-dense", o.dense_norm, "batch norm of the generator's dense layer: by channel or by feature")
      ->check(CLI::IsMember({"channel", "feature"}))
      ->default_str("channel");
}

// The epochs that the profile's nearest sample has.
int epochs_for(const Plan& plan, int images) {
  const Sample* nearest = &plan.digits.samples[0];
  for (const Sample& sample : plan.digits.samples)
    if (std::abs(sample.images - images) < std::abs(nearest->images - images)) nearest = &sample;
  return nearest->gan_epochs;
}

// In ascending order, each once.
template <class Number>
std::vector<Number> ordered(std::vector<Number> numbers) {
  std::sort(numbers.begin(), numbers.end());
  numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
  return numbers;
}

// The profile's plan for the samples and filter ratios that are asked for.
Plan plan_of_columns(const Overrides& o, Profile profile) {
  Plan plan = plan_for(profile);
  if (!o.sizes.empty()) {
    std::vector<Sample> samples;
    for (int images : ordered(o.sizes)) samples.push_back({images, epochs_for(plan, images)});
    plan.digits.samples = samples;
  }
  if (!o.alphas.empty()) plan.width.alphas = ordered(o.alphas);
  return plan;
}

Plan plan_with(const Overrides& o, Profile profile) {
  Plan plan = plan_of_columns(o, profile);
  if (o.gan_epochs) {
    for (Sample& sample : plan.digits.samples) sample.gan_epochs = o.gan_epochs;
    plan.width.sample.gan_epochs = plan.colour.gan_epochs = o.gan_epochs;
  }
  if (o.alpha > 0) plan.digits.alpha = plan.colour.alpha = o.alpha;
  if (o.colour_images) {
    plan.colour.classifier_images =
        static_cast<int>(int64_t{plan.colour.classifier_images} * o.colour_images / plan.colour.gan_images_per_class);
    plan.colour.gan_images_per_class = o.colour_images;
  }
  if (o.synthetic_test) plan.synthetic_test = o.synthetic_test;
  return plan;
}

// The quick profile is for a first look within minutes, and Table 5 takes two more.
Parts parts_of(const Overrides& o, Profile profile) {
  auto has = [&](int first, int last) {
    if (o.tables.empty()) return profile != Profile::quick || first <= 4;
    return std::any_of(o.tables.begin(), o.tables.end(), [=](int table) { return first <= table && table <= last; });
  };
  return {
      .width = has(1, 1), .digits = has(2, 4), .colour = has(5, 5), .normalize_features = o.dense_norm == "feature"};
}

// How many training images of each kind the largest part of the plan asks for.
int most_digits(const Plan& plan) {
  int most = plan.width.sample.images;
  for (const Sample& sample : plan.digits.samples) most = std::max(most, sample.images);
  return most;
}
int most_colour(const Plan& plan) {
  return std::max(plan.colour.classifier_images, kClasses * plan.colour.gan_images_per_class);
}

// Loads what the cells will read and throws Error where it is missing, corrupt or too little: once, not in every cell.
void check_data(Data& data, const Plan& plan, const Parts& parts) {
  const auto enough = [](const ImageSet& train, int most) {
    check(most <= train.count, "a sample of ", most, " images is asked for; ", train.source, " has ", train.count);
  };
  if (parts.width || parts.digits) enough(data.digits().train, most_digits(plan));
  if (parts.colour) enough(data.colour().train, most_colour(plan));
}

std::string sets_text(const Parts& parts) {
  const bool digits = parts.width || parts.digits;
  return !parts.colour ? "MNIST" : digits ? "MNIST and CIFAR-10" : "CIFAR-10";
}

int run(const RunOptions& options, const Overrides& overrides) {
  const Plan plan = plan_with(overrides, options.profile);
  const Parts parts = parts_of(overrides, options.profile);
  const bool synthetic = options.data.empty();
  const auto data = std::make_shared<Data>(
      options.data,
      SyntheticSizes{.digits = most_digits(plan), .colour = most_colour(plan), .test = plan.synthetic_test});
  const Study study{
      .name = "abadi",
      .version = 1,
      .data = synthetic ? "images drawn by the program" : sets_text(parts),
      .synthetic_data = synthetic,
      .paper_settings = plan == plan_of_columns(overrides, Profile::paper) && overrides.dense_norm == "channel"};
  if (!synthetic) check_data(*data, plan, parts);
  check_device(options);
  const Outcome outcome = run_cells(study, options, make_cells(plan, parts, options.seeds, data));
  if (options.list) return 0;
  const Results results{study, options, plan, outcome};
  Report report(study, options, outcome);
  if (!synthetic && (parts.width || parts.digits)) report.note(unlike_published(kDigits, data->digits()));
  add_tables(report, results, parts);
  add_claims(report, results, parts);
  report.pictures([&] { add_figures(report, results, parts, *data); });
  return report.write();
}

}  // namespace
}  // namespace tobogan::abadi

int main(int argc, char** argv) {
  using namespace tobogan;
  CLI::App app("Abadi: how much does a classifier gain from the images of GANs that saw the same images?");
  RunOptions options{.experiment = "abadi"};
  abadi::Overrides overrides;
  add_run_options(app, options);
  abadi::add_overrides(app, overrides);
  return run_main(app, options, argc, argv, [&] { return abadi::run(options, overrides); });
}
