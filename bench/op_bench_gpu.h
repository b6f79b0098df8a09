// op_bench on a GPU; defined in builds with CUDA.
#pragma once
#include <string>

#include "bench/timing.h"

namespace tobogan::bench {

// Checks and times every row whose name contains `filter`; returns the exit status.  `device` is "cuda", or "cudnn" in
// builds that have it.
int run_on_gpu(const std::string& device, const std::string& precision, const std::string& filter,
               const Rounds& rounds);

}  // namespace tobogan::bench
