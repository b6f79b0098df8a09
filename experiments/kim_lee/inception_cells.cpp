// Inception is dear on a CPU, so its numbers are cells of their own: without weights there are none.
#include "engine/serialize.h"
#include "experiments/kim_lee/evaluation.h"
#include "experiments/kim_lee/judging.h"
#include "experiments/metrics/frechet.h"
#include "experiments/metrics/inception.h"
#include "experiments/metrics/inception_score.h"
#include "experiments/run/machine.h"

namespace tobogan::kim_lee {
namespace {

metrics::InceptionFeatures features_by(CellRun& run, Context& context, const Plan& plan, const ImageSet& images) {
  InceptionV3 network(context, "inception");
  metrics::load_inception(plan.inception, network);
  return metrics::inception_features(network, images, [&](int64_t done, int64_t total) {
    run.progress(done, total, metrics::cost_text(metrics::inception_cost(images.count)));
    if (run.stop_requested()) throw Interrupted();
  });
}

}  // namespace

nlohmann::json run_inception_real(CellRun& run, const Plan& plan, const ImageSet& test) {
  Machine machine(machine_options(run.options()));
  Context context(machine, 1);
  const metrics::Features features = features_by(run, context, plan, test).features;
  const std::vector<Real> values(features.data(), features.data() + features.size());
  const Shape shape{static_cast<int>(features.rows()), static_cast<int>(features.cols())};
  save(run.folder() / "features.safetensors", {{"features", Tensor::from_host(shape, values, context.device)}});
  return {{"images", test.count}};
}

nlohmann::json run_inception(CellRun& run, const Plan& plan, const std::string& judged, const std::string& real,
                             const ImageSet& form, uint64_t seed) {
  Machine machine(machine_options(run.options()));
  Context context(machine, seed);
  const ImageSet fakes = judged_fakes(run.need(judged), form);
  if (fakes.count < kFewestImages) return {{"fid_inception", nullptr}, {"is_inception", nullptr}};
  const HostTensor known = read_tensors(run.need(real).folder / "features.safetensors").at("features");
  metrics::Features reference(known.shape[0], known.shape[1]);
  std::copy(known.values.begin(), known.values.end(), reference.data());
  const metrics::InceptionFeatures found = features_by(run, context, plan, fakes);
  const metrics::MeanDeviation score = metrics::inception_score(found.probabilities, {.seed = seed});
  return {{"fid_inception", metrics::frechet_distance(metrics::moments(found.features, run.options().threads),
                                                      metrics::moments(reference, run.options().threads))},
          {"is_inception", score.mean},
          {"is_inception_deviation", score.deviation}};
}

}  // namespace tobogan::kim_lee
