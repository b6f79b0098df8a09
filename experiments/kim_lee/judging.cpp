// Trained networks are read back from the folders of the cells that made them.
#include "experiments/kim_lee/judging.h"

#include <algorithm>
#include <numeric>

#include "engine/autograd.h"
#include "engine/serialize.h"
#include "experiments/kim_lee/acgan_training.h"
#include "experiments/kim_lee/cluster_training.h"
#include "experiments/kim_lee/evaluation.h"
#include "experiments/kim_lee/selection.h"
#include "experiments/metrics/classification.h"
#include "experiments/metrics/diversity.h"
#include "experiments/metrics/tsne.h"
#include "experiments/run/machine.h"
#include "experiments/training/sampling.h"
#include "experiments/training/stored_images.h"

namespace tobogan::kim_lee {
namespace {

constexpr int kAtOnce = 500;

// A function of images in `range`, applied to a set a few at a time.
metrics::Features rows_of(const ImageSet& images, const Device& device, const PixelRange& range,
                          const std::function<Tensor(const Tensor&)>& function) {
  const NoGrad off;
  const DeviceImages on_device(images, device);
  metrics::Features all;
  for (int begin = 0; begin < images.count; begin += kAtOnce) {
    const int end = std::min(begin + kAtOnce, images.count);
    const metrics::Features part = metrics::features_of(function(on_device.range(begin, end, range).images));
    if (begin == 0) all.resize(images.count, part.cols());
    all.middleRows(begin, end - begin) = part;
  }
  return all;
}

nlohmann::json judge_acgan(CellRun& run, const Plan& plan, Context& context, const Sources& from, const ImageSet& form,
                           Evaluation what) {
  AcganGenerator generator(context, "generator", network(plan.acgan, form.classes()));
  AcganDiscriminator discriminator(context, "discriminator", network(plan.acgan, form.classes()));
  State state = generator.state();
  for (const NamedValue& value : discriminator.state()) state.push_back(value);
  load(run.need(from.training).folder / "gan.safetensors", state);
  generator.eval();
  discriminator.eval();
  const ImageSet fakes = sample_images(
      context.device, form, labels_by_class(form.classes(), plan.evaluation.per_class), {}, [&](const Indices& labels) {
        const int size = static_cast<int>(labels.count());
        return generator(context.rng["fakes"].uniform({size, generator.options.latent}, -1, 1), labels);
      });
  store_images(run.folder(), "fakes", fakes);
  what.fakes = &fakes;
  what.cluster = false;
  what.embed = [&](const ImageSet& images) {
    return rows_of(images, context.device, {}, [&](const Tensor& x) { return discriminator(x).label; });
  };
  return evaluate(run, what);
}

// A trained ClusterGAN or CLS-R GAN, ready to be drawn from.
class ClusterModel {
 public:
  ClusterModel(CellRun& run, const Plan& plan, Context& context, const Sources& from, const ImageSet& form)
      : run_(run),
        plan_(plan),
        form_(form),
        context_(context),
        generator_(context, "generator", network(plan.cluster, form.classes())),
        encoder_(context, "encoder", network(plan.cluster, form.classes())) {
    State state = generator_.state();
    for (const NamedValue& value : encoder_.state()) state.push_back(value);
    load(run.need(from.training).folder / "gan.safetensors", state);
    set_statistics(generator_, plan.evaluation.statistics, plan.cluster.noise);
  }

  ImageSet draw(std::span<const int32_t> labels) {
    if (run_.stop_requested()) throw Interrupted();
    return draw_cluster_fakes(generator_, form_, labels, plan_.cluster.noise, "fakes");
  }

  Selected qualified(const Classifier& classifier, double p_min) {
    return select_qualified(
        form_, [this](std::span<const int32_t> labels) { return draw(labels); },
        [&](const Tensor& x) { return classifier.logits(x); }, context_.device,
        {.per_class = plan_.evaluation.per_class, .p_min = p_min});
  }

  // [E_n, softmax E_c] of images.
  metrics::Features embed(const ImageSet& images) {
    return rows_of(images, context_.device, {0, 1}, [&](const Tensor& x) {
      const ClusterCode code = encoder_(x);
      return concat({code.noise, softmax(code.logits)}, 1);
    });
  }

 private:
  const CellRun& run_;
  const Plan& plan_;
  const ImageSet& form_;
  Context& context_;
  ClusterGenerator generator_;
  ClusterEncoder encoder_;
};

nlohmann::json judge_cluster(CellRun& run, const Plan& plan, Variant variant, Context& context, const Sources& from,
                             const ImageSet& form, Evaluation what) {
  ClusterModel model(run, plan, context, from, form);
  const EvaluationPlan& e = plan.evaluation;
  ImageSet fakes;
  std::vector<int> drawn(form.classes(), e.per_class);
  if (variant == Variant::cluster || variant == Variant::cls_r_raw) {
    fakes = model.draw(labels_by_class(form.classes(), e.per_class));
  } else {
    Selected selected =
        model.qualified(load_classifier(context, plan.classifier, form.classes(), run.need(from.classifier)), e.p_min);
    fakes = std::move(selected.images);
    drawn = selected.drawn;
  }
  if (fakes.count) store_images(run.folder(), "fakes", fakes);  // there is no file of no images
  what.fakes = &fakes;
  what.embed = [&](const ImageSet& images) { return model.embed(images); };
  nlohmann::json result = evaluate(run, what);
  result["drawn"] = drawn;
  return result;
}

std::vector<int32_t> first_of_class(const ImageSet& images, int label, int count) {
  std::vector<int32_t> of_label = of_class(images, label);
  of_label.resize(std::min(of_label.size(), static_cast<size_t>(count)));
  return of_label;
}

}  // namespace

ImageSet judged_fakes(const Finished& cell, const ImageSet& form) {
  int count = 0;
  for (const int of_class : cell.result.at("fakes")) count += of_class;
  return count ? stored_images(cell.folder, "fakes", form.class_names) : blank_like(form, 0);
}

nlohmann::json run_judged(CellRun& run, const Plan& plan, Variant variant, const Sources& from, const Dataset& data,
                          uint64_t seed) {
  Machine machine(machine_options(run.options()));
  Context context(machine, seed);
  const ImageSet form = blank_like(data.train, 0);
  const Classifier expert = load_classifier(context, plan.expert, form.classes(), run.need(from.expert));
  const Evaluation what{.fakes = nullptr,
                        .test = &data.test,
                        .expert = &expert,
                        .embed = {},
                        .diversity_images = plan.evaluation.diversity_images,
                        .seed = seed,
                        .threads = run.options().threads};
  return variant == Variant::acgan ? judge_acgan(run, plan, context, from, form, what)
                                   : judge_cluster(run, plan, variant, context, from, form, what);
}

nlohmann::json run_deformed(CellRun& run, const std::string& judged, const ImageSet& train, uint64_t seed) {
  constexpr int kEach = 2;
  const ImageSet fakes = judged_fakes(run.need(judged), train);
  const int threads = run.options().threads;
  std::vector<std::vector<int32_t>> chosen(kEach);
  nlohmann::json similarities = nlohmann::json::array();
  for (int label = 0; label < train.classes(); ++label) {
    if (run.stop_requested()) throw Interrupted();
    const std::vector<int32_t> mine = of_class(fakes, label), theirs = of_class(train, label);
    if (static_cast<int>(mine.size()) < kEach || theirs.empty()) continue;
    const int available = static_cast<int>(theirs.size());
    std::vector<int32_t> some =
        draw_indices(std::min(kDeformedFrom, available), available, stream_key(seed, "deformed"));
    for (int32_t& index : some) index = theirs[index];
    const Eigen::MatrixXf similarity =
        metrics::fsim_matrix(metrics::fsim_maps(metrics::grey_images(subset(fakes, mine)), threads),
                             metrics::fsim_maps(metrics::grey_images(subset(train, some)), threads), threads);
    std::vector<int> order(mine.size());
    std::iota(order.begin(), order.end(), 0);
    std::partial_sort(order.begin(), order.begin() + kEach, order.end(),
                      [&](int a, int b) { return similarity.row(a).maxCoeff() < similarity.row(b).maxCoeff(); });
    for (int i = 0; i < kEach; ++i) {
      chosen[i].push_back(mine[order[i]]);
      similarities.push_back(similarity.row(order[i]).maxCoeff());
    }
    run.progress(label + 1, train.classes());
  }
  std::vector<int32_t> all;
  for (const std::vector<int32_t>& row : chosen) all.insert(all.end(), row.begin(), row.end());
  if (!all.empty()) store_images(run.folder(), "deformed", subset(fakes, all));
  return {{"fsim", similarities}, {"classes", chosen[0].size()}};
}

nlohmann::json run_tsne(CellRun& run, const Plan& plan, const std::string& judged, const ImageSet& form) {
  const ImageSet fakes = judged_fakes(run.need(judged), form);
  const nlohmann::json& expert = run.need(judged).result.at("expert");
  std::vector<int32_t> shown;
  for (int label = 0; label < form.classes(); ++label)
    for (const int32_t index : first_of_class(fakes, label, plan.evaluation.tsne_per_class)) shown.push_back(index);
  metrics::Features x(static_cast<int64_t>(shown.size()), static_cast<int64_t>(fakes.image_bytes()));
  for (size_t i = 0; i < shown.size(); ++i)
    for (size_t p = 0; p < fakes.image_bytes(); ++p) x(i, p) = fakes.image(shown[i])[p] / 255.0;
  metrics::TsneOptions options{.iterations = plan.evaluation.tsne_iterations, .threads = run.options().threads};
  options.perplexity = std::min(options.perplexity, (static_cast<double>(shown.size()) - 1) / 3.5);
  if (options.perplexity < 1) return {{"points", nlohmann::json::array()}};  // too few fakes for a picture
  const metrics::Tsne picture = metrics::tsne(x, options, [&](int64_t done, int64_t total) {
    run.progress(done, total);
    if (run.stop_requested()) throw Interrupted();
  });
  nlohmann::json points = nlohmann::json::array();
  for (size_t i = 0; i < shown.size(); ++i)
    points.push_back({picture.points(i, 0), picture.points(i, 1), fakes.labels[shown[i]], expert[shown[i]]});
  return {{"points", points}, {"divergence", picture.divergence}};
}

nlohmann::json run_sweep(CellRun& run, const Plan& plan, const Sources& from, const ImageSet& form, uint64_t seed) {
  Machine machine(machine_options(run.options()));
  nlohmann::json rows = nlohmann::json::array();
  for (size_t i = 0; i < plan.p_mins.size(); ++i) {
    if (run.stop_requested()) throw Interrupted();
    run.progress(static_cast<int64_t>(i), static_cast<int64_t>(plan.p_mins.size()));
    Context context(machine, seed);  // the same noise for each, for as long as they draw alike
    ClusterModel model(run, plan, context, from, form);
    const Selected selected = model.qualified(
        load_classifier(context, plan.classifier, form.classes(), run.need(from.classifier)), plan.p_mins[i]);
    const ImageSet& fakes = selected.images;
    if (fakes.count == 0) continue;
    const Classifier expert = load_classifier(context, plan.expert, form.classes(), run.need(from.expert));
    const metrics::Diversity div = metrics::diversity(
        metrics::grey_images(fakes), fakes.labels, form.classes(),
        {.per_class = plan.evaluation.diversity_images, .seed = seed, .threads = run.options().threads});
    const double drawn = std::accumulate(selected.drawn.begin(), selected.drawn.end(), 0.0);
    rows.push_back({{"p_min", plan.p_mins[i]},
                    {"kept", fakes.count / drawn},
                    {"acc", 100 * accuracy(judge(expert, fakes), fakes)},
                    {"div", div.within}});
  }
  return {{"sweep", rows}};
}

}  // namespace tobogan::kim_lee
