// A cell's configuration holds everything its result depends on; its seed comes from the seed of the run and its own
// name.
#include "experiments/mudavathu/cells.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "engine/random.h"
#include "experiments/mudavathu/conditional.h"
#include "experiments/mudavathu/gated.h"
#include "experiments/run/machine.h"
#include "experiments/training/stored_images.h"

namespace tobogan::mudavathu {
namespace {

std::string expert_name(uint64_t seed) {
  return fmt::format("expert-s{}", seed);
}

// The share of an AC-GAN's fakes in which the expert sees the class they were asked for.
nlohmann::json run_judged(CellRun& run, const Plan& plan, const Dataset& data, uint64_t seed) {
  Machine machine(machine_options(run.options()));
  Context context(machine, seed);
  const ImageSet& form = data.train;
  const Finished& expert = run.need(expert_name(seed));
  const Classifier classifier = load_classifier(context, plan.expert, form.classes(), expert);
  const ImageSet fakes = stored_images(run.need(conditional_name(seed)).folder, "judged", form.class_names);
  return {{"accuracy", accuracy(judge(classifier, fakes), fakes)},
          {"fakes", fakes.count},
          {"expert_on_real", expert.result.at("test")},
          {"expert_on_deformed", expert.result.at("deformed")}};
}

// A classifier on real images and the first fakes that D took for real.
nlohmann::json run_augmented(CellRun& run, const Plan& plan, const Dataset& data, double share, uint64_t split_seed,
                             uint64_t seed) {
  const int real = plan.real_images ? std::min(plan.real_images, data.train.count) : data.train.count;
  std::vector<int32_t> first(real);
  for (int i = 0; i < real; ++i) first[i] = i;
  ImageSet images = real == data.train.count ? data.train : subset(data.train, first);
  int fakes = 0;
  if (share > 0) {
    const Finished& gan = run.need(conditional_name(split_seed));
    fakes = std::min(static_cast<int>(std::lround(share * real)), gan.result.at("accepted").get<int>());
    first.resize(fakes);
    for (int i = 0; i < fakes; ++i) first[i] = i;
    if (fakes)
      images = concatenate(std::move(images), subset(stored_images(gan.folder, "accepted", images.class_names), first));
  }
  nlohmann::json result = run_classifier(run, plan.augmented, images, {{"test", &data.test}}, seed);
  result["real"] = real;
  result["fakes"] = fakes;
  return result;
}

nlohmann::json about(const GatedPlan& p) {
  return {{"data", p.data},           {"maps", p.maps},       {"batch", p.batch},   {"iterations", p.iterations},
          {"log_every", p.log_every}, {"dropout", p.dropout}, {"gate_g", p.gate_g}, {"gate_d", p.gate_d}};
}

nlohmann::json about(const ConditionalPlan& p, int accepted) {
  return {{"width", p.width},
          {"stem", p.stem},
          {"batch", p.batch},
          {"epochs", p.epochs},
          {"true_epochs", p.true_epochs},
          {"invert", p.invert},
          {"pictures", pictured_epochs(p)},
          {"judged", p.judged},
          {"accepted", accepted}};
}

}  // namespace

std::string gated_name(uint64_t seed) {
  return fmt::format("gated-gan-s{}", seed);
}

std::string conditional_name(uint64_t seed) {
  return fmt::format("acgan-s{}", seed);
}

std::string judged_name(uint64_t seed) {
  return fmt::format("acgan-judged-s{}", seed);
}

std::string augmented_name(double share, uint64_t seed) {
  return fmt::format("classifier-r{:.3g}-s{}", share, seed);
}

std::vector<Cell> make_cells(const Plan& plan, const Parts& parts, const std::vector<uint64_t>& seeds,
                             std::shared_ptr<Data> data) {
  std::vector<Cell> cells;
  for (const uint64_t seed : seeds) {
    // What every cell depends on beside its own settings.
    const nlohmann::json split{{"seed", seed}, {"train_images", plan.train_images}};
    const auto add = [&](const std::string& name, nlohmann::json config, std::vector<std::string> needs, auto run,
                         const std::string& set = kData) {
      config.update(split);
      config.update(data->identity(set));
      cells.push_back({name, std::move(config), std::move(needs),
                       [run, own_seed = stream_key(seed, name)](CellRun& cell) { return run(cell, own_seed); }});
    };
    if (parts.gated) {
      add(
          gated_name(seed), about(plan.gated), {},
          [=](CellRun& run, uint64_t own) {
            return run_gated(run, plan.gated, data->split(plan.gated.data, seed)->train, own);
          },
          plan.gated.data);
    }
    if (!parts.conditional) continue;
    add(expert_name(seed), about(plan.expert), {}, [=](CellRun& run, uint64_t own) {
      const auto split = data->split(kData, seed);
      const ImageSet deformed = deformed_test_set(split->test, own);
      return run_classifier(run, plan.expert, expert_training_set(split->train, own),
                            {{"test", &split->test}, {"deformed", &deformed}}, own);
    });
    const double most = *std::max_element(plan.fake_shares.begin(), plan.fake_shares.end());
    // How many fakes the classifiers will ask for is known when the data are: a share of the real images.
    const auto accepted_of = [=](const Dataset& set) {
      const int real = plan.real_images ? std::min(plan.real_images, set.train.count) : set.train.count;
      return static_cast<int>(std::lround(most * real));
    };
    nlohmann::json gan = about(plan.conditional, plan.real_images);
    gan["most_fakes"] = most;
    add(conditional_name(seed), gan, {}, [=](CellRun& run, uint64_t own) {
      const auto split = data->split(kData, seed);
      return run_conditional(run, plan.conditional, *split, accepted_of(*split), own);
    });
    add(judged_name(seed), {}, {expert_name(seed), conditional_name(seed)},
        [=](CellRun& run, uint64_t) { return run_judged(run, plan, *data->split(kData, seed), seed); });
    for (const double share : plan.fake_shares) {
      nlohmann::json config = about(plan.augmented);
      config.update({{"share", share}, {"real", plan.real_images}});
      const std::vector<std::string> needs =
          share > 0 ? std::vector{conditional_name(seed)} : std::vector<std::string>{};
      add(augmented_name(share, seed), config, needs, [=](CellRun& run, uint64_t own) {
        return run_augmented(run, plan, *data->split(kData, seed), share, seed, own);
      });
    }
  }
  return cells;
}

}  // namespace tobogan::mudavathu
