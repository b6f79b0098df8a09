// One step: the critic several times with gradient penalty, then generator and encoder together.
#include "experiments/kim_lee/cluster_training.h"

#include <cmath>

#include "engine/autograd.h"
#include "engine/serialize.h"
#include "experiments/kim_lee/selection.h"
#include "experiments/training/stored_images.h"

namespace tobogan::kim_lee {
namespace {

const AdamOptions kAdam{.rate = 1e-4, .beta1 = 0.5, .beta2 = 0.9};
constexpr PixelRange kRange{0, 1};
constexpr int kCurvePoints = 500;

NamedTensors trained(const ClusterGenerator& generator, const ClusterEncoder& encoder, Method method) {
  return method.encoder ? join(generator.named_parameters(), encoder.named_parameters()) : generator.named_parameters();
}

}  // namespace

ClusterTraining::ClusterTraining(Machine& machine, const ClusterPlan& plan, Method method, const ImageSet& images,
                                 uint64_t seed, const std::filesystem::path& classifier, std::filesystem::path folder,
                                 const EvaluationPlan& evaluation)
    : Training(machine, seed),
      plan_(plan),
      method_(method),
      folder_(std::move(folder)),
      evaluation_(evaluation),
      form_(blank_like(images, 0)),
      images_(images, context_.device),
      batches_(context_, images_, {.batch = plan.batch, .range = kRange}),
      generator_(context_, "generator", network(plan, images.classes())),
      critic_(context_, "critic", network(plan, images.classes())),
      encoder_(context_, "encoder", network(plan, images.classes())),
      adam_ge_(trained(generator_, encoder_, method), kAdam),
      adam_d_(critic_.named_parameters(), kAdam),
      losses_d_(context_, 1, 1),
      losses_ge_(context_, 1, 1),
      critic_step_(context_, [this] { train_critic(); }),
      generator_step_(context_, [this] { train_generator(); }) {
  set_steps(plan.iterations);
  log_ = nlohmann::json::array();
  check(method.quality || plan.self_augment == 0, "self-augmentation needs the classifier of the quality loss");
  if (!method.quality) return;
  classifier_.emplace(context_, "classifier", IndependentClassifierOptions{.classes = images.classes()});
  tobogan::load(classifier, classifier_->state());
  classifier_->eval();
}

void ClusterTraining::step() {
  const bool second_half = 2 * steps_done() > steps_in_all();
  if (plan_.self_augment > 0 && second_half && !qualified_) keep_qualified();
  // Another number of images of either kind is another graph on a GPU.
  for (int i = 0; i < plan_.critic_steps; ++i) critic_step_(qualified_.has_value());
  generator_step_();
  if (!is_one_of(kCurvePoints)) return;
  log_.push_back({steps_done(), losses_d_.take().back()[0], losses_ge_.take().back()[0]});
}

Tensor ClusterTraining::real_images() {
  if (!qualified_batches_) return batches_.draw(plan_.batch).images;
  const int fakes = static_cast<int>(std::lround(plan_.self_augment * plan_.batch));
  return concat({batches_.draw(plan_.batch - fakes).images, qualified_batches_->draw(fakes).images}, 0);
}

void ClusterTraining::train_critic() {
  const Tensor real = real_images();
  Tensor fake;
  {
    const NoGrad off;
    generator_.track_statistics(false);
    fake = generator_(ClusterLatent::draw(context_.rng["latent"], plan_.batch, generator_.options, plan_.noise).z);
    generator_.track_statistics(true);
  }
  const Tensor u = context_.rng["mix"].uniform({plan_.batch, 1, 1, 1});
  const Tensor loss = cluster_critic_loss(critic_, real, fake, u);
  adam_d_.step(grad(loss, adam_d_.parameters()));
  losses_d_.add({loss});
}

void ClusterTraining::train_generator() {
  const ClusterLatent asked = ClusterLatent::draw(context_.rng["latent"], plan_.batch, generator_.options, plan_.noise);
  const Tensor fake = generator_(asked.z);
  Tensor loss = -mean(critic_(fake));
  if (method_.encoder) loss = loss + clustering_loss(encoder_(fake), asked);
  if (method_.quality) loss = loss + plan_.quality_weight * quality_loss(*classifier_, fake, asked.labels);
  adam_ge_.step(grad(loss, adam_ge_.parameters()));
  losses_ge_.add({loss});
}

// Drawn once, half way, and kept in a file: a training that goes on from later reads it.
void ClusterTraining::keep_qualified() {
  constexpr const char* kName = "qualified-half-way";
  if (!std::filesystem::exists(stored_files(folder_, kName).labels)) {
    generator_.eval();
    const Selected selected = select_qualified(
        form_,
        [&](std::span<const int32_t> labels) {
          return draw_cluster_fakes(generator_, form_, labels, plan_.noise, "qualified");
        },
        [&](const Tensor& x) { return (*classifier_)(x); }, context_.device,
        {.per_class = evaluation_.per_class, .p_min = evaluation_.p_min});
    generator_.train();
    check(selected.images.count > 0, "--self-augment: half way no fake is qualified; lower --p-min");
    store_images(folder_, kName, selected.images);
  }
  qualified_.emplace(stored_images(folder_, kName, form_.class_names), context_.device);
  qualified_batches_.emplace(context_, *qualified_,
                             BatchesOptions{.batch = plan_.batch, .range = kRange, .stream = "qualified/draw"});
}

State ClusterTraining::state() {
  State state;
  append(state, "model", generator_.state());
  append(state, "model", critic_.state());
  append(state, "model", encoder_.state());
  append(state, "adam", adam_ge_.state());
  append(state, "adam_critic", adam_d_.state());
  return state;
}

}  // namespace tobogan::kim_lee
