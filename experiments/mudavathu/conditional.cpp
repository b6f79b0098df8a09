// D moves on real images, then on fakes, then G moves; what D gets right among the last batches is counted on the way.
#include "experiments/mudavathu/conditional.h"

#include <cmath>

#include "engine/autograd.h"
#include "engine/nn/loss.h"
#include "engine/serialize.h"
#include "experiments/metrics/classification.h"
#include "experiments/run/machine.h"
#include "experiments/training/sampling.h"
#include "experiments/training/stored_images.h"

namespace tobogan::mudavathu {
namespace {

const AdamOptions kAdam{.rate = 2e-4, .beta1 = 0.5, .beta2 = 0.999, .epsilon = 1e-7, .keras_form = true};
constexpr int kCurvePoints = 1400, kPicturedPerClass = 10, kLast = 100, kJudgedAtOnce = 500;
constexpr int kDrawsPerWanted = 20;  // fakes drawn for one that D accepts, at most

UpsamplingAcganOptions network(const ConditionalPlan& plan, int classes) {
  return {.width = plan.width, .stem = plan.stem, .classes = classes};
}

// The share of rows whose largest element stands where the label says, on the device.
Tensor share_right(const Tensor& logits, const Indices& labels) {
  const NoGrad off;
  const int classes = logits.shape()[1];
  return sum(one_hot(argmax_rows(logits), classes) * one_hot(labels, classes)) / logits.shape()[0];
}

}  // namespace

ConditionalGan::ConditionalGan(Machine& machine, const ConditionalPlan& plan, const ImageSet& images, uint64_t seed,
                               std::filesystem::path folder)
    : Training(machine, seed),
      plan_(plan),
      folder_(std::move(folder)),
      form_(blank_like(images, 0)),
      images_(turned(images), context_.device),
      batches_(context_, images_, {.batch = plan.batch}),
      generator_(context_, "generator", network(plan, images.classes())),
      discriminator_(context_, "discriminator", network(plan, images.classes())),
      adam_g_(generator_.named_parameters(), kAdam),
      adam_d_(discriminator_.named_parameters(), kAdam),
      readings_(context_, 4, 1),
      step_(context_, [this] { train_once(); }) {
  set_steps(plan.epochs * (plan.true_epochs ? batches_.steps_per_epoch() : 1));
  log_ = {{"losses", nlohmann::json::array()}, {"right", {0.0, 0.0}}, {"iterations", 0}};
}

void ConditionalGan::step() {
  const int64_t steps_per_epoch = steps_in_all() / plan_.epochs;
  if (steps_done() == 1) picture(0);
  step_(batches_.next_size());
  const bool among_last = steps_in_all() - steps_done() < kLast;
  if (steps_done() == 1 || is_one_of(kCurvePoints) || among_last) {
    const std::vector<Real> now = readings_.take().back();
    if (steps_done() == 1 || is_one_of(kCurvePoints)) log_["losses"].push_back({steps_done(), now[0], now[1]});
    if (among_last) {
      nlohmann::json& right = log_["right"];
      right = {right[0].get<double>() + now[2], right[1].get<double>() + now[3]};
      log_["iterations"] = log_["iterations"].get<int>() + 1;
    }
  }
  if (steps_done() % (steps_per_epoch * plan_.picture_every) == 0 || is_last()) picture(steps_done() / steps_per_epoch);
}

void ConditionalGan::train_once() {
  const Batch real = batches_.next();
  const int size = real.images.shape()[0];
  const Tensor z = context_.rng["latent"].normal({size, generator_.options.latent});
  const Indices labels = context_.rng["labels"].integers(size, form_.classes());
  const auto loss_of = [](const AcganVerdict& verdict, double source, const Indices& wanted) {
    return bce_with_logits(verdict.source, source) + cross_entropy(verdict.label, wanted);
  };
  Tensor fake;
  {
    const NoGrad off;
    generator_.eval();
    fake = generator_(z, labels);
    generator_.train();
  }
  const AcganVerdict on_real = discriminator_(real.images);
  const Tensor real_loss = loss_of(on_real, 1, real.labels);
  adam_d_.step(grad(real_loss, adam_d_.parameters()));
  const AcganVerdict on_fake = discriminator_(fake);
  const Tensor fake_loss = loss_of(on_fake, 0, labels);
  adam_d_.step(grad(fake_loss, adam_d_.parameters()));
  discriminator_.track_statistics(false);
  const Tensor loss_g = loss_of(discriminator_(generator_(z, labels)), 1, labels);
  discriminator_.track_statistics(true);
  adam_g_.step(grad(loss_g, adam_g_.parameters()));
  readings_.add({0.5 * (real_loss + fake_loss).detach(), loss_g, share_right(on_real.label, real.labels),
                 share_right(on_fake.label, labels)});
}

State ConditionalGan::state() {
  State state;
  append(state, "model", generator_.state());
  append(state, "model", discriminator_.state());
  append(state, "adam", adam_g_.state());
  append(state, "adam_discriminator", adam_d_.state());
  append(state, "batches", batches_.state());
  return state;
}

// The same noise every time: the pictures show the training, not the draw.
void ConditionalGan::picture(int64_t epoch) {
  Rng same(context_.rng.key("pictures"), context_.device);
  const int classes = form_.classes();
  const Tensor z = same["latent"].normal({classes * kPicturedPerClass, generator_.options.latent});
  generator_.eval();
  const std::vector<int32_t> labels = labels_by_class(classes, kPicturedPerClass);
  const ImageSet grid = sample_images(
      context_.device, form_, labels, {}, [&](const Indices& wanted) { return generator_(z, wanted); },
      static_cast<int>(labels.size()));
  generator_.train();
  store_images(folder_, "grid-" + std::to_string(epoch), turned(grid));
}

ImageSet ConditionalGan::turned(const ImageSet& images) const {
  ImageSet result = images;
  if (plan_.invert)
    for (uint8_t& pixel : result.pixels) pixel = 255 - pixel;
  return result;
}

ImageSet ConditionalGan::sample(std::span<const int32_t> labels, const std::string& stream) {
  generator_.eval();
  const ImageSet fakes = sample_images(context_.device, form_, labels, {}, [&](const Indices& wanted) {
    const int size = static_cast<int>(wanted.count());
    return generator_(context_.rng[stream].normal({size, generator_.options.latent}), wanted);
  });
  generator_.train();
  return turned(fakes);
}

ConditionalGan::Verdicts ConditionalGan::judge(const ImageSet& images) {
  const NoGrad off;
  const DeviceImages on_device(turned(images), context_.device);
  Verdicts all;
  discriminator_.eval();
  for (int begin = 0; begin < images.count; begin += kJudgedAtOnce) {
    const Tensor x = on_device.range(begin, std::min(begin + kJudgedAtOnce, images.count)).images;
    const AcganVerdict verdict = discriminator_(x);
    for (const Real real : sigmoid(verdict.source).to_host()) all.real.push_back(real);
    for (const int32_t label : argmax_rows(verdict.label).to_host()) all.labels.push_back(label);
  }
  discriminator_.train();
  return all;
}

namespace {

// Fakes that D takes for real, class after class in turn so that any first part of them has all classes.
ImageSet accepted_fakes(const CellRun& run, ConditionalGan& gan, const ImageSet& form, int wanted, int64_t& drawn) {
  constexpr int kAtOnce = 1000;
  const int classes = form.classes();
  ImageSet accepted = blank_like(form, 0);
  for (drawn = 0; accepted.count < wanted && drawn < int64_t{kDrawsPerWanted} * wanted; drawn += kAtOnce) {
    if (run.stop_requested()) throw Interrupted();
    run.progress(accepted.count, wanted, "accepted fakes");
    std::vector<int32_t> labels(kAtOnce), passed;
    for (int i = 0; i < kAtOnce; ++i) labels[i] = i % classes;
    const ImageSet fakes = gan.sample(labels, "accepted");
    const ConditionalGan::Verdicts verdicts = gan.judge(fakes);
    for (int i = 0; i < kAtOnce && accepted.count + static_cast<int>(passed.size()) < wanted; ++i)
      if (verdicts.real[i] > 0.5) passed.push_back(i);
    accepted = accepted.count ? concatenate(std::move(accepted), subset(fakes, passed)) : subset(fakes, passed);
  }
  return accepted;
}

}  // namespace

nlohmann::json run_conditional(CellRun& run, const ConditionalPlan& plan, const Dataset& data, int accepted,
                               uint64_t seed) {
  Machine machine(machine_options(run.options()));
  ConditionalGan gan(machine, plan, data.train, seed, run.folder());
  gan.run(run);
  save(run.folder() / "generator.safetensors", gan.generator_state());
  const int classes = data.train.classes();
  store_images(run.folder(), "judged", gan.sample(labels_by_class(classes, plan.judged / classes), "judged"));
  int64_t drawn = 0;
  const ImageSet fakes = accepted_fakes(run, gan, data.train, accepted, drawn);
  if (fakes.count) store_images(run.folder(), "accepted", fakes);
  nlohmann::json result = gan.log();
  result["held_out"] = metrics::accuracy(data.test.labels, gan.judge(data.test).labels);
  result["accepted"] = fakes.count;
  result["drawn"] = drawn;
  return result;
}

}  // namespace tobogan::mudavathu
