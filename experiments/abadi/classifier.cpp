// A repeat takes minutes at most, so one that is interrupted starts over; those before it are the checkpoint.
#include "experiments/abadi/classifier.h"

#include <algorithm>
#include <memory>

#include "datasets/batches.h"
#include "engine/atomic_file.h"
#include "engine/autograd.h"
#include "engine/nn/loss.h"
#include "engine/optim.h"
#include "engine/step.h"
#include "experiments/run/machine.h"
#include "experiments/run/seeds.h"
#include "models/mlp.h"
#include "models/small_cnn.h"

namespace tobogan::abadi {
namespace {

constexpr int kTestBatch = 500;

// A network to train and the function it computes.
struct Classifier {
  std::unique_ptr<Module> module;
  std::function<Tensor(const Tensor&)> logits;
};

template <class Net, class Options>
Classifier make(Context& context, const Options& options) {
  auto net = std::make_unique<Net>(context, "classifier", options);
  Net& function = *net;
  return {std::move(net), [&function](const Tensor& x) { return function(x); }};
}

Classifier make_classifier(Context& context, const ClassifierConfig& config, const ImageSet& images) {
  if (config.network == Network::kMlp)
    return make<Mlp>(context,
                     MlpOptions{.inputs = static_cast<int>(images.image_bytes()), .classes = images.classes()});
  return make<SmallCnn>(
      context,
      SmallCnnOptions{
          .channels = images.channels, .side = images.height, .classes = images.classes(), .width = config.width});
}

// The share of images whose class gets the largest logit.
double accuracy(const Classifier& classifier, const DeviceImages& images) {
  const NoGrad off;
  classifier.module->eval();
  int64_t right = 0;
  for (int begin = 0; begin < images.count(); begin += kTestBatch) {
    const Batch batch = images.range(begin, std::min(begin + kTestBatch, images.count()));
    const std::vector<int32_t> guess = argmax_rows(classifier.logits(batch.images)).to_host();
    const std::vector<int32_t> truth = batch.labels.to_host();
    for (size_t i = 0; i < guess.size(); ++i) right += guess[i] == truth[i];
  }
  classifier.module->train();
  return static_cast<double>(right) / images.count();
}

struct Repeat {
  std::vector<double> test;  // accuracy after each epoch
  double train;              // accuracy at the end
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Repeat, test, train)

// Calls tick(epochs) for each epoch done and, when asked to stop, in the middle of one; it throws then.
Repeat train_once(CellRun& run, Machine& machine, const ClassifierConfig& config, int repeat, const ImageSet& train,
                  const ImageSet& test, const std::function<void(int epochs)>& tick) {
  Context context(machine, stream_key(config.seed, concat_text("repeat/", repeat)));
  const DeviceImages train_images(train, context.device), test_images(test, context.device);
  Batches batches(context, train_images, {.batch = config.batch});
  const Classifier classifier = make_classifier(context, config, train);
  Adam adam(classifier.module->named_parameters(), {.rate = 1e-3, .epsilon = 1e-7, .keras_form = true});
  Step step(context, [&] {
    const Batch batch = batches.next();
    adam.step(grad(cross_entropy(classifier.logits(batch.images), batch.labels), adam.parameters()));
  });
  Repeat result;
  for (int epoch = 0; epoch < config.epochs; ++epoch) {
    for (int64_t i = 0; i < batches.steps_per_epoch() && !run.stop_requested(); ++i) step(batches.next_size());
    tick(epoch + 1);
    result.test.push_back(accuracy(classifier, test_images));
  }
  result.train = accuracy(classifier, train_images);
  return result;
}

}  // namespace

nlohmann::json run_classifier(CellRun& run, const ClassifierConfig& config, const ImageSet& train,
                              const ImageSet& test) {
  Machine machine(machine_options(run.options()));
  std::vector<Repeat> repeats;
  run.resume([&](const std::filesystem::path& checkpoint) {
    repeats = nlohmann::json::parse(read_text(checkpoint)).get<std::vector<Repeat>>();
  });
  while (static_cast<int>(repeats.size()) < config.repeats) {
    const int done = static_cast<int>(repeats.size());
    repeats.push_back(train_once(run, machine, config, done, train, test, [&](int epochs) {
      run.tick(done * config.epochs + epochs, config.repeats * config.epochs,
               [&] { atomic_write(run.checkpoint(), nlohmann::json(repeats).dump()); });
    }));
  }
  std::vector<double> best, last, on_train;
  nlohmann::json accuracies = nlohmann::json::array();
  for (const Repeat& repeat : repeats) {
    best.push_back(*std::max_element(repeat.test.begin(), repeat.test.end()));
    last.push_back(repeat.test.back());
    on_train.push_back(repeat.train);
    accuracies.push_back(repeat.test);
  }
  return {{"best", mean_of(best)},
          {"last", mean_of(last)},
          {"train", mean_of(on_train)},
          {"images", train.count},
          {"accuracy", accuracies}};
}

}  // namespace tobogan::abadi
