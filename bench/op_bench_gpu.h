// op_bench on a GPU; defined in builds with CUDA.
#pragma once
#include <string>

#include "bench/timing.h"

namespace tobogan::bench {

// Checks and times every row whose name contains `filter`; returns the exit status.
int run_on_gpu(const std::string& precision, const std::string& filter, const Rounds& rounds);

}  // namespace tobogan::bench
