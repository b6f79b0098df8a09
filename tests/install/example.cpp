// Ten lines of a user's program: one step of gradient descent on a dense layer's weight must lower the loss.
#include <cstdio>

#include "engine/autograd.h"
#include "engine/nn/loss.h"
#include "engine/optim.h"

int main() {
  tobogan::Machine machine({.threads = 1});
  tobogan::Context context(machine, 1);
  tobogan::Tensor x = context.rng["x"].normal({8, 3}), w = context.rng["w"].normal({2, 3}).require_grad();
  tobogan::Sgd sgd({{"w", w}}, {.rate = 0.1});
  auto loss = [&] { return tobogan::mean(tobogan::square(tobogan::linear(x, w))); };
  const auto before = loss();
  sgd.step(tobogan::grad(before, sgd.parameters()));
  std::printf("loss %g, then %g\n", before.item(), loss().item());
  return loss().item() < before.item() ? 0 : 1;
}
