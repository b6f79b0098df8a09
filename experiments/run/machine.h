// The machine that a cell computes on, as the options say.
#pragma once
#include "engine/context.h"
#include "experiments/run/options.h"

namespace tobogan {

inline MachineOptions machine_options(const RunOptions& options) {
  return {.device = options.device, .threads = options.threads, .precision = options.precision};
}

// Throws Error where the device is not there: once, before the cells, and not by each of them.
inline void check_device(const RunOptions& options) {
  if (!options.list && !options.report_only) Machine machine(machine_options(options));
}

}  // namespace tobogan
