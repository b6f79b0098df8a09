// The machine that a cell computes on, as the options say.
#pragma once
#include "engine/context.h"
#include "experiments/run/options.h"

namespace tobogan {

inline MachineOptions machine_options(const RunOptions& options) {
  return {.device = options.device, .threads = options.threads, .precision = options.precision};
}

}  // namespace tobogan
