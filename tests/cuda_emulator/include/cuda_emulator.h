// The emulator's own functions: choosing how kernels and streams run, and asking what ran.
//
//   cuda_emulator::configure({.order = Order::kRandom, .seed = 7, .lazy_streams = true});
//
// Without a call the environment decides (see options_from_environment).  A program is right only if it gives the same
// answers under every choice, so tests run it under several.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>

namespace cuda_emulator {

enum class Order { kForward, kReverse, kRandom };

struct Options {
  Order order = Order::kForward;  // of the threads within a block and of the blocks within a grid
  uint64_t seed = 1;              // of Order::kRandom, and of the choice between streams that could go on
  bool lazy_streams = false;      // run a stream's work only when something waits for it, as late as CUDA may
  bool protect = false;           // device memory is unreadable for the host, and for kernels outside of allocations
  bool report_leaks = false;      // at exit, end the process with an error if device or pinned memory is left
  int workers = 1;                // operating-system threads that share the blocks of a grid
  int multiprocessors = 4;        // what the device says it has: programs choose grids by it
  size_t device_bytes = size_t(8) << 30;  // more than this at a time is "out of memory"
  size_t shared_bytes = 227 << 10;        // that a block can have, at most Hopper's 227 KiB
};

// REQUIRES: nothing has been allocated or launched yet.  Under ThreadSanitizer workers is always 1.
void configure(const Options& options);

// CUDA_EMULATOR=<words separated by commas>: forward, reverse, random, random:<seed>, lazy, eager, protect, leaks,
// workers:<n>, multiprocessors:<n>, memory:<MiB>, shared:<KiB>.  An unknown word ends the process with a message.
Options options_from_environment();

// Kernel launches since the start, those inside replayed graphs included.
uint64_t launch_count();

// A kernel's readable name, as reports print it.
std::string kernel_name(const void* kernel);

}  // namespace cuda_emulator
