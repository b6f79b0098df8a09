// A cell's configuration holds everything its result depends on; its seed comes from the seed of the run and its own
// name.  Trainings are named by what they train, so that tables share them.
#include "experiments/kim_lee/cells.h"

#include <fmt/format.h>

#include <set>

#include "engine/random.h"
#include "engine/serialize.h"
#include "experiments/kim_lee/acgan_training.h"
#include "experiments/kim_lee/cluster_training.h"
#include "experiments/kim_lee/judging.h"
#include "experiments/run/machine.h"
#include "experiments/training/stored_images.h"

namespace tobogan::kim_lee {
namespace {

nlohmann::json about(const ClusterPlan& p) {
  return {{"width", p.width},
          {"batch", p.batch},
          {"critic_steps", p.critic_steps},
          {"iterations", p.iterations},
          {"noise", p.noise},
          {"self_augment", p.self_augment},
          {"quality_weight", p.quality_weight}};
}

nlohmann::json about(const AcganPlan& p) {
  return {{"width", p.width}, {"batch", p.batch}, {"iterations", p.iterations}};
}

Method method_of(Variant variant) {
  const bool cls_r = variant != Variant::cluster && variant != Variant::no_quality;
  return {.quality = cls_r, .encoder = variant != Variant::no_encoder};
}

bool is_selected(Variant variant) {
  return variant == Variant::cls_r || variant == Variant::no_quality || variant == Variant::no_encoder;
}

nlohmann::json run_bias(CellRun& run, const ImageSet& plain, const Biased& biased) {
  store_images(run.folder(), "kept", subset(plain, biased.kept));
  return {{"kept", biased.kept}, {"centre", biased.centre}};
}

nlohmann::json run_acgan(CellRun& run, const Plan& plan, const ImageSet& images, uint64_t seed) {
  Machine machine(machine_options(run.options()));
  AcganTraining gan(machine, plan.acgan, images, seed);
  gan.run(run);
  State state = gan.generator_state();
  for (const NamedValue& value : gan.discriminator_state()) state.push_back(value);
  save(run.folder() / "gan.safetensors", state);
  return {{"losses", gan.log()}};
}

nlohmann::json run_cluster(CellRun& run, const Plan& plan, Method method, const std::string& classifier,
                           const ImageSet& images, uint64_t seed) {
  Machine machine(machine_options(run.options()));
  const std::filesystem::path file = classifier.empty() ? "" : classifier_file(run.need(classifier));
  ClusterTraining gan(machine, plan.cluster, method, images, seed, file, run.folder(), plan.evaluation);
  gan.run(run);
  State state = gan.generator_state();
  for (const NamedValue& value : gan.encoder_state()) state.push_back(value);
  save(run.folder() / "gan.safetensors", state);
  return {{"losses", gan.log()}};
}

// Collects cells; one that two tables share is made once.
class Builder {
 public:
  Builder(const Plan& plan, std::shared_ptr<Data> data, uint64_t seed, std::vector<Cell>& cells)
      : plan_(plan), data_(std::move(data)), seed_(seed), cells_(cells) {}

  void add_judged(Variant variant, const Case& c) {
    const Sources from = sources(variant, c);
    std::vector<std::string> needs{from.training, from.expert};
    add_training(variant, c);
    add_expert(c.data);
    if (is_selected(variant)) {
      add_classifier(c);
      needs.push_back(from.classifier);
    }
    const EvaluationPlan& e = plan_.evaluation;
    nlohmann::json config{{"per_class", e.per_class},
                          {"statistics", static_cast<int>(e.statistics)},
                          {"diversity_images", e.diversity_images}};
    if (is_selected(variant)) config["p_min"] = e.p_min;
    add(judged_name(variant, c, seed_), c, config, needs, [=, plan = plan_, data = data_](CellRun& run, uint64_t own) {
      return run_judged(run, plan, variant, from, data->set(c.data), own);
    });
  }

  void add_inception(Variant variant, const Case& c) {
    const std::string judged = judged_name(variant, c, seed_), real = fmt::format("inception-{}-s{}", c.data, seed_);
    const nlohmann::json config{{"weights", plan_.inception_digest}};
    add(real, {c.data, Bias::plain}, config, {}, [=, plan = plan_, data = data_](CellRun& run, uint64_t) {
      return run_inception_real(run, plan, data->set(c.data).test);
    });
    add(inception_name(variant, c, seed_), c, config, {judged, real},
        [=, plan = plan_, data = data_](CellRun& run, uint64_t own) {
          return run_inception(run, plan, judged, real, blank_like(data->set(c.data).train, 0), own);
        });
  }

  void add_pictures(Variant variant, const Case& c) {
    const std::string judged = judged_name(variant, c, seed_);
    if (variant == Variant::cluster || variant == Variant::cls_r) {
      const nlohmann::json config{{"tsne_per_class", plan_.evaluation.tsne_per_class},
                                  {"tsne_iterations", plan_.evaluation.tsne_iterations}};
      add(tsne_name(variant, c, seed_), c, config, {judged}, [=, plan = plan_, data = data_](CellRun& run, uint64_t) {
        return run_tsne(run, plan, judged, blank_like(data->set(c.data).train, 0));
      });
    }
    if (variant == Variant::cls_r) {
      add(deformed_name(c, seed_), c, {{"training_images", kDeformedFrom}}, {judged},
          [=, seed = seed_, data = data_](CellRun& run, uint64_t own) {
            return run_deformed(run, judged, data->train(c.data, c.bias, seed)->set, own);
          });
      const EvaluationPlan& e = plan_.evaluation;
      const nlohmann::json config{{"p_mins", plan_.p_mins},
                                  {"per_class", e.per_class},
                                  {"statistics", static_cast<int>(e.statistics)},
                                  {"diversity_images", e.diversity_images}};
      const Sources from = sources(variant, c);
      add(sweep_name(c, seed_), c, config, {from.training, from.classifier, from.expert},
          [=, plan = plan_, data = data_](CellRun& run, uint64_t own) {
            return run_sweep(run, plan, from, blank_like(data->set(c.data).train, 0), own);
          });
    }
  }

  void add_bias(const Case& c) {
    if (c.bias == Bias::plain) return;
    add(bias_name(c, seed_), c, {}, {}, [=, seed = seed_, data = data_](CellRun& run, uint64_t) {
      return run_bias(run, data->set(c.data).train, *data->train(c.data, c.bias, seed));
    });
  }

 private:
  Sources sources(Variant variant, const Case& c) const {
    return {training_name(variant, c, seed_), classifier_name(c, seed_), expert_name(c.data, seed_)};
  }

  template <class Run>
  void add(const std::string& name, const Case& c, nlohmann::json config, const std::vector<std::string>& needs,
           const Run& run) {
    if (!names_.insert(name).second) return;
    config.update({{"seed", seed_}, {"data", c.data}, {"bias", to_string(c.bias)}});
    if (c.bias == Bias::content) config["ssim"] = static_cast<int>(plan_.window);
    config.update(data_->identity(c.data));
    cells_.push_back(
        {name, config, needs, [run, own = stream_key(seed_, name)](CellRun& cell) { return run(cell, own); }});
  }

  // H is trained on the plain set, whatever the GANs saw.
  void add_expert(const std::string& name) {
    add(expert_name(name, seed_), {name, Bias::plain}, tobogan::about(plan_.expert), {},
        [name, plan = plan_, data = data_](CellRun& run, uint64_t own) {
          const Dataset& set = data->set(name);
          const ImageSet deformed = deformed_test_set(set.test, own);
          return run_classifier(run, plan.expert, expert_training_set(set.train, own),
                                {{"test", &set.test}, {"deformed", &deformed}}, own);
        });
  }

  void add_classifier(const Case& c) {
    add(classifier_name(c, seed_), c, tobogan::about(plan_.classifier), {},
        [c, seed = seed_, plan = plan_, data = data_](CellRun& run, uint64_t own) {
          return run_classifier(run, plan.classifier, data->train(c.data, c.bias, seed)->set,
                                {{"test", &data->set(c.data).test}}, own);
        });
  }

  void add_training(Variant variant, const Case& c) {
    const std::string name = training_name(variant, c, seed_);
    if (variant == Variant::acgan) {
      add(name, c, about(plan_.acgan), {}, [c, seed = seed_, plan = plan_, data = data_](CellRun& run, uint64_t own) {
        return run_acgan(run, plan, data->train(c.data, c.bias, seed)->set, own);
      });
      return;
    }
    const Method method = method_of(variant);
    Plan plan = plan_;
    if (!method.quality) {  // what is of CLS-R GAN alone makes no other network of ClusterGAN
      plan.cluster.self_augment = 0;
      plan.cluster.quality_weight = ClusterPlan{}.quality_weight;
    }
    nlohmann::json config = about(plan.cluster);
    config.update({{"quality", method.quality}, {"encoder", method.encoder}});
    if (plan.cluster.self_augment > 0)
      config.update({{"p_min", plan.evaluation.p_min}, {"per_class", plan.evaluation.per_class}});
    std::string classifier;
    if (method.quality) {
      add_classifier(c);
      classifier = classifier_name(c, seed_);
    }
    const std::vector<std::string> needs = classifier.empty() ? std::vector<std::string>{} : std::vector{classifier};
    add(name, c, config, needs, [=, seed = seed_, data = data_](CellRun& run, uint64_t own) {
      return run_cluster(run, plan, method, classifier, data->train(c.data, c.bias, seed)->set, own);
    });
  }

  const Plan& plan_;
  std::shared_ptr<Data> data_;
  uint64_t seed_;
  std::set<std::string> names_;
  std::vector<Cell>& cells_;
};

std::string named(const std::string& what, const Case& c, uint64_t seed) {
  return fmt::format("{}-{}-{}-s{}", what, c.data, to_string(c.bias), seed);
}

}  // namespace

std::string to_string(Variant variant) {
  switch (variant) {
    case Variant::acgan:
      return "acgan";
    case Variant::cluster:
      return "clustergan";
    case Variant::cls_r:
      return "clsr";
    case Variant::cls_r_raw:
      return "clsr-raw";
    case Variant::no_quality:
      return "noquality";
    case Variant::no_encoder:
      return "noencoder";
  }
  return "";
}

std::string bias_name(const Case& c, uint64_t seed) {
  return named("bias", c, seed);
}

std::string judged_name(Variant variant, const Case& c, uint64_t seed) {
  return named("judged-" + to_string(variant), c, seed);
}

std::string training_name(Variant variant, const Case& c, uint64_t seed) {
  const Variant trained = variant == Variant::cls_r_raw    ? Variant::cls_r
                          : variant == Variant::no_quality ? Variant::cluster
                                                           : variant;
  return named(to_string(trained), c, seed);
}

std::string expert_name(const std::string& data, uint64_t seed) {
  return fmt::format("expert-{}-s{}", data, seed);
}

std::string classifier_name(const Case& c, uint64_t seed) {
  return named("classifier", c, seed);
}

std::string deformed_name(const Case& c, uint64_t seed) {
  return named("deformed", c, seed);
}

std::string inception_name(Variant variant, const Case& c, uint64_t seed) {
  return named("inception-" + to_string(variant), c, seed);
}

std::string tsne_name(Variant variant, const Case& c, uint64_t seed) {
  return named("tsne-" + to_string(variant), c, seed);
}

std::string sweep_name(const Case& c, uint64_t seed) {
  return named("sweep", c, seed);
}

std::vector<std::pair<Case, Variant>> Wanted::judged() const {
  const std::vector<Variant> methods{Variant::acgan, Variant::cluster, Variant::cls_r, Variant::cls_r_raw};
  std::set<std::pair<Case, Variant>> all;
  for (const int table : tables) {
    const std::string name = table % 2 ? kMnist : kFashion;
    std::vector<Bias> cases{Bias::plain};
    if (table > 2) cases = biases;
    for (const Bias bias : cases) {
      if ((table == 3 || table == 4) && bias == Bias::plain) continue;
      if (table <= 4) {
        for (const Variant variant : methods) all.insert({{name, bias}, variant});
      } else {
        all.insert({{name, bias}, Variant::cls_r});
        all.insert({{name, bias}, table <= 6 ? Variant::no_quality : Variant::no_encoder});
      }
    }
  }
  if (own_images)
    for (const Variant variant : methods) all.insert({{kOwnImages, Bias::plain}, variant});
  return {all.begin(), all.end()};
}

bool Wanted::uses(const std::string& data) const {
  const auto all = judged();
  return std::any_of(all.begin(), all.end(), [&](const auto& judged) { return judged.first.data == data; });
}

std::vector<Cell> make_cells(const Plan& plan, const Wanted& wanted, const std::vector<uint64_t>& seeds,
                             std::shared_ptr<Data> data) {
  std::vector<Cell> cells;
  for (const uint64_t seed : seeds) {
    Builder builder(plan, data, seed, cells);
    const auto judged = wanted.judged();
    for (const auto& [c, variant] : judged) {
      builder.add_bias(c);
      builder.add_judged(variant, c);
      if (!plan.inception.empty()) builder.add_inception(variant, c);
    }
    if (!wanted.figures || seed != seeds.front()) continue;
    for (const auto& [c, variant] : judged) builder.add_pictures(variant, c);
  }
  return cells;
}

}  // namespace tobogan::kim_lee
