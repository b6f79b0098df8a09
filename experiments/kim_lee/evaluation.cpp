// One number after another goes into the result, with a look for Ctrl-C before each.
#include "experiments/kim_lee/evaluation.h"

#include <algorithm>

#include "engine/random.h"
#include "experiments/metrics/agreement.h"
#include "experiments/metrics/diversity.h"
#include "experiments/metrics/frechet.h"
#include "experiments/metrics/inception_score.h"
#include "experiments/metrics/kid.h"
#include "experiments/metrics/kmeans.h"
#include "experiments/metrics/neighbours.h"

namespace tobogan::kim_lee {
namespace {

metrics::Features pixels_of(const ImageSet& images, int count) {
  metrics::Features x(count, static_cast<int64_t>(images.image_bytes()));
  for (int i = 0; i < count; ++i)
    for (size_t p = 0; p < images.image_bytes(); ++p) x(i, p) = images.image(i)[p];
  return x;
}

class Evaluator {
 public:
  Evaluator(CellRun& run, const Evaluation& what) : run_(run), w_(what), judged_(judge(*what.expert, *what.fakes)) {}

  nlohmann::json all() {
    const ImageSet& fakes = *w_.fakes;
    std::vector<int> of_class(fakes.classes());
    for (const int32_t label : fakes.labels) ++of_class[label];
    result_ = {{"fakes", of_class}, {"expert", judged_.labels}, {"acc", 100 * accuracy(judged_, fakes)}};
    result_["matched"] = 100 * metrics::matched_accuracy(judged_.labels, fakes.labels);
    agreement();
    distances();
    diversity();
    return result_;
  }

 private:
  void step(const char* what) {
    if (run_.stop_requested()) throw Interrupted();
    run_.progress(++steps_, 6, what);
  }

  std::vector<int32_t> clusters(const metrics::Features& x, const char* what) const {
    return metrics::kmeans(x,
                           {.clusters = w_.fakes->classes(), .seed = stream_key(w_.seed, what), .threads = w_.threads})
        .labels;
  }

  void agree(const std::string& prefix, std::span<const int32_t> a, std::span<const int32_t> b) {
    result_[prefix + "nmi"] = metrics::normalized_mutual_information(a, b);
    result_[prefix + "ari"] = metrics::adjusted_rand_index(a, b);
  }

  void agreement() {
    const ImageSet& fakes = *w_.fakes;
    step("clusters");
    agree("gen_", fakes.labels, judged_.labels);
    if (fakes.count < fakes.classes()) return;
    const metrics::Features embedded = w_.embed(fakes);
    if (w_.cluster) {
      agree("", judged_.labels, clusters(embedded, "fakes"));
      agree("real_", w_.test->labels, clusters(w_.embed(*w_.test), "real"));
    } else {
      std::vector<int32_t> own;
      for (int i = 0; i < fakes.count; ++i) {
        int best = 0;
        for (int k = 1; k < embedded.cols(); ++k)
          if (embedded(i, k) > embedded(i, best)) best = k;
        own.push_back(best);
      }
      agree("", judged_.labels, own);
    }
    step("clusters of pixels");
    // A few of every class: fakes stand class after class.
    const int count = std::min(fakes.count, kPixelFakes);
    std::vector<int32_t> some(count), seen(count);
    for (int i = 0; i < count; ++i) some[i] = static_cast<int32_t>(int64_t{i} * fakes.count / count);
    for (int i = 0; i < count; ++i) seen[i] = judged_.labels[some[i]];
    agree("pixel_", seen, clusters(pixels_of(subset(fakes, some), count), "pixels"));
  }

  void distances() {
    const ImageSet& fakes = *w_.fakes;
    if (std::min(fakes.count, w_.test->count) < kFewestImages) return;
    step("distances");
    const Judgement real = judge(*w_.expert, *w_.test);
    result_["fid_h"] = metrics::frechet_distance(metrics::moments(judged_.features, w_.threads),
                                                 metrics::moments(real.features, w_.threads));
    const metrics::MeanDeviation score = metrics::inception_score(judged_.probabilities, {.seed = w_.seed});
    result_["is_h"] = score.mean;
    result_["is_h_deviation"] = score.deviation;
    result_["kid_h"] =
        metrics::kernel_inception_distance(judged_.features, real.features,
                                           {.subsets = kKidSubsets, .seed = w_.seed, .threads = w_.threads})
            .mean;
    step("neighbours");
    const metrics::NeighbourScores near =
        metrics::neighbour_scores(real.features, judged_.features, {.threads = w_.threads});
    result_.update({{"precision", near.precision},
                    {"recall", near.recall},
                    {"density", near.density},
                    {"coverage", near.coverage}});
  }

  void diversity() {
    step("diversity");
    const metrics::Diversity div =
        metrics::diversity(metrics::grey_images(*w_.fakes), w_.fakes->labels, w_.fakes->classes(),
                           {.per_class = w_.diversity_images, .seed = w_.seed, .threads = w_.threads});
    result_.update({{"div", div.within}, {"species", div.species}, {"div_between", div.between}});
  }

  CellRun& run_;
  const Evaluation& w_;
  Judgement judged_;
  nlohmann::json result_;
  int steps_ = 0;
};

}  // namespace

nlohmann::json evaluate(CellRun& run, const Evaluation& what) {
  if (what.fakes->count == 0)  // none is qualified
    return {{"fakes", std::vector<int>(what.fakes->classes())},
            {"expert", nlohmann::json::array()},
            {"acc", nullptr},
            {"div", 0},
            {"species", 0},
            {"div_between", 0}};
  return Evaluator(run, what).all();
}

}  // namespace tobogan::kim_lee
