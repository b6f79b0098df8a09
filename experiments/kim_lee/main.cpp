// Kim & Lee, "Self-Supervised Augmentation of Quality Data Based on Classification-Reinforced GAN" (2022): CLS-R GAN
// against ACGAN and ClusterGAN on MNIST and Fashion-MNIST, plain and with a class that lacks variety.
//
//   kim_lee                                              Table 1, quick, on images drawn by the program
//   kim_lee --data DIR --profile standard --tables 1,5,7 MNIST from DIR
#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "datasets/load.h"
#include "engine/atomic_file.h"
#include "engine/error.h"
#include "experiments/kim_lee/tables.h"
#include "experiments/metrics/inception.h"
#include "experiments/run/cell_store.h"
#include "experiments/run/machine.h"
#include "experiments/run/scheduler.h"

namespace tobogan::kim_lee {
namespace {

// What this study can be told beside what every experiment can.
struct Overrides {
  std::vector<int> tables;
  std::vector<std::string> biases{"plain", "size", "content"};
  std::string images, inception, ssim = "uniform7", statistics = "running";
  int iterations = 0, acgan_iterations = 0, classifier_epochs = 0, expert_epochs = 0, per_class = 0, synthetic = 0;
  std::vector<double> sweep;
  double noise = 0.1, self_augment = 0, p_min = 0.9, quality_weight = 1, width = 0;
  bool no_figures = false;
};

void add_overrides(CLI::App& app, Overrides& o) {
  app.add_option("--tables", o.tables, "tables to make: odd ones MNIST, even ones Fashion-MNIST [quick: 1; else all]")
      ->delimiter(',')
      ->check(CLI::Range(1, 8));
  app.add_option("--bias", o.biases, "training sets of Tables 3 to 8: plain, size, content [all]")
      ->delimiter(',')
      ->check(CLI::IsMember({"plain", "size", "content"}));
  app.add_option("--images", o.images, "a folder with train/CLASS/*.png and test/CLASS/*.png: a table of these images");
  app.add_option("--inception", o.inception, "weights of Inception (docs/metrics.md), for the paper's FID and IS");
  app.add_option("--iterations", o.iterations, "of ClusterGAN and CLS-R GAN [from the profile]")
      ->check(CLI::Range(1, 10000000));
  app.add_option("--acgan-iterations", o.acgan_iterations, "of ACGAN [from the profile]")
      ->check(CLI::Range(1, 10000000));
  app.add_option("--width", o.width, "of all GANs, as a factor [from the profile]")->check(number_in(1.0 / 32, 8.0));
  app.add_option("--expert-epochs", o.expert_epochs, "of H [from the profile]")->check(CLI::Range(1, 1000));
  app.add_option("--classifier-epochs", o.classifier_epochs, "of C [from the profile]")->check(CLI::Range(1, 1000));
  app.add_option("--synthetic", o.synthetic, "training images where they are drawn by the program [from the profile]")
      ->check(CLI::Range(400, 60000));
  app.add_option("--fakes", o.per_class, "fakes of each class that are judged [from the profile]")
      ->check(CLI::Range(4, 100000));
  app.add_option("--zn-std", o.noise, "standard deviation of z_n")->check(number_in(0.0, 10.0))->capture_default_str();
  app.add_option("--quality-weight", o.quality_weight, "of the quality loss")
      ->check(number_in(0.0, 1000.0))
      ->capture_default_str();
  app.add_option("--self-augment", o.self_augment,
                 "share of the critic's real images that are qualified fakes, in the second half of the training")
      ->check(number_in(0.0, 0.9))
      ->capture_default_str();
  app.add_option("--p-min", o.p_min, "probability from which a fake is qualified")
      ->check(number_in(0.0, 1.0))
      ->capture_default_str();
  app.add_option("--sweep", o.sweep, "such probabilities side by side, in a figure [0.5 to 0.99]")
      ->delimiter(',')
      ->check(number_in(0.0, 1.0));
  app.add_option("--ssim", o.ssim, "window of the content bias")
      ->check(CLI::IsMember({"uniform7", "gauss11"}))
      ->capture_default_str();
  app.add_option("--bn-sampling", o.statistics, "the generator's batch norm when fakes are drawn")
      ->check(CLI::IsMember({"running", "batch", "standing"}))
      ->capture_default_str();
  app.add_flag("--no-figures", o.no_figures, "leave out what only figures need (t-SNE, deformed fakes, the sweep)");
}

// The paper's sizes and choices; Inception's weights and a figure of ours are no choice.
bool is_paper(Plan plan) {
  const Plan paper = plan_for(Profile::paper);
  plan.p_mins = paper.p_mins;
  plan.inception.clear();
  plan.inception_digest.clear();
  return plan == paper;
}

// Throws Error unless the file holds the network's weights: now, and not after the trainings.
void check_inception(const std::string& file) {
  const std::string missing = metrics::inception_unavailable(file);
  check(missing.empty(), "--inception: ", missing);
  Machine machine({.threads = 1});
  Context context(machine, 0);
  InceptionV3 network(context, "inception");
  metrics::load_inception(file, network);
}

Plan plan_with(const Overrides& o, Profile profile) {
  Plan plan = plan_for(profile);
  if (o.iterations) plan.cluster.iterations = o.iterations;
  if (o.acgan_iterations) plan.acgan.iterations = o.acgan_iterations;
  if (o.width > 0) plan.cluster.width = plan.acgan.width = o.width;
  if (o.expert_epochs) plan.expert.epochs = o.expert_epochs;
  if (o.classifier_epochs) plan.classifier.epochs = o.classifier_epochs;
  if (o.synthetic) {
    plan.synthetic_train = o.synthetic;
    plan.synthetic_test = std::max(100, o.synthetic / 10);
  }
  if (o.per_class) plan.evaluation.per_class = o.per_class;
  if (!o.inception.empty()) {
    check_inception(o.inception);
    plan.inception = o.inception;
    plan.inception_digest = fnv1a_hex(read_text(o.inception));
  }
  plan.cluster.noise = o.noise;
  plan.cluster.self_augment = o.self_augment;
  plan.cluster.quality_weight = o.quality_weight;
  plan.evaluation.p_min = o.p_min;
  plan.evaluation.statistics = o.statistics == "running" ? Statistics::running
                               : o.statistics == "batch" ? Statistics::batch
                                                         : Statistics::standing;
  if (!o.sweep.empty()) {
    plan.p_mins = o.sweep;
    std::sort(plan.p_mins.begin(), plan.p_mins.end());
  }
  if (o.ssim == "gauss11") plan.window = metrics::SsimWindow::kGauss11;
  return plan;
}

Wanted wanted_of(const Overrides& o, Profile profile) {
  Wanted wanted{.tables = o.tables, .biases = {}, .own_images = !o.images.empty(), .figures = !o.no_figures};
  if (o.tables.empty() && o.images.empty())
    wanted.tables = profile == Profile::quick ? std::vector{1} : std::vector{1, 2, 3, 4, 5, 6, 7, 8};
  for (const Bias bias : {Bias::plain, Bias::size, Bias::content})
    if (std::find(o.biases.begin(), o.biases.end(), to_string(bias)) != o.biases.end()) wanted.biases.push_back(bias);
  std::sort(wanted.tables.begin(), wanted.tables.end());
  wanted.tables.erase(std::unique(wanted.tables.begin(), wanted.tables.end()), wanted.tables.end());
  const bool only_plain = wanted.biases == std::vector{Bias::plain};
  for (const int table : o.tables)
    check((table != 3 && table != 4) || !only_plain,
          "--bias: Tables 3 and 4 are of sets with a bias; expected size or content, got plain alone");
  return wanted;
}

int run(const RunOptions& options, const Overrides& overrides) {
  const Plan plan = plan_with(overrides, options.profile);
  const Wanted wanted = wanted_of(overrides, options.profile);
  const auto data = std::make_shared<Data>(options.data, overrides.images, plan);
  const bool synthetic = options.data.empty() && !wanted.tables.empty();
  std::string source = synthetic ? "images drawn by the program" : "MNIST and Fashion-MNIST";
  if (wanted.own_images) source = wanted.tables.empty() ? "own images" : source + "; own images";
  const Study study{
      .name = "kim_lee", .version = 1, .data = source, .synthetic_data = synthetic, .paper_settings = is_paper(plan)};
  check_device(options);
  const Outcome outcome = run_cells(study, options, make_cells(plan, wanted, options.seeds, data));
  if (options.list) return 0;
  const Results results{study, options, plan, wanted, outcome};
  Report report(study, options, outcome);
  if (!options.data.empty())
    for (const std::string name : {kMnist, kFashion})
      if (wanted.uses(name)) report.note(unlike_published(name, data->set(name)));
  add_tables(report, results);
  add_claims(report, results);
  report.pictures([&] { add_figures(report, results, *data); });
  return report.write();
}

}  // namespace
}  // namespace tobogan::kim_lee

int main(int argc, char** argv) {
  using namespace tobogan;
  CLI::App app("Kim & Lee: does a classifier beside a GAN make its fakes better and more varied?");
  RunOptions options{.experiment = "kim_lee"};
  kim_lee::Overrides overrides;
  add_run_options(app, options);
  kim_lee::add_overrides(app, overrides);
  return run_main(app, options, argc, argv, [&] { return kim_lee::run(options, overrides); });
}
