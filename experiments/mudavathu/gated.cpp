// The gates look at losses on the host, so the step cannot be captured.
#include "experiments/mudavathu/gated.h"

#include "engine/autograd.h"
#include "engine/nn/loss.h"
#include "engine/serialize.h"
#include "experiments/run/machine.h"
#include "experiments/training/sampling.h"
#include "experiments/training/stored_images.h"

namespace tobogan::mudavathu {
namespace {

const RmsPropOptions kRmsProp{.rate = 1.5e-4, .weight_decay = 1e-6};
constexpr PixelRange kRange{0, 1};
constexpr int kCurvePoints = 1000, kPictured = 64;

GatedGanOptions network(const GatedPlan& plan) {
  return {.maps = plan.maps, .dropout = plan.dropout};
}

}  // namespace

GatedGan::GatedGan(Machine& machine, const GatedPlan& plan, const ImageSet& images, uint64_t seed)
    : Training(machine, seed),
      plan_(plan),
      images_(images, context_.device),
      batches_(context_, images_, {.batch = plan.batch, .range = kRange}),
      generator_(context_, "generator", network(plan)),
      discriminator_(context_, "discriminator", network(plan)),
      rms_g_(generator_.named_parameters(), kRmsProp),
      rms_d_(discriminator_.named_parameters(), kRmsProp),
      step_(context_, [this] { train_once(); }, {.capture = false}) {
  set_steps(plan.iterations + 1);  // iteration 0 is seen before anything has moved
  log_ = {{"losses", nlohmann::json::array()}, {"trained", {0, 0}}};
}

void GatedGan::train_once() {
  const Tensor real = batches_.next().images;
  const Tensor fake = generator_(context_.rng["latent"].uniform({real.shape()[0], generator_.options.latent}));
  const Tensor fake_logits = discriminator_(fake);
  const Tensor loss_d = 0.5 * (bce_with_logits(discriminator_(real), 1.0) + bce_with_logits(fake_logits, 0.0));
  const Tensor loss_g = bce_with_logits(fake_logits, 1.0);
  const double d = loss_d.item(), g = loss_g.item();
  const int64_t iteration = steps_done() - 1;
  if (iteration % plan_.log_every == 0 || is_one_of(kCurvePoints)) log_["losses"].push_back({iteration, 2 * d, g});
  const bool train_g = plan_.gate_g * g >= d, train_d = plan_.gate_d * d >= g;
  std::vector<Tensor> grads_g, grads_d;  // both before either network moves
  if (train_d) grads_d = grad(loss_d, rms_d_.parameters(), {.keep_graph = train_g});
  if (train_g) grads_g = grad(loss_g, rms_g_.parameters());
  if (train_d) rms_d_.step(grads_d);
  if (train_g) rms_g_.step(grads_g);
  nlohmann::json& trained = log_["trained"];
  trained = {trained[0].get<int64_t>() + train_g, trained[1].get<int64_t>() + train_d};
}

State GatedGan::state() {
  State state;
  append(state, "model", generator_.state());
  append(state, "model", discriminator_.state());
  append(state, "rmsprop", rms_g_.state());
  append(state, "rmsprop_discriminator", rms_d_.state());
  append(state, "batches", batches_.state());
  return state;
}

ImageSet GatedGan::sample(const ImageSet& form, int count) {
  generator_.eval();
  const ImageSet fakes =
      sample_images(context_.device, form, labels_by_class(1, count), kRange, [&](const Indices& labels) {
        const int size = static_cast<int>(labels.count());
        return generator_(context_.rng["samples"].uniform({size, generator_.options.latent}));
      });
  generator_.train();
  return fakes;
}

nlohmann::json run_gated(CellRun& run, const GatedPlan& plan, const ImageSet& images, uint64_t seed) {
  Machine machine(machine_options(run.options()));
  GatedGan gan(machine, plan, images, seed);
  gan.run(run);
  save(run.folder() / "generator.safetensors", gan.generator_state());
  store_images(run.folder(), "fakes", gan.sample(images, kPictured));
  return gan.log();
}

}  // namespace tobogan::mudavathu
