// Mudavathu, Rao & Ramana, "Auxiliary Conditional Generative Adversarial Networks for Image Data Set Augmentation": a
// GAN with gated training (M1) and an AC-GAN (M2) on Fashion-MNIST.
//
//   mudavathu                                   quick, on images drawn by the program
//   mudavathu --data DIR --profile paper        Fashion-MNIST from DIR, the paper's sizes
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <set>

#include "datasets/load.h"
#include "experiments/mudavathu/tables.h"
#include "experiments/run/machine.h"
#include "experiments/run/scheduler.h"

namespace tobogan::mudavathu {
namespace {

// What this study can be told beside what every experiment can.
struct Overrides {
  std::vector<int> parts;  // empty: both
  std::string gated_data = kData;
  std::optional<double> dropout;
  double gate_g = 1, gate_d = 1;
  int iterations = 0, epochs = 0, expert_epochs = 0;
  int stem = 16, train_images = 0, synthetic = 0;
  bool true_epochs = false, invert = false;
};

void add_overrides(CLI::App& app, Overrides& o) {
  app.add_option("--experiments", o.parts, "1: the gated GAN, 2: the AC-GAN [both]")
      ->delimiter(',')
      ->check(CLI::Range(1, 2));
  app.add_option("--train-images", o.train_images, "training images of all there are [70 %]; the rest is held out")
      ->check(CLI::Range(100, 69999));
  app.add_option("--synthetic", o.synthetic, "images of all where they are drawn by the program [from the profile]")
      ->check(CLI::Range(400, 70000));
  app.add_option("--m1-data", o.gated_data, "what the gated GAN draws")
      ->check(CLI::IsMember({"fashion-mnist", "mnist"}))
      ->capture_default_str();
  app.add_option("--iterations", o.iterations, "of the gated GAN [from the profile]")->check(CLI::Range(10, 10000000));
  app.add_option("--dropout", o.dropout, "of the gated GAN [0.4]")->check(number_in(0.0, 0.99));
  app.add_option("--gate-g", o.gate_g, "M1: G is left alone where this times its loss is below D's")
      ->check(number_in(0.01, 100.0))
      ->capture_default_str();
  app.add_option("--gate-d", o.gate_d, "M1: D is left alone where this times its loss is below G's")
      ->check(number_in(0.01, 100.0))
      ->capture_default_str();
  app.add_option("--epochs", o.epochs, "\"epochs\" of the AC-GAN [1400], one iteration each")
      ->check(CLI::Range(1, 1000000));
  app.add_flag("--true-epochs", o.true_epochs, "an epoch of the AC-GAN is a pass over the images");
  app.add_flag("--invert", o.invert, "M2: train on inverted images, as the paper's wording may mean");
  app.add_option("--stem", o.stem, "maps of the AC-GAN's first layer; Keras-GAN has 128")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  app.add_option("--expert-epochs", o.expert_epochs, "of the classifier that judges fakes [from the profile]")
      ->check(CLI::Range(1, 1000));
}

Plan plan_with(const Overrides& o, Profile profile) {
  Plan plan = plan_for(profile);
  plan.gated.data = o.gated_data;
  plan.gated.gate_g = o.gate_g;
  plan.gated.gate_d = o.gate_d;
  if (o.dropout) plan.gated.dropout = *o.dropout;
  if (o.iterations) {
    plan.gated.iterations = o.iterations;
    plan.gated.log_every = std::max(1, o.iterations / 10);
  }
  if (o.epochs) {
    plan.conditional.epochs = o.epochs;
    plan.conditional.picture_every = std::max(1, o.epochs / 7);
  }
  plan.conditional.true_epochs = o.true_epochs;
  plan.conditional.invert = o.invert;
  plan.conditional.stem = o.stem;
  plan.train_images = o.train_images;
  if (o.synthetic) plan.synthetic_images = o.synthetic;
  if (o.expert_epochs) plan.expert.epochs = o.expert_epochs;
  return plan;
}

int run(const RunOptions& options, const Overrides& overrides) {
  const Plan plan = plan_with(overrides, options.profile);
  const auto wants = [&](int part) {
    return overrides.parts.empty() ||
           std::find(overrides.parts.begin(), overrides.parts.end(), part) != overrides.parts.end();
  };
  const Parts parts{.gated = wants(1), .conditional = wants(2)};
  const bool synthetic = options.data.empty();
  const auto data = std::make_shared<Data>(options.data, plan.synthetic_images, plan.train_images);
  std::set<std::string> sets;
  if (parts.gated) sets.insert(plan.gated.data);
  if (parts.conditional) sets.insert(kData);
  const Study study{.name = "mudavathu",
                    .version = 1,
                    .data = synthetic ? "images drawn by the program" : fmt::format("{}", fmt::join(sets, " and ")),
                    .synthetic_data = synthetic,
                    .paper_settings = plan == plan_for(Profile::paper)};
  // Too few images are said once, before anything runs, and not by every cell.
  for (const std::string& name : sets) data->split(name, options.seeds.front());
  check_device(options);
  const Outcome outcome = run_cells(study, options, make_cells(plan, parts, options.seeds, data));
  if (options.list) return 0;
  const Results results{study, options, plan, outcome};
  Report report(study, options, outcome);
  if (!synthetic)
    for (const std::string& name : sets) report.note(unlike_published(name, data->published(name)));
  add_tables(report, results, parts);
  add_claims(report, results, parts);
  report.pictures([&] { add_figures(report, results, parts, *data); });
  return report.write();
}

}  // namespace
}  // namespace tobogan::mudavathu

int main(int argc, char** argv) {
  using namespace tobogan;
  CLI::App app("Mudavathu: a GAN whose networks wait for each other, and an AC-GAN, on Fashion-MNIST");
  RunOptions options{.experiment = "mudavathu"};
  mudavathu::Overrides overrides;
  add_run_options(app, options);
  mudavathu::add_overrides(app, overrides);
  return run_main(app, options, argc, argv, [&] { return mudavathu::run(options, overrides); });
}
