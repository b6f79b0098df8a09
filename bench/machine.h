// What the machine can do at most: the yardstick beside every number.
#pragma once
#include <string>

#include "kernels/cpu/threads.h"

namespace tobogan::bench {

std::string processor_name();

// Runs multiply-adds in registers on every thread of the pool; returns how many flops that was.
double run_multiply_adds(kernels::Threads& threads);

}  // namespace tobogan::bench
