// Each step is written as the paper's training does it, data loading left out, so that a peer can be told the same.
#include "bench/steps.h"

#include <algorithm>
#include <cmath>
#include <iostream>
#include <memory>
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
#ifdef TOBOGAN_WITH_CUDNN
#include "kernels/cudnn/handles.h"
#endif

namespace tobogan::bench {
namespace {

Tensor images(Context& context, const Shape& shape) {
  return context.rng["images"].uniform(shape, -1, 1);
}

// Abadi: both gradients from one forward pass, then both networks move.
std::function<Tensor()> mnist_dcgan(Context& context, int batch) {
  struct Training {
    Context& context;
    int batch;
    TutorialGenerator generator{context, "generator", {}};
    TutorialDiscriminator discriminator{context, "discriminator", {}};
    AdamOptions options{.rate = 1e-3, .epsilon = 1e-7, .keras_form = true};
    Adam adam_g{generator.named_parameters(), options}, adam_d{discriminator.named_parameters(), options};
    Tensor real = images(context, {batch, 1, 28, 28});

    Tensor step() {
      const Tensor fake = generator(context.rng["latent"].normal({batch, 100}));
      const GanGradients gradients = gan_gradients(
          real, fake, [this](const Tensor& x) { return discriminator(x); }, adam_d.parameters(), adam_g.parameters());
      adam_d.step(gradients.discriminator);
      adam_g.step(gradients.generator);
      return gradients.generator_loss.detach();
    }
  };
  return [training = std::shared_ptr<Training>(new Training{context, batch})] { return training->step(); };
}

// Chen: the generator is judged by the discriminator after its step.
std::function<Tensor()> cifar_dcgan(Context& context, int batch) {
  struct Training {
    Context& context;
    int batch;
    DcganGenerator generator{context, "generator", {}};
    DcganDiscriminator discriminator{context, "discriminator", {}};
    AdamOptions options{.rate = 2e-4, .beta1 = 0.5};
    Adam adam_g{generator.named_parameters(), options}, adam_d{discriminator.named_parameters(), options};
    Tensor real = images(context, {batch, 3, 32, 32});

    Tensor step() {
      const Tensor fake = generator(context.rng["latent"].normal({batch, 100}));
      const Tensor loss_d = bce_with_logits(discriminator(real), 1) + bce_with_logits(discriminator(fake.detach()), 0);
      adam_d.step(grad(loss_d, adam_d.parameters()));
      const Tensor loss_g = bce_with_logits(discriminator(fake), 1);
      adam_g.step(grad(loss_g, adam_g.parameters()));
      return loss_g.detach();
    }
  };
  return [training = std::shared_ptr<Training>(new Training{context, batch})] { return training->step(); };
}

// Kim & Lee: a ClusterGAN iteration, five steps of the critic with gradient penalty, one of generator and encoder.
std::function<Tensor()> cluster_gan(Context& context, int batch) {
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

    Tensor step() {
      for (int i = 0; i < 5; ++i) critic_step();
      const ClusterLatent asked = latent();
      const Tensor fake = generator(asked.z);
      const Tensor loss = -mean(critic(fake)) + clustering_loss(encoder(fake), asked);
      adam_ge.step(grad(loss, adam_ge.parameters()));
      return loss.detach();
    }
  };
  return [training = std::shared_ptr<Training>(new Training{context, batch})] { return training->step(); };
}

template <class Network>
std::function<Tensor()> classifier(Context& context, const Shape& shape) {
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
    Tensor step() {
      const Tensor loss = cross_entropy(network(x), labels);
      adam.step(grad(loss, adam.parameters()));
      return loss.detach();
    }
  };
  return [training = std::make_shared<Training>(context, shape)] { return training->step(); };
}

// Convolutions of this device that were left to the hand-written kernels so far, because cuDNN has nothing for them.
int64_t left_to_us([[maybe_unused]] const Device& device) {
#ifdef TOBOGAN_WITH_CUDNN
  if (const auto* cudnn = std::get_if<kernels::Cudnn>(&device)) return cudnn->handles->left_to_us;
#endif
  return 0;
}

// A model on a machine of its own, so that the memory that it takes is its own.
class Training {
 public:
  Training(const TimedModel& model, const MachineOptions& machine, const StepOptions& how, int batch)
      : machine_(machine),
        context_(machine_, 1),
        step_(
            context_, [this, step = model.make(context_, batch)] { loss_ = step(); }, how),
        on_gpu_(gpu_of(machine_.device()) != nullptr) {}

  // The answer to an order.  Steps on a GPU are waited for in groups, as a training waits for them: each then counts as
  // its group's mean.
  nlohmann::json timed(int count) {
    const int group = on_gpu_ ? 20 : 1;
    const int64_t left_before = left_to_us(machine_.device());
    std::vector<double> wall, cpu;
    machine_.wait();
    for (int left = count; left > 0; left -= group) {
      const int steps = std::min(group, left);
      const double wall_start = wall_ms(), cpu_start = own_cpu_ms();
      for (int i = 0; i < steps; ++i) step_();
      machine_.wait();
      wall.insert(wall.end(), steps, (wall_ms() - wall_start) / steps);
      cpu.insert(cpu.end(), steps, (own_cpu_ms() - cpu_start) / steps);
    }
    const Real loss = loss_.item();
    check(std::isfinite(loss), "the loss is ", loss, ": what is not a training is not timed");
    const double memory = on_gpu_ ? static_cast<double>(machine_.bytes_reserved()) / (1 << 20) : own_peak_mib();
    nlohmann::json answer{{"wall_ms", wall}, {"cpu_ms", cpu}, {"peak_mib", memory}};
    if (const int64_t left = left_to_us(machine_.device()) - left_before)
      answer["note"] = concat_text("cuDNN has nothing for ", left, " of its convolutions: they are our own kernels");
    return answer;
  }

 private:
  Machine machine_;
  Context context_;
  Tensor loss_;
  Step step_;
  bool on_gpu_;
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

void serve_steps(const MachineOptions& machine, const StepOptions& how, int batch) {
  constexpr int kWarmup = 3;
  std::string current;  // the model in memory
  std::unique_ptr<Training> training;
  const auto answer = [&](const std::string& line) {
    std::istringstream words(line);
    std::string order, name;
    int count = 0;
    words >> order >> name >> count;
    const auto models = timed_models();
    const auto model = std::find_if(models.begin(), models.end(), [&](const auto& m) { return m.name == name; });
    check(model != models.end() && (order == "start" || (order == "step" && count >= 1)),
          "expected 'start MODEL' or 'step MODEL COUNT', got '", line, "'");
    if (order == "start" || current != name) {
      training.reset();
      training = std::make_unique<Training>(*model, machine, how, batch);
      current = name;
      if (order == "step") training->timed(kWarmup);
    }
    return training->timed(order == "start" ? 1 : count);
  };
  for (std::string line; std::getline(std::cin, line);) {
    nlohmann::json said;
    try {
      said = answer(line);
    } catch (const std::exception& error) {
      said = {{"error", error.what()}};
    }
    std::cout << said << std::endl;
  }
}

}  // namespace tobogan::bench
