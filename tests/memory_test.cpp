// A training takes from the system in its first steps all that it will ever need.
#include "engine/autograd.h"
#include "engine/nn/loss.h"
#include "engine/optim.h"
#include "engine/step.h"
#include "models/dcgan.h"
#include "models/mlp.h"
#include "tests/support/catch.h"

namespace tobogan {
namespace {

TEST_CASE("memory does not grow between the third step and the twentieth, and between steps only the state is held") {
  Machine machine({.threads = 2});
  Context context(machine, 1);
  const DcganOptions options{.width = 0.03125, .latent = 5};
  DcganGenerator generator(context, "generator", options);
  DcganDiscriminator discriminator(context, "discriminator", options);
  Adam generator_adam(generator.named_parameters()), discriminator_adam(discriminator.named_parameters());
  const size_t state = machine.bytes_in_use();
  Step step(context, [&] {
    const Tensor real = context.rng["real"].uniform({7, 3, 32, 32}, -1, 1);
    const Tensor fake = generator(context.rng["latent"].normal({7, 5}));
    const Tensor loss_d = bce_with_logits(discriminator(real), 1) + bce_with_logits(discriminator(fake.detach()), 0);
    discriminator_adam.step(grad(loss_d, discriminator.parameters()));
    generator_adam.step(grad(bce_with_logits(discriminator(fake), 1), generator.parameters()));
  });
  for (int i = 0; i < 3; ++i) step();
  const size_t reserved = machine.bytes_reserved();
  CHECK(reserved > state);
  for (int i = 3; i < 20; ++i) {
    step();
    CHECK(machine.bytes_reserved() == reserved);
    CHECK(machine.bytes_in_use() == state);
  }
}

TEST_CASE("batches of changing size do not let memory grow for ever") {
  Machine machine({.threads = 1});
  Context context(machine, 1);
  Mlp mlp(context, "mlp", {.inputs = 49, .hidden = 30});
  Adam adam(mlp.named_parameters());
  int rows = 64;
  Step step(context, [&] {
    const Indices labels = context.rng["labels"].integers(rows, 10);
    adam.step(grad(cross_entropy(mlp(context.rng["x"].normal({rows, 49})), labels), mlp.parameters()));
  });
  auto epoch = [&] {
    for (const int size : {64, 64, 17}) {
      rows = size;
      step();
    }
  };
  epoch();
  epoch();
  const size_t reserved = machine.bytes_reserved();
  for (int i = 0; i < 20; ++i) epoch();
  CHECK(machine.bytes_reserved() == reserved);
}

TEST_CASE("a second-order step frees both graphs") {
  Machine machine({.threads = 1});
  Context context(machine, 1);
  Mlp critic(context, "critic", {.inputs = 12, .hidden = 9, .classes = 1});
  const size_t state = machine.bytes_in_use();
  for (int i = 0; i < 3; ++i) {
    const Tensor real = context.rng["real"].normal({5, 12}), fake = context.rng["fake"].normal({5, 12});
    const Tensor penalty =
        gradient_penalty([&](const Tensor& x) { return critic(x); }, real, fake, context.rng["u"].uniform({5, 1}));
    CHECK(machine.bytes_in_use() > state);
    grad(penalty, critic.parameters());
  }
  CHECK(machine.bytes_in_use() == state);
}

}  // namespace
}  // namespace tobogan
