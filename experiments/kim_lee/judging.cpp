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

nlohmann::json judge_cluster(CellRun& run, const Plan& plan, Variant variant, Context& context, const Sources& from,
                             const ImageSet& form, Evaluation what) {
  ClusterGenerator generator(context, "generator", network(plan.cluster, form.classes()));
  ClusterEncoder encoder(context, "encoder", network(plan.cluster, form.classes()));
  State state = generator.state();
  for (const NamedValue& value : encoder.state()) state.push_back(value);
  load(run.need(from.training).folder / "gan.safetensors", state);
  const EvaluationPlan& e = plan.evaluation;
  set_statistics(generator, e.statistics, plan.cluster.noise);
  const DrawFakes draw = [&](std::span<const int32_t> labels) {
    return draw_cluster_fakes(generator, form, labels, plan.cluster.noise, "fakes");
  };
  ImageSet fakes;
  std::vector<int> drawn(form.classes(), e.per_class);
  if (variant == Variant::cluster || variant == Variant::cls_r_raw) {
    fakes = draw(labels_by_class(form.classes(), e.per_class));
  } else {
    const Classifier classifier = load_classifier(context, plan.classifier, form.classes(), run.need(from.classifier));
    Selected selected =
        select_qualified(form, draw, classifier.logits, context.device, {.per_class = e.per_class, .p_min = e.p_min});
    fakes = std::move(selected.images);
    drawn = selected.drawn;
  }
  if (fakes.count) store_images(run.folder(), "fakes", fakes);
  what.fakes = &fakes;
  what.embed = [&](const ImageSet& images) {
    return rows_of(images, context.device, {0, 1}, [&](const Tensor& x) {
      const ClusterCode code = encoder(x);
      return concat({code.noise, softmax(code.logits)}, 1);
    });
  };
  nlohmann::json result = evaluate(run, what);
  result["drawn"] = drawn;
  return result;
}

ImageSet stored_fakes(CellRun& run, const std::string& judged, const ImageSet& form) {
  return stored_images(run.need(judged).folder, "fakes", form.class_names);
}

std::vector<int32_t> first_of_class(const ImageSet& images, int label, int count) {
  std::vector<int32_t> of_label = of_class(images, label);
  of_label.resize(std::min(of_label.size(), static_cast<size_t>(count)));
  return of_label;
}

}  // namespace

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
                        .name = to_string(variant),
                        .seed = seed,
                        .threads = run.options().threads};
  return variant == Variant::acgan ? judge_acgan(run, plan, context, from, form, what)
                                   : judge_cluster(run, plan, variant, context, from, form, what);
}

nlohmann::json run_deformed(CellRun& run, const std::string& judged, const ImageSet& train, uint64_t seed) {
  constexpr int kEach = 2, kTrain = 1000, kFakes = 200;
  const ImageSet fakes = stored_fakes(run, judged, train);
  const int threads = run.options().threads;
  std::vector<std::vector<int32_t>> chosen(kEach);
  nlohmann::json similarities = nlohmann::json::array();
  for (int label = 0; label < train.classes(); ++label) {
    if (run.stop_requested()) throw Interrupted();
    const std::vector<int32_t> mine = first_of_class(fakes, label, kFakes), theirs = of_class(train, label);
    if (static_cast<int>(mine.size()) < kEach || theirs.empty()) continue;
    const int available = static_cast<int>(theirs.size());
    std::vector<int32_t> some = draw_indices(std::min(kTrain, available), available, stream_key(seed, "deformed"));
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
  const ImageSet fakes = stored_fakes(run, judged, form);
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

nlohmann::json run_sweep(CellRun& run, const Plan& plan, const std::string& judged_raw, const Sources& from,
                         const ImageSet& form, uint64_t seed) {
  Machine machine(machine_options(run.options()));
  Context context(machine, seed);
  const ImageSet fakes = stored_fakes(run, judged_raw, form);
  const Judgement judged =
      judge(load_classifier(context, plan.classifier, form.classes(), run.need(from.classifier)), fakes);
  const auto expert = run.need(judged_raw).result.at("expert").get<std::vector<int32_t>>();
  nlohmann::json rows = nlohmann::json::array();
  for (const double p_min : plan.p_mins) {
    std::vector<int32_t> kept, seen;
    for (int i = 0; i < fakes.count; ++i) {
      if (judged.labels[i] != fakes.labels[i] || judged.confidence[i] < p_min) continue;
      kept.push_back(i);
      seen.push_back(expert[i]);
    }
    if (kept.empty()) continue;
    const ImageSet qualified = subset(fakes, kept);
    const metrics::Diversity div = metrics::diversity(
        metrics::grey_images(qualified), qualified.labels, form.classes(),
        {.per_class = plan.evaluation.diversity_images, .seed = seed, .threads = run.options().threads});
    rows.push_back({{"p_min", p_min},
                    {"kept", static_cast<double>(kept.size()) / fakes.count},
                    {"acc", 100 * metrics::accuracy(qualified.labels, seen)},
                    {"div", div.within}});
  }
  return {{"sweep", rows}};
}

}  // namespace tobogan::kim_lee
