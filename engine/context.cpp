// A Machine on the CPU is a thread pool and a memory pool.
#include "engine/context.h"

#include <algorithm>
#include <thread>

#include "kernels/cpu/memory_pool.h"
#include "kernels/cpu/threads.h"

namespace tobogan {
namespace {

int threads_for(const MachineOptions& options) {
  check(options.device == "cpu", "this build computes on \"cpu\", not on \"", options.device, "\"");
  check(options.threads >= 0, "expected a number of threads of at least 1 (or 0: one per core), got ", options.threads);
  return options.threads ? options.threads : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

}  // namespace

struct Machine::State {
  kernels::Pool pool;
  kernels::Threads threads;
  Device device;

  explicit State(int thread_count) : threads(thread_count), device(kernels::Cpu{&threads, &pool}) {}
};

Machine::Machine(const MachineOptions& options) : state_(std::make_unique<State>(threads_for(options))) {}
Machine::~Machine() = default;

const Device& Machine::device() const {
  return state_->device;
}
size_t Machine::bytes_in_use() const {
  return state_->pool.bytes_in_use();
}
size_t Machine::bytes_reserved() const {
  return state_->pool.bytes_reserved();
}

}  // namespace tobogan
