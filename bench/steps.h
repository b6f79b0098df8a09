// The training steps that are timed: this project's models, on one batch that lies in memory.
#pragma once
#include <functional>
#include <span>
#include <string>

#include "engine/context.h"
#include "engine/step.h"
#include "engine/tensor.h"

namespace tobogan::bench {

// A model by the name it has here and in bench/peers; `make` builds its networks and returns one step of their
// training, which returns the loss of the network that moved last.
struct TimedModel {
  std::string name;
  std::string what;
  std::function<std::function<Tensor()>(Context& context, int batch)> make;
};

std::span<const TimedModel> timed_models();

// Answers orders on standard input until it ends, as bench/peers/README.md says.
void serve_steps(const MachineOptions& machine, const StepOptions& how, int batch);

}  // namespace tobogan::bench
