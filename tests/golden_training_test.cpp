// Optimisers and whole trainings against PyTorch: ten steps of each, every loss, and the weights at the end.
//
// The networks are those of tests/golden/training.py: the papers' with few channels, and without dropout, whose masks
// no two programs share.
#include <functional>

#include "engine/autograd.h"
#include "engine/nn/gan.h"
#include "engine/nn/layers.h"
#include "engine/nn/loss.h"
#include "engine/optim.h"
#include "models/cls_r_gan.h"
#include "models/tutorial_dcgan.h"
#include "tests/support/catch.h"
#include "tests/support/devices.h"
#include "tests/support/golden.h"

namespace tobogan {
namespace {

constexpr bool kDouble = sizeof(Real) == 8;
constexpr int kSteps = 10;

// ---- optimisers -------------------------------------------------------------------------------------------------

using Descent = std::function<void(std::span<const Tensor>)>;

// Ten steps of the optimiser that `make` builds, each compared.
void check_optimizer(const std::string& name, const std::function<Descent(const NamedTensors&)>& make) {
  INFO(name);
  Machine machine({.device = GENERATE(from_range(devices())), .threads = 2});
  const Golden golden("optimizers");
  NamedTensors parameters;
  for (const std::string& key : golden.below(name + "/start/")) {
    parameters.push_back({key, golden.tensor(name + "/start/" + key, machine.device()).require_grad()});
  }
  REQUIRE(parameters.size() == 2);
  const Descent descend = make(parameters);
  // Row i of what the file has for all steps of a parameter.
  const auto of_step = [&](const std::string& what, const NamedTensor& parameter, int i) {
    const int64_t size = parameter.tensor.count();
    return std::span(golden.host(name + what + parameter.name).values).subspan(i * size, size);
  };
  for (int i = 0; i < kSteps; ++i) {
    INFO("step " << i);
    std::vector<Tensor> grads;
    for (const NamedTensor& parameter : parameters) {
      grads.push_back(Tensor::from_host(parameter.tensor.shape(), of_step("/grad/", parameter, i), machine.device()));
    }
    descend(grads);
    // Weights are about 1 and a step 0.01 or less: rounding 6e-8 a step, ten steps.
    for (const NamedTensor& parameter : parameters) {
      CHECK(distance(parameter.tensor.to_host(), of_step("/after/", parameter, i)) <= (kDouble ? 1e-7 : 1e-6));
    }
  }
}

template <class Kind, class Options>
void check_optimizer(const std::string& name, const Options& options) {
  check_optimizer(name, [&](const NamedTensors& parameters) -> Descent {
    return [optimizer = std::make_shared<Kind>(parameters, options)](auto grads) { optimizer->step(grads); };
  });
}

TEST_CASE("optimisers agree with PyTorch, Keras and TensorFlow 1") {
  check_optimizer<Adam>("adam_torch", AdamOptions{.rate = 1e-2, .beta1 = 0.5, .beta2 = 0.9});
  check_optimizer<Adam>("adam_torch_decay", AdamOptions{.rate = 1e-2, .weight_decay = 0.1});
  check_optimizer<Adam>("adam_keras", AdamOptions{.rate = 1e-2, .epsilon = 1e-7, .keras_form = true});
  check_optimizer<RmsProp>("rmsprop_tf1", RmsPropOptions{.rate = 1e-2});
  check_optimizer<Sgd>("sgd", SgdOptions{.rate = 1e-2});
  check_optimizer<Sgd>("sgd_momentum", SgdOptions{.rate = 1e-2, .momentum = 0.9, .weight_decay = 0.1});
}

// ---- trainings --------------------------------------------------------------------------------------------------

// Parameters and running statistics of the network from the file.
void fill(const Module& network, const Golden& golden) {
  for (const NamedValue& entry : network.state()) {
    Tensor(std::get<Tensor>(entry.value)).set(golden.host("initial." + entry.name).values);
  }
}

// What is left of a name's tensors after ten steps.  `loose`: tensors whose gradient is nothing but rounding, which
// Adam turns into steps of up to its rate of 1e-3 (tests/golden/README.md).
void check_final(const Module& network, const Golden& golden, double tolerance,
                 const std::vector<std::string>& loose = {}, const std::string& run = "") {
  const State state = network.state();
  REQUIRE(state.size() == golden.below(run + "final." + network.name() + ".").size());
  for (const NamedValue& entry : state) {
    INFO(entry.name);
    const std::vector<Real> actual = std::get<Tensor>(entry.value).to_host();
    const std::vector<Real>& expected = golden.host(run + "final." + entry.name).values;
    if (std::find(loose.begin(), loose.end(), entry.name) == loose.end()) {
      CHECK(distance(actual, expected) <= tolerance);
    } else {
      for (size_t i = 0; i < actual.size(); ++i) CHECK(std::abs(actual[i] - expected[i]) <= 2 * kSteps * 1e-3);
    }
  }
}

// Samples of step i, `count` a step, from the tensor that has those of all steps.
Tensor part(const Tensor& all, int i, int count) {
  return slice(all, 0, i * count, (i + 1) * count);
}

TEST_CASE("ten steps of a DCGAN have PyTorch's losses and weights") {
  // Losses are about 0.7; PyTorch itself, in float32, stays within 1e-7 of its float64 losses and 3e-6 of the weights.
  const double loss_tolerance = kDouble ? 1e-7 : 2e-6, weight_tolerance = kDouble ? 1e-6 : 5e-5;
  Machine machine({.device = GENERATE(from_range(devices())), .threads = 2});
  Context context(machine, 1);
  const Golden golden("dcgan");
  TutorialGenerator generator(context, "generator", {.alpha = 1.0 / 16});
  TutorialDiscriminator discriminator(context, "discriminator", {.alpha = 1.0 / 16});
  discriminator.eval();  // without dropout; it has nothing else that training changes
  fill(generator, golden);
  fill(discriminator, golden);
  const AdamOptions options = {.rate = 1e-3, .epsilon = 1e-7, .keras_form = true};
  Adam adam_g(generator.named_parameters(), options), adam_d(discriminator.named_parameters(), options);
  const Tensor x = golden.tensor("x", machine.device()), z = golden.tensor("z", machine.device());
  const int batch = x.shape()[0] / kSteps;

  for (int i = 0; i < kSteps; ++i) {
    INFO("step " << i);
    const GanGradients gradients = gan_gradients(
        part(x, i, batch), generator(part(z, i, batch)), [&](const Tensor& images) { return discriminator(images); },
        adam_d.parameters(), adam_g.parameters());
    CHECK(std::abs(gradients.discriminator_loss.item() - golden.host("loss_d").values[i]) <= loss_tolerance);
    CHECK(std::abs(gradients.generator_loss.item() - golden.host("loss_g").values[i]) <= loss_tolerance);
    adam_d.step(gradients.discriminator);
    adam_g.step(gradients.generator);
  }
  check_final(generator, golden, weight_tolerance);
  check_final(discriminator, golden, weight_tolerance);
}

// No gamma, epsilon 1e-3, biased running variance: ClusterGAN's batch norm, with ReLU.
BatchNormOptions wgan_norm(int channels) {
  BatchNormOptions options = keras_batch_norm(channels, 0.99, {.slope = 0});
  options.gamma = false;
  return options;
}

struct WganGenerator : Module {
  using Module::Module;
  Linear hidden{*this, "hidden", {.in = 40, .out = 64}};
  BatchNorm norm0{*this, "norm0", wgan_norm(64)};
  Linear project{*this, "project", {.in = 64, .out = 8 * 7 * 7}};
  BatchNorm norm1{*this, "norm1", wgan_norm(8)};
  ConvTranspose2d up1{*this, "up1", {.in = 8, .out = 4, .kernel = 4, .stride = 2, .padding = Padding::same()}};
  BatchNorm norm2{*this, "norm2", wgan_norm(4)};
  ConvTranspose2d up2{*this, "up2", {.in = 4, .out = 1, .kernel = 4, .stride = 2, .padding = Padding::same()}};
  Tensor operator()(const Tensor& z) {
    const Tensor rows = project(norm0(hidden(z)));
    return sigmoid(up2(norm2(up1(norm1(reshape(rows, {z.shape()[0], 8, 7, 7}))))));
  }
};

struct WganCritic : Module {
  using Module::Module;
  Conv2d conv1{*this,
               "conv1",
               {.in = 1, .out = 4, .kernel = 4, .stride = 2, .padding = Padding::same(), .activation = {.slope = 0.2}}};
  Conv2d conv2{*this,
               "conv2",
               {.in = 4, .out = 8, .kernel = 4, .stride = 2, .padding = Padding::same(), .activation = {.slope = 0.2}}};
  Linear hidden{*this, "hidden", {.in = 8 * 7 * 7, .out = 32, .activation = {.slope = 0.2}}};
  Linear score{*this, "score", {.in = 32, .out = 1}};
  Tensor operator()(const Tensor& x) { return score(hidden(flatten(conv2(conv1(x))))); }
};

TEST_CASE("ten iterations of a WGAN-GP have PyTorch's losses and weights") {
  // Critic's losses fall from 4.4 to 0.3, the generator's are 0.1 to 0.2; PyTorch's float32 stays within 4e-7 of its
  // float64 losses and 2e-5 of the weights.
  const double loss_tolerance = kDouble ? 3e-7 : 1e-5, weight_tolerance = kDouble ? 1e-6 : 1e-4;
  Machine machine({.device = GENERATE(from_range(devices())), .threads = 2});
  Context context(machine, 1);
  const Golden golden("wgan_gp");
  WganGenerator generator(context, "generator");
  WganCritic critic(context, "critic");
  fill(generator, golden);
  fill(critic, golden);
  const AdamOptions options = {.rate = 1e-3, .beta1 = 0.5, .beta2 = 0.9};
  Adam adam_g(generator.named_parameters(), options), adam_d(critic.named_parameters(), options);
  const Tensor x = golden.tensor("x", machine.device()), z = golden.tensor("z", machine.device()),
               u = golden.tensor("u", machine.device());
  const int critic_steps = golden.host("loss_d").shape[1], batch = x.shape()[0] / (kSteps * critic_steps);

  for (int i = 0; i < kSteps; ++i) {
    INFO("iteration " << i);
    const int first_z = i * (critic_steps + 1);  // the generator's z comes after the critic's
    for (int j = 0; j < critic_steps; ++j) {
      const int at = i * critic_steps + j;
      generator.track_statistics(false);
      const Tensor fake = generator(part(z, first_z + j, batch)).detach(), real = part(x, at, batch);
      generator.track_statistics(true);
      const Tensor loss =
          mean(critic(fake)) - mean(critic(real)) +
          10 * gradient_penalty([&](const Tensor& m) { return critic(m); }, real, fake, part(u, at, batch));
      CHECK(std::abs(loss.item() - golden.host("loss_d").values[at]) <= loss_tolerance);
      adam_d.step(grad(loss, adam_d.parameters()));
    }
    const Tensor loss = -mean(critic(generator(part(z, first_z + critic_steps, batch))));
    CHECK(std::abs(loss.item() - golden.host("loss_g").values[i]) <= loss_tolerance);
    adam_g.step(grad(loss, adam_g.parameters()));
  }
  check_final(critic, golden, weight_tolerance);
  // Biases before a batch norm, and the running means that carry them.
  check_final(
      generator, golden, weight_tolerance,
      {"generator.hidden.bias", "generator.up1.bias", "generator.norm0.running_mean", "generator.norm2.running_mean"});
}

// The iterations of ClusterGAN or, with the quality loss, of CLS-R GAN, whose names in the file begin with `run`.
void check_cluster_gan(const std::string& run, bool quality) {
  INFO(run);
  // Critic's losses fall from 6 to 1, the generator's are about 25; PyTorch's float32 stays within 2e-7 of them.
  const double loss_tolerance = kDouble ? 1e-6 : 3e-5, weight_tolerance = kDouble ? 1e-6 : 1e-4;
  Machine machine({.device = GENERATE(from_range(devices())), .threads = 2});
  Context context(machine, 1);
  const Golden golden("cluster_gan");
  const ClusterGanOptions options{.width = 1.0 / 16};
  ClusterGenerator generator(context, "generator", options);
  ClusterCritic critic(context, "critic", options);
  ClusterEncoder encoder(context, "encoder", options);
  IndependentClassifier classifier(context, "classifier", {.width = 1.0 / 16});
  classifier.eval();
  for (const Module* network : {static_cast<Module*>(&generator), static_cast<Module*>(&critic),
                                static_cast<Module*>(&encoder), static_cast<Module*>(&classifier)})
    fill(*network, golden);
  const AdamOptions adam{.rate = 1e-3, .beta1 = 0.5, .beta2 = 0.9};
  Adam adam_ge(join(generator.named_parameters(), encoder.named_parameters()), adam);
  Adam adam_d(critic.named_parameters(), adam);
  const Tensor x = golden.tensor("x", machine.device()), z = golden.tensor("z", machine.device()),
               u = golden.tensor("u", machine.device());
  const std::vector<Real>& labels = golden.host("labels").values;
  const int critic_steps = golden.host(run + "loss_d").shape[1], batch = x.shape()[0] / (kSteps * critic_steps);
  const auto latent = [&](int i) {
    const std::vector<int32_t> classes(labels.begin() + i * batch, labels.begin() + (i + 1) * batch);
    return ClusterLatent(part(z, i, batch), Indices(classes, machine.device()), options.classes);
  };

  for (int i = 0; i < kSteps; ++i) {
    INFO("iteration " << i);
    const int first = i * (critic_steps + 1);  // the generator's latent comes after the critic's
    for (int j = 0; j < critic_steps; ++j) {
      const int at = i * critic_steps + j;
      generator.track_statistics(false);
      const Tensor fake = generator(latent(first + j).z).detach();
      generator.track_statistics(true);
      const Tensor loss = cluster_critic_loss(critic, part(x, at, batch), fake, part(u, at, batch));
      CHECK(std::abs(loss.item() - golden.host(run + "loss_d").values[at]) <= loss_tolerance);
      adam_d.step(grad(loss, adam_d.parameters()));
    }
    const ClusterLatent asked = latent(first + critic_steps);
    const Tensor fake = generator(asked.z);
    Tensor loss = -mean(critic(fake)) + clustering_loss(encoder(fake), asked);
    if (quality) loss = loss + quality_loss(classifier, fake, asked.labels);
    CHECK(std::abs(loss.item() - golden.host(run + "loss_g").values[i]) <= loss_tolerance);
    adam_ge.step(grad(loss, adam_ge.parameters()));
  }
  if (!quality) return;  // the file has the weights of one run
  check_final(critic, golden, weight_tolerance, {}, run);
  check_final(encoder, golden, weight_tolerance, {}, run);
  check_final(
      generator, golden, weight_tolerance,
      {"generator.hidden.bias", "generator.up1.bias", "generator.norm0.running_mean", "generator.norm2.running_mean"},
      run);
}

TEST_CASE("ten iterations of a ClusterGAN and of a CLS-R GAN have PyTorch's losses and weights") {
  check_cluster_gan("cluster/", false);
  check_cluster_gan("cls_r/", true);
}

}  // namespace
}  // namespace tobogan
