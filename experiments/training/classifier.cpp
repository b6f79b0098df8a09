// A cell trains one and leaves its weights; whoever needs it reads them into the same network.
#include "experiments/training/classifier.h"

#include <algorithm>
#include <numeric>

#include "datasets/augment.h"
#include "datasets/batches.h"
#include "engine/autograd.h"
#include "engine/nn/loss.h"
#include "engine/optim.h"
#include "engine/serialize.h"
#include "engine/step.h"
#include "experiments/metrics/classification.h"
#include "experiments/run/machine.h"
#include "experiments/training/training.h"
#include "models/cls_r_gan.h"
#include "models/expert_classifier.h"

namespace tobogan {
namespace {

constexpr double kRate = 1e-3;
constexpr int kJudgedAtOnce = 500;
constexpr const char* kFile = "classifier.safetensors";

template <class Network, class Options>
Classifier make(Context& context, const Options& options) {
  auto network = std::make_unique<Network>(context, "classifier", options);
  Network& n = *network;
  return {std::move(network), [&n](const Tensor& x) { return n.features(x); },
          [&n](const Tensor& features) { return n.scores(features); }};
}

Classifier make_classifier(Context& context, const ClassifierPlan& plan, int classes) {
  return plan.expert ? make<ExpertClassifier>(context, ExpertClassifierOptions{.classes = classes})
                     : make<IndependentClassifier>(context, IndependentClassifierOptions{.classes = classes});
}

class ClassifierTraining : public Training {
 public:
  ClassifierTraining(Machine& machine, const ClassifierPlan& plan, const ImageSet& train, uint64_t seed)
      : Training(machine, seed),
        plan_(plan),
        images_(train, context_.device),
        batches_(context_, images_, {.batch = plan.batch, .range = {0, 1}}),
        classifier_(make_classifier(context_, plan, train.classes())),
        adam_(classifier_.network->named_parameters(), {.rate = kRate}),
        step_(context_, [this] { train_once(); }) {
    set_steps(plan.epochs * batches_.steps_per_epoch());
  }

  const Classifier& classifier() const { return classifier_; }

 private:
  void step() override {
    if (const double rate = rate_now(); rate != rate_) adam_.set_rate(rate_ = rate);
    step_(batches_.next_size());
  }

  void train_once() {
    const Batch batch = batches_.next();
    adam_.step(grad(cross_entropy(classifier_.logits(batch.images), batch.labels), adam_.parameters()));
  }

  double rate_now() const {
    const double done = static_cast<double>(steps_done() - 1) / static_cast<double>(steps_in_all());
    return !plan_.falling_rate || done < 0.6 ? kRate : done < 0.85 ? kRate / 10 : kRate / 100;
  }

  State state() override {
    State state;
    append(state, "model", classifier_.network->state());
    append(state, "adam", adam_.state());
    append(state, "batches", batches_.state());
    return state;
  }

  ClassifierPlan plan_;
  DeviceImages images_;
  Batches batches_;
  Classifier classifier_;
  Adam adam_;
  Step step_;
  double rate_ = kRate;
};

ImageSet drawn_and_deformed(const ImageSet& set, double share, uint64_t seed) {
  const int count = static_cast<int>(share * set.count);
  return deform(subset(set, draw_indices(count, set.count, stream_key(seed, "deformed/which"))), {},
                stream_key(seed, "deformed/how"));
}

}  // namespace

nlohmann::json about(const ClassifierPlan& plan) {
  return {{"expert", plan.expert},
          {"epochs", plan.epochs},
          {"images", plan.images},
          {"falling_rate", plan.falling_rate},
          {"batch", plan.batch}};
}

nlohmann::json run_classifier(CellRun& run, const ClassifierPlan& plan, const ImageSet& train,
                              const std::vector<TestSet>& tests, uint64_t seed) {
  ImageSet part;  // the whole set is not copied
  const bool some = plan.images > 0 && plan.images < train.count;
  if (some) part = subset(train, draw_indices(plan.images, train.count, stream_key(seed, "images")));
  Machine machine(machine_options(run.options()));
  ClassifierTraining training(machine, plan, some ? part : train, seed);
  training.run(run);
  save(run.folder() / kFile, training.classifier().network->state());
  training.classifier().network->eval();
  nlohmann::json result{{"images", some ? part.count : train.count}};
  for (const TestSet& test : tests) {
    check(!result.contains(test.name), "two test sets are called ", test.name);
    result[test.name] = accuracy(judge(training.classifier(), *test.images), *test.images);
  }
  return result;
}

Classifier load_classifier(Context& context, const ClassifierPlan& plan, int classes, const Finished& cell) {
  Classifier classifier = make_classifier(context, plan, classes);
  load(classifier_file(cell), classifier.network->state());
  classifier.network->eval();
  return classifier;
}

std::filesystem::path classifier_file(const Finished& cell) {
  return cell.folder / kFile;
}

Judgement judge(const Classifier& classifier, const ImageSet& images) {
  const NoGrad off;
  const DeviceImages on_device(images, classifier.network->context().device);
  Judgement all;
  for (int begin = 0; begin < images.count; begin += kJudgedAtOnce) {
    const int end = std::min(begin + kJudgedAtOnce, images.count);
    const Tensor x = on_device.range(begin, end, {0, 1}).images;
    const Tensor seen = classifier.features(x);
    const metrics::Features features = metrics::features_of(seen);
    const metrics::Features probabilities = metrics::features_of(softmax(classifier.scores(seen)));
    if (begin == 0) {
      all.features.resize(images.count, features.cols());
      all.probabilities.resize(images.count, probabilities.cols());
    }
    all.features.middleRows(begin, end - begin) = features;
    all.probabilities.middleRows(begin, end - begin) = probabilities;
  }
  for (int i = 0; i < images.count; ++i) {
    Eigen::Index label;
    all.confidence.push_back(all.probabilities.row(i).maxCoeff(&label));
    all.labels.push_back(static_cast<int32_t>(label));
  }
  return all;
}

double accuracy(const Judgement& judgement, const ImageSet& images) {
  return metrics::accuracy(images.labels, judgement.labels);
}

ImageSet expert_training_set(const ImageSet& train, uint64_t seed) {
  return concatenate(train, drawn_and_deformed(train, 0.6, seed));
}

ImageSet deformed_test_set(const ImageSet& test, uint64_t seed) {
  return drawn_and_deformed(test, 0.9, seed);
}

}  // namespace tobogan
