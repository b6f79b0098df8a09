// What a model lives in: a machine to compute on and named random numbers.
//
// There are no defaults and no globals: a Machine owns threads and memory, a Context adds a seed, and both are passed
// down.  So many models train side by side in one process, each in the context it was given.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/device.h"
#include "engine/random.h"

namespace tobogan {

struct MachineOptions {
  std::string device = "cpu";      // or "cuda", "cudnn", "cuda:1" (the second GPU); what this build lacks throws Error
  int threads = 0;                 // CPU threads, the caller's included; 0: one per core
  std::string precision = "fp32";  // of products on a GPU: "fp32", "tf32" or "bf16"
};

// Threads, or a stream, and the memory pool of one device.  REQUIRES: outlives every tensor made on it; used by one
// thread at a time.
class Machine {
 public:
  explicit Machine(const MachineOptions& options = {});
  ~Machine();
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  const Device& device() const;
  // Returns when all work so far has been done (on the CPU it always has).  Throws what a kernel failed with.
  void wait() const;
  // Bytes of device memory that tensors hold now, and that the pool has taken from the system.
  size_t bytes_in_use() const;
  size_t bytes_reserved() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

struct Context {
  Context(Machine& machine, uint64_t seed) : device(machine.device()), rng(seed, device) {}

  const Device device;
  Rng rng;

  // A captured step runs on the GPU alone.  What its body has to do on the host every time (count a position, say), it
  // hands over here: it has been done for this time, and `work` is what is to be done when the step is replayed.
  void at_replay(std::function<void()> work) {
    if (replay_work) replay_work->push_back(std::move(work));
  }
  std::vector<std::function<void()>>* replay_work = nullptr;  // set by Step while it captures
};

}  // namespace tobogan
