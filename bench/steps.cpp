#include "bench/steps.h"

#include <algorithm>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "bench/load.h"
#include "engine/autograd.h"
#include "engine/nn/gan.h"
#include "engine/nn/loss.h"
#include "engine/optim.h"
#include "engine/step.h"
#include "models/cluster_gan.h"
#include "models/dcgan.h"
#include "models/lenet.h"
#include "models/mlp.h"
#include "models/resnet.h"
#include "models/tutorial_dcgan.h"

namespace tobogan::bench {
namespace {

Tensor images(Context& context, const Shape& shape) {
  return context.rng["images"].uniform(shape, -1, 1);
}

// Abadi: both gradients from one forward pass, then both networks move.
std::function<void()> mnist_dcgan(Context& context, int batch) {
  struct Training {
    Context& context;
    int batch;
    TutorialGenerator generator{context, "generator", {}};
    TutorialDiscriminator discriminator{context, "discriminator", {}};
    AdamOptions options{.rate = 1e-3, .epsilon = 1e-7, .keras_form = true};
    Adam adam_g{generator.named_parameters(), options}, adam_d{discriminator.named_parameters(), options};
    Tensor real = images(context, {batch, 1, 28, 28});

    void step() {
      const Tensor fake = generator(context.rng["latent"].normal({batch, 100}));
      const GanGradients gradients = gan_gradients(
          real, fake, [this](const Tensor& x) { return discriminator(x); }, adam_d.parameters(), adam_g.parameters());
      adam_d.step(gradients.discriminator);
      adam_g.step(gradients.generator);
    }
  };
  return [training = std::shared_ptr<Training>(new Training{context, batch})] { training->step(); };
}

// Chen: the generator is judged by the discriminator after its step.
std::function<void()> cifar_dcgan(Context& context, int batch) {
  struct Training {
    Context& context;
    int batch;
    DcganGenerator generator{context, "generator", {}};
    DcganDiscriminator discriminator{context, "discriminator", {}};
    AdamOptions options{.rate = 2e-4, .beta1 = 0.5};
    Adam adam_g{generator.named_parameters(), options}, adam_d{discriminator.named_parameters(), options};
    Tensor real = images(context, {batch, 3, 32, 32});

    void step() {
      const Tensor fake = generator(context.rng["latent"].normal({batch, 100}));
      const Tensor loss_d = bce_with_logits(discriminator(real), 1) + bce_with_logits(discriminator(fake.detach()), 0);
      adam_d.step(grad(loss_d, adam_d.parameters()));
      adam_g.step(grad(bce_with_logits(discriminator(fake), 1), adam_g.parameters()));
    }
  };
  return [training = std::shared_ptr<Training>(new Training{context, batch})] { training->step(); };
}

// Kim & Lee: a ClusterGAN iteration, five steps of the critic with gradient penalty, one of generator and encoder.
std::function<void()> cluster_gan(Context& context, int batch) {
  struct Training {
    Context& context;
    int batch;
    ClusterGanOptions network{};
    ClusterGenerator generator{context, "generator", network};
    ClusterCritic critic{context, "critic", network};
    ClusterEncoder encoder{context, "encoder", network};
    AdamOptions options{.rate = 1e-4, .beta1 = 0.5, .beta2 = 0.9};
    Adam adam_ge{join(generator.named_parameters(), encoder.named_parameters()), options};
    Adam adam_d{critic.named_parameters(), options};
    Tensor real = context.rng["images"].uniform({batch, 1, 28, 28});

    ClusterLatent latent() { return ClusterLatent::draw(context.rng["latent"], batch, network, 0.1); }

    void critic_step() {
      Tensor fake;
      {
        const NoGrad off;
        fake = generator(latent().z);
      }
      const Tensor u = context.rng["mix"].uniform({batch, 1, 1, 1});
      adam_d.step(grad(cluster_critic_loss(critic, real, fake, u), adam_d.parameters()));
    }

    void step() {
      for (int i = 0; i < 5; ++i) critic_step();
      const ClusterLatent asked = latent();
      const Tensor fake = generator(asked.z);
      const Tensor loss = -mean(critic(fake)) + clustering_loss(encoder(fake), asked);
      adam_ge.step(grad(loss, adam_ge.parameters()));
    }
  };
  return [training = std::shared_ptr<Training>(new Training{context, batch})] { training->step(); };
}

template <class Network>
std::function<void()> classifier(Context& context, const Shape& shape) {
  struct Training {
    Network network;
    Adam adam;
    Tensor x;
    Indices labels;

    Training(Context& context, const Shape& shape)
        : network(context, "classifier"),
          adam(network.named_parameters(), {}),
          x(images(context, shape)),
          labels(context.rng["labels"].integers(shape[0], 10)) {}
    void step() { adam.step(grad(cross_entropy(network(x), labels), adam.parameters())); }
  };
  return [training = std::make_shared<Training>(context, shape)] { training->step(); };
}

// Steps on a GPU are waited for in groups, as a training waits for them: each then counts as its group's mean.
nlohmann::json timed(const Machine& machine, const std::function<void()>& step, int count) {
  const int group = std::holds_alternative<kernels::Cpu>(machine.device()) ? 1 : 20;
  std::vector<double> wall, cpu;
  machine.wait();
  for (int left = count; left > 0; left -= group) {
    const int steps = std::min(group, left);
    const double wall_start = wall_ms(), cpu_start = own_cpu_ms();
    for (int i = 0; i < steps; ++i) step();
    machine.wait();
    wall.insert(wall.end(), steps, (wall_ms() - wall_start) / steps);
    cpu.insert(cpu.end(), steps, (own_cpu_ms() - cpu_start) / steps);
  }
  return {{"wall_ms", wall}, {"cpu_ms", cpu}, {"peak_mib", own_peak_mib()}};
}

// A model in a context of its own.
class Training {
 public:
  Training(const TimedModel& model, Machine& machine, const StepOptions& how, int batch)
      : context_(machine, 1), step_(context_, model.make(context_, batch), how) {}
  void step() { step_(); }

 private:
  Context context_;
  Step step_;
};

}  // namespace

std::span<const TimedModel> timed_models() {
  static const TimedModel models[] = {
      {"mnist-dcgan", "Abadi's DCGAN, alpha 2", mnist_dcgan},
      {"cifar-dcgan", "Chen's DCGAN, 512-256-128", cifar_dcgan},
      {"wgan-gp", "Kim & Lee's ClusterGAN, five critic steps and one of generator and encoder", cluster_gan},
      {"mlp", "Abadi's 784-300-10",
       [](Context& context, int batch) {
         return classifier<Mlp>(context, {batch, 784});
       }},
      {"resnet18", "Chen's ResNet18, 32x32 colour",
       [](Context& context, int batch) {
         return classifier<ResNet18>(context, {batch, 3, 32, 32});
       }},
      {"lenet5", "Chen's LeNet-5, 32x32 colour",
       [](Context& context, int batch) {
         return classifier<LeNet>(context, {batch, 3, 32, 32});
       }},
  };
  return models;
}

void serve_steps(const MachineOptions& options, const StepOptions& how, int batch) {
  constexpr int kWarmup = 3;
  Machine machine(options);
  std::map<std::string, Training> trainings;
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    std::string order, name;
    int count = 0;
    words >> order >> name >> count;
    const auto models = timed_models();
    const auto model = std::find_if(models.begin(), models.end(), [&](const auto& m) { return m.name == name; });
    if (model == models.end() || (order != "start" && (order != "step" || count < 1))) {
      std::cout << nlohmann::json{{"error", "expected 'start MODEL' or 'step MODEL COUNT', got '" + line + "'"}}
                << std::endl;
      continue;
    }
    const auto [at, is_new] = trainings.try_emplace(name, *model, machine, how, batch);
    const auto step = [&training = at->second] { training.step(); };
    if (order == "start") count = 1;
    if (order == "step" && is_new) timed(machine, step, kWarmup);
    std::cout << timed(machine, step, count) << std::endl;
  }
}

}  // namespace tobogan::bench
