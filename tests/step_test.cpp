// A training as a whole: it can be cut anywhere and goes on to the same bits, and it does not matter how many threads
// it has.
#include "engine/step.h"

#include <functional>
#include <memory>

#include "datasets/batches.h"
#include "engine/autograd.h"
#include "engine/checkpoint.h"
#include "engine/nn/loss.h"
#include "engine/optim.h"
#include "models/tutorial_dcgan.h"
#include "tests/support/catch.h"
#include "tests/support/close.h"
#include "tests/support/temp_folder.h"

namespace tobogan {
namespace {

// 20 images of 3 x side x side bytes.
ImageSet some_images(int side) {
  ImageSet set;
  set.count = 20, set.channels = 3, set.height = set.width = side;
  set.class_names = {"a", "b"};
  for (int i = 0; i < 20 * 3 * side * side; ++i) set.pixels.push_back(static_cast<uint8_t>(i * 37 + i / 192 * 11));
  for (int i = 0; i < 20; ++i) set.labels.push_back(i % 2);
  return set;
}

// A small DCGAN with everything that has a state: dropout, running statistics, two Adams, a shuffled set, an average.
struct Training {
  static constexpr TutorialDcganOptions kSmall{.alpha = 0.125, .channels = 3, .side = 8, .latent = 5};

  Machine machine;
  Context context;
  TutorialDcganOptions options;
  TutorialGenerator generator{context, "generator", options};
  TutorialDiscriminator discriminator{context, "discriminator", options};
  Adam generator_adam{generator.named_parameters(), {.rate = 2e-3, .epsilon = 1e-7, .keras_form = true}};
  Adam discriminator_adam{discriminator.named_parameters(), {.rate = 2e-3, .beta1 = 0.5}};
  Ema average{generator.named_parameters(), 0.9};
  DeviceImages images{some_images(options.side), context.device};
  Batches batches{context, images, {.batch = 8}};  // 8, 8 and 4 an epoch
  std::vector<Real> losses;
  Step step{context, [this] { train(); }};

  Training(int threads, uint64_t seed, const TutorialDcganOptions& options = kSmall)
      : machine({.threads = threads}), context(machine, seed), options(options) {}

  void train() {
    const Tensor real = batches.next().images;
    const Tensor fake = generator(context.rng["latent"].normal({real.shape()[0], options.latent}));
    const Tensor on_fake = discriminator(fake);
    const Tensor loss_d = 0.5 * (bce_with_logits(discriminator(real), 1) + bce_with_logits(on_fake, 0));
    const Tensor loss_g = bce_with_logits(on_fake, 1);
    const std::vector<Tensor> grads_d = grad(loss_d, discriminator.parameters(), {.keep_graph = true});
    const std::vector<Tensor> grads_g = grad(loss_g, generator.parameters());
    discriminator_adam.step(grads_d);
    generator_adam.step(grads_g);
    average.update();
    losses.push_back(loss_d.item());
    losses.push_back(loss_g.item());
  }

  State state() {
    State state = generator.state();
    for (const NamedValue& entry : discriminator.state()) state.push_back(entry);
    append(state, "generator_adam", generator_adam.state());
    append(state, "discriminator_adam", discriminator_adam.state());
    append(state, "average", average.state());
    append(state, "batches", batches.state());
    return state;
  }
};

std::string state_difference(Training& a, Training& b) {
  const State first = a.state(), second = b.state();
  if (first.size() != second.size()) return "different lengths";
  for (size_t i = 0; i < first.size(); ++i) {
    if (const Tensor* tensor = std::get_if<Tensor>(&first[i].value)) {
      const std::string text = bit_difference(first[i].name, std::get<Tensor>(second[i].value), *tensor);
      if (!text.empty()) return text;
    } else if (std::get<Counter>(first[i].value).to_host() != std::get<Counter>(second[i].value).to_host()) {
      return first[i].name;
    }
  }
  return "";
}

TEST_CASE("a training that goes on from a checkpoint reaches the same bits as one that was not cut") {
  const TempFolder folder;
  for (const int cut : {1, 3, 4}) {
    const auto file = folder.path() / "checkpoint.safetensors";
    Training whole(2, 1);
    for (int i = 0; i < 7; ++i) whole.step();
    Training first(2, 1);
    for (int i = 0; i < cut; ++i) first.step();
    save_checkpoint(file, first.context.rng, first.state(), {{"steps", std::to_string(cut)}});
    Training second(1, 1);
    second.step();  // state that the checkpoint has to replace
    CHECK(load_checkpoint(file, second.context.rng, second.state()).at("steps") == std::to_string(cut));
    second.losses = first.losses;
    for (int i = cut; i < 7; ++i) second.step();
    INFO("cut after " << cut << " steps");
    CHECK(second.losses == whole.losses);
    CHECK(state_difference(second, whole) == "");
  }
}

TEST_CASE("another seed is another training") {
  Training a(1, 1), b(1, 2);
  a.step();
  b.step();
  CHECK(a.losses != b.losses);
  CHECK(state_difference(a, b) != "");
}

TEST_CASE("one, two and three threads train to the same bits") {
  // Large enough for the work to be shared: small work stays with the thread that has it.
  const TutorialDcganOptions large{.alpha = 0.5, .channels = 3, .side = 16, .latent = 20};
  Training one(1, 1, large), two(2, 1, large), three(3, 1, large);
  for (int i = 0; i < 5; ++i) {
    for (Training* training : {&one, &two, &three}) training->step();
    CHECK(two.losses == one.losses);
    CHECK(three.losses == one.losses);
  }
  CHECK(state_difference(two, one) == "");
  CHECK(state_difference(three, one) == "");
}

TEST_CASE("trainings side by side on one machine do not see each other") {
  Training alone(1, 1), other(1, 2);
  Training beside(1, 1);
  for (int i = 0; i < 3; ++i) alone.step();
  for (int i = 0; i < 3; ++i) {
    beside.step();
    other.step();
    other.step();
  }
  CHECK(beside.losses == alone.losses);
  CHECK(state_difference(beside, alone) == "");
}

TEST_CASE("training makes the losses move and leaves no NaN") {
  Training training(1, 1);
  for (int i = 0; i < 30; ++i) training.step();
  for (const Real loss : training.losses) CHECK((loss > 0 && loss < 10));
  CHECK(training.losses.front() != training.losses.back());
}

}  // namespace
}  // namespace tobogan
