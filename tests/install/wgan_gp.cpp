// The program that README.md and docs/adding-a-model.md quote: a model and its training, on digits drawn by the
// program. tests/docs_test.sh compares every line they show with this file, and the install test runs it.
#include <cmath>
#include <cstdio>

#include "datasets/batches.h"
#include "datasets/idx.h"
#include "datasets/synthetic.h"
#include "engine/autograd.h"
#include "engine/nn/layers.h"
#include "engine/nn/loss.h"
#include "engine/optim.h"
#include "engine/readings.h"
#include "engine/serialize.h"
#include "engine/step.h"

using namespace tobogan;

struct Critic : Module {
  using Module::Module;
  Conv2d down1{*this, "down1", {.in = 1, .out = 64, .kernel = 4, .stride = 2, .padding = Padding::same()}};
  Conv2d down2{*this, "down2", {.in = 64, .out = 128, .kernel = 4, .stride = 2, .padding = Padding::same()}};
  ImageToLinear score{*this, "score", {.features = 1, .channels = 128, .height = 7, .width = 7}};

  Tensor operator()(const Tensor& x) { return score(leaky_relu(down2(leaky_relu(down1(x), 0.2)), 0.2)); }
};

struct PRelu : Module {
  PRelu(Module& parent, const std::string& name, int channels) : Module(parent, name) {
    slope = parameter("slope", initial(*this, "slope", Init::constant(0.25), {channels}, {}));
  }
  Tensor operator()(const Tensor& x) { return relu(x) - reshape(slope, channel_shape(x.shape())) * relu(-x); }
  Tensor slope;
};

struct Generator : Module {
  using Module::Module;
  LinearToImage project{*this, "project", {.features = 100, .channels = 128, .height = 7, .width = 7}};
  ConvTranspose2d up1{*this, "up1", {.in = 128, .out = 64, .kernel = 4, .stride = 2, .padding = 1}};
  PRelu bend1{*this, "bend1", 64};
  ConvTranspose2d up2{
      *this, "up2", {.in = 64, .out = 1, .kernel = 4, .stride = 2, .padding = 1, .activation = {.tanh = true}}};

  Tensor operator()(const Tensor& z) { return up2(bend1(up1(leaky_relu(project(z), 0.2)))); }
};

int main() {
  const Dataset dataset = synthetic_glyphs({.train = 96, .test = 0});
  Machine machine({.device = "cpu", .threads = 2});
  Context context(machine, /*seed=*/1);
  Critic critic(context, "critic");
  Generator generator(context, "generator");
  Adam critic_adam(critic.named_parameters(), {.rate = 1e-4, .beta1 = 0.5, .beta2 = 0.9});
  Adam generator_adam(generator.named_parameters(), {.rate = 1e-4, .beta1 = 0.5, .beta2 = 0.9});
  const DeviceImages images(dataset.train, context.device);
  Batches real(context, images, {.batch = 64});
  Readings losses(context, 1);

  Step critic_step(context, [&] {
    const Tensor x = real.next().images;
    const int n = x.shape()[0];  // the last batch of an epoch holds what is left
    Tensor fake;
    {
      NoGrad off;
      fake = generator(context.rng["latent"].normal({n, 100}));
    }
    const Tensor u = context.rng["mix"].uniform({n, 1, 1, 1});
    const Tensor loss = mean(critic(fake)) - mean(critic(x)) + 10 * gradient_penalty(std::ref(critic), x, fake, u);
    critic_adam.step(grad(loss, critic_adam.parameters()));  // gradients are returned, and only those asked for
    losses.add({loss});
  });
  Step generator_step(context, [&] {
    const Tensor loss = -mean(critic(generator(context.rng["latent"].normal({64, 100}))));
    generator_adam.step(grad(loss, generator_adam.parameters()));
  });
  for (int i = 0; i < 4; ++i) {
    for (int k = 0; k < 5; ++k) critic_step(real.next_size());
    generator_step();
  }

  save("generator.safetensors", generator.state());

  // Later, or in another program: the same layers under the same name, filled from the file.
  Generator trained(context, "generator");
  load("generator.safetensors", trained.state());
  trained.eval();  // batch norm by its running statistics, no dropout
  const NoGrad off;
  const Tensor z = context.rng["sample"].normal({64, 100});
  ImageSet fakes = blank_like(dataset.train, 64);
  fakes.pixels = to_bytes(trained(z));
  write_idx(fakes, {"fakes-images-idx3-ubyte.gz", "fakes-labels-idx1-ubyte.gz"});

  const auto rows = losses.take();
  std::printf("the critic's loss: %g, after %zu steps %g\n", rows.front()[0], rows.size(), rows.back()[0]);
  const bool learns = rows.size() == 20 && std::isfinite(rows.back()[0]) && rows.back()[0] < rows.front()[0];
  const bool same = fakes.pixels == to_bytes(generator(z));
  return learns && same ? 0 : 1;
}
