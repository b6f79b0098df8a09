// How many threads are worth starting.
#pragma once
#include <sched.h>

#include <algorithm>
#include <thread>

namespace tobogan::kernels {

// The cores this process may use, at least 1: a job's share of a machine (its affinity mask), not the machine.
inline int available_cores() {
  cpu_set_t cores;
  if (sched_getaffinity(0, sizeof cores, &cores) == 0) return std::max(1, CPU_COUNT(&cores));
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

}  // namespace tobogan::kernels
