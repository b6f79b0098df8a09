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
#include "engine/readings.h"
#include "models/tutorial_dcgan.h"
#include "tests/support/catch.h"
#include "tests/support/close.h"
#include "tests/support/devices.h"
#include "tests/support/hostile.h"
#include "tests/support/temp_folder.h"

namespace tobogan {
namespace {

using Catch::Matchers::ContainsSubstring;

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
  Readings readings{context, 2};
  std::vector<std::vector<Real>> losses;
  Step train;

  Training(const MachineOptions& on, uint64_t seed, const TutorialDcganOptions& options = kSmall,
           const StepOptions& how = {})
      : machine(on),
        context(machine, seed),
        options(options),
        train(
            context, [this] { body(); }, how) {}
  Training(int threads, uint64_t seed, const TutorialDcganOptions& options = kSmall)
      : Training(MachineOptions{.threads = threads}, seed, options) {}

  void step() {
    train(batches.next_size());
    for (std::vector<Real>& row : readings.take()) losses.push_back(row);
  }

  void body() {
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
    readings.add({loss_d, loss_g});
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

TEST_CASE(
    "a checkpoint brings the learning rate along; one of another seed, or without random numbers, changes nothing") {
  const TempFolder folder;
  const auto file = folder.path() / "checkpoint.safetensors";
  Training first(1, 1), second(1, 1), other(1, 2);
  first.generator_adam.set_rate(0.5);
  first.step();
  save_checkpoint(file, first.context.rng, first.state());
  load_checkpoint(file, second.context.rng, second.state());
  first.step();
  second.step();
  CHECK(state_difference(first, second) == "");
  Training untouched(1, 2);
  CHECK_THROWS_WITH(load_checkpoint(file, other.context.rng, other.state()),
                    ContainsSubstring("checkpoint.safetensors") && ContainsSubstring("seed"));
  for (const char* rng : {"[1]", "{\"step\": \"one\"}", "{\"step\": -1}", "no JSON", "{}"}) {
    save(file, first.state(), {{"rng", rng}});
    INFO(rng);
    CHECK_THROWS_WITH(load_checkpoint(file, other.context.rng, other.state()),
                      ContainsSubstring("checkpoint.safetensors") && ContainsSubstring("random numbers"));
  }
  CHECK(state_difference(untouched, other) == "");
}

#ifdef TOBOGAN_WITH_CUDA
TEST_CASE("captured or not, a training on a GPU has the same bits, and goes on from a checkpoint to them") {
  const TempFolder folder;
  const auto file = folder.path() / "checkpoint.safetensors";
  if (gpus().empty()) return;
  const MachineOptions gpu{.device = "cuda"};  // cuDNN measures which algorithm it takes: others add up in another order
  Training eager(gpu, 1, Training::kSmall, {.capture = false}), captured(gpu, 1);
  for (int i = 0; i < 8; ++i) {  // two epochs and more: batches of 8 and of 4 have a graph each
    if (i == 5) save_checkpoint(file, captured.context.rng, captured.state(), {});
    eager.step();
    captured.step();
    CHECK(captured.losses == eager.losses);
  }
  CHECK(state_difference(captured, eager) == "");
  CHECK(eager.train.launches() == 0);
  CHECK(captured.train.launches() > 10);
  Training again(gpu, 1);
  again.step();
  load_checkpoint(file, again.context.rng, again.state());
  for (int i = 5; i < 8; ++i) again.step();
  CHECK(state_difference(again, captured) == "");
}

TEST_CASE("draws outside a captured step continue where the step's own end") {
  if (gpus().empty()) return;
  std::vector<std::vector<Real>> drawn;
  for (const bool capture : {false, true}) {
    Machine machine({.device = "cuda"});
    Context context(machine, 1);
    Tensor y = Tensor::zeros({3}, context.device);
    Step step(context, [&] { context.rng["a"].normal({2}); }, {.capture = capture});
    for (int i = 0; i < 4; ++i) {
      step();
      for (const Real value : context.rng["a"].normal({2}).to_host()) drawn.push_back({static_cast<Real>(i), value});
    }
  }
  const auto half = drawn.begin() + drawn.size() / 2;
  CHECK(std::vector(drawn.begin(), half) == std::vector(half, drawn.end()));
}

TEST_CASE("a captured step that wants to read a tensor is refused in one sentence") {
  if (gpus().empty()) return;
  Machine machine({.device = "cuda"});
  Context context(machine, 1);
  const Tensor x = Tensor::zeros({1}, context.device);
  Step step(context, [&] { x.item(); });
  step();
  CHECK_THROWS_WITH(step(), Catch::Matchers::ContainsSubstring("reading a tensor"));
}

TEST_CASE("a training on a GPU has the CPU's losses") {
  for (const std::string& device : gpus()) {
    Training cpu(1, 1), gpu(MachineOptions{.device = device}, 1);
    for (int i = 0; i < 8; ++i) {
      cpu.step();
      gpu.step();
      for (const int loss : {0, 1}) CHECK(gpu.losses.back()[loss] == Approx(cpu.losses.back()[loss]).epsilon(1e-3));
    }
  }
}
#endif

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
  for (const auto& row : training.losses)
    for (const Real loss : row) CHECK((loss > 0 && loss < 10));
  CHECK(training.losses.front() != training.losses.back());
}

TEST_CASE("a machine is chosen by name, a GPU also by number, and what is not there is refused in one sentence") {
  const auto sentence = [](const std::string& device) { return refusal([&] { Machine machine({.device = device}); }); };
  for (const std::string& device : devices()) {
    CHECK(sentence(device) == "");
    if (device == "cpu") continue;
    CHECK(sentence(device + ":0") == "");
    CHECK_THAT(sentence(device + ":99"), ContainsSubstring("GPU 99 was asked for"));
    for (const std::string wrong : {":", ":x", ":1x", ":-1"}) {
      CHECK_THAT(sentence(device + wrong), ContainsSubstring("\"" + device + wrong + "\", as in \"cuda:1\""));
    }
  }
  CHECK_THAT(sentence("tpu"), ContainsSubstring("this build computes on") && ContainsSubstring("\"tpu\""));
  CHECK_THAT(sentence("cpu:1"), ContainsSubstring("\"cpu:1\""));
}

}  // namespace
}  // namespace tobogan
