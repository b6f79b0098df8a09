// What a model lives in: a machine to compute on and named random numbers.
//
// There are no defaults and no globals: a Machine owns threads and memory, a Context adds a seed, and both are passed
// down.  So many models train side by side in one process, each in the context it was given.
#pragma once
#include <memory>
#include <string>

#include "engine/device.h"
#include "engine/random.h"

namespace tobogan {

struct MachineOptions {
  std::string device = "cpu";  // "cpu"; other names throw Error saying what this build has
  int threads = 0;             // CPU threads, the caller's included; 0: one per core
};

// Threads and memory pool of one device.  REQUIRES: outlives every tensor made on it; used by one thread at a time.
class Machine {
 public:
  explicit Machine(const MachineOptions& options = {});
  ~Machine();
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  const Device& device() const;
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
};

}  // namespace tobogan
