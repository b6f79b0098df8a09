// D is trained on real images and on fakes made without a record, then G through D; no target is a whole 0 or 1.
#include "experiments/kim_lee/acgan_training.h"

#include "engine/autograd.h"
#include "engine/nn/loss.h"

namespace tobogan::kim_lee {
namespace {

const AdamOptions kAdam{.rate = 2e-4, .beta1 = 0.5, .beta2 = 0.999, .epsilon = 1e-7, .keras_form = true};
constexpr double kReal = 0.9, kFake = 0.1;  // what D is asked to say
constexpr int kCurvePoints = 500;

}  // namespace

AcganTraining::AcganTraining(Machine& machine, const AcganPlan& plan, const ImageSet& images, uint64_t seed)
    : Training(machine, seed),
      plan_(plan),
      images_(images, context_.device),
      batches_(context_, images_, {.batch = plan.batch}),
      generator_(context_, "generator", network(plan, images.classes())),
      discriminator_(context_, "discriminator", network(plan, images.classes())),
      adam_g_(generator_.named_parameters(), kAdam),
      adam_d_(discriminator_.named_parameters(), kAdam),
      readings_(context_, 2, 1),
      step_(context_, [this] {
        train_discriminator();
        train_generator();
      }) {
  set_steps(plan.iterations);
  log_ = nlohmann::json::array();
}

void AcganTraining::step() {
  step_(batches_.next_size());
  if (!is_one_of(kCurvePoints)) return;
  const std::vector<Real> losses = readings_.take().back();
  log_.push_back({steps_done(), losses[0], losses[1]});
}

Tensor AcganTraining::noise(int count) {
  return context_.rng["latent"].uniform({count, generator_.options.latent}, -1, 1);
}

void AcganTraining::train_discriminator() {
  const Batch real = batches_.next();
  const int size = real.images.shape()[0];
  Tensor fake;
  {
    const NoGrad off;
    const Tensor z = noise(size);
    fake = generator_(z, context_.rng["labels"].integers(size, generator_.options.classes));
  }
  const AcganVerdict on_real = discriminator_(real.images), on_fake = discriminator_(fake);
  const Tensor source = 0.5 * (bce_with_logits(on_real.source, kReal) + bce_with_logits(on_fake.source, kFake));
  const Tensor loss = source + cross_entropy(on_real.label, real.labels);
  adam_d_.step(grad(loss, adam_d_.parameters()));
  loss_d_ = loss.detach();
}

void AcganTraining::train_generator() {
  const int size = 2 * plan_.batch;
  const Tensor z = noise(size);
  const Indices labels = context_.rng["labels"].integers(size, generator_.options.classes);
  const AcganVerdict verdict = discriminator_(generator_(z, labels));
  const Tensor loss = bce_with_logits(verdict.source, kReal) + cross_entropy(verdict.label, labels);
  adam_g_.step(grad(loss, adam_g_.parameters()));
  readings_.add({loss_d_, loss});
}

State AcganTraining::state() {
  State state;
  append(state, "model", generator_.state());
  append(state, "model", discriminator_.state());
  append(state, "adam", adam_g_.state());
  append(state, "adam_discriminator", adam_d_.state());
  append(state, "batches", batches_.state());
  return state;
}

}  // namespace tobogan::kim_lee
