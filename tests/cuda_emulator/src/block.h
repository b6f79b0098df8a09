// One block of a kernel, run on one operating-system thread: its CUDA threads are fibers, its scheduler is two bit
// scans, its barriers and warp functions are where threads stop.
//
// A thread starts on the stack that the thread before it has just left, and only one that stops makes the next one take
// a new stack.  A kernel without barriers is therefore a plain loop over its threads, without anybody having to
// find out that it has no barriers.
#pragma once
#include <cuda_emulator/execution.h>
#include <cuda_emulator/warp.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "fiber.h"
#include "shared_memory.h"

namespace cuda_emulator {

inline constexpr int kMaxThreads = 1024, kMaxWarps = 32;

// A kernel launch on its way through its blocks, which several operating-system threads may share.
struct Grid {
  dim3 grid, block;
  size_t dynamic_shared;
  const void* kernel;
  void (*run)(const void* arguments);
  const void* arguments;
  uint64_t blocks;
  std::atomic<uint64_t> next{0};
};

struct AsyncCopy {
  void* to;
  const void* from;
  unsigned bytes, zero_bytes;
  int group;
};

struct Thread {
  enum class State : uint8_t { kNew, kStarted, kDone };
  uint3 index;
  State state;
  Fiber* fiber;
  const char* waits_for;  // for the report of a deadlock
  Location waits_at;
  uint32_t waits_mask;
  std::vector<AsyncCopy> copies;
  int copy_group;
};

// A warp function that some lanes of its mask have reached.
struct PendingCollective {
  uint32_t mask, arrived;
  Collective kind;
  Location at;
  void* operands[32];
};

struct Warp {
  uint32_t ready, done, at_barrier;
  int pending;
  PendingCollective collectives[8];
};

class BlockRunner {
 public:
  BlockRunner() = default;
  ~BlockRunner();
  BlockRunner(const BlockRunner&) = delete;
  BlockRunner& operator=(const BlockRunner&) = delete;

  // Runs block number `block` of the grid (x fastest) to its end.
  void run(Grid& grid, uint64_t block);
  // TSan: what the kernel's threads do comes after what the stream did before, and the other way round.
  void begin_grid();
  void end_grid();

  void barrier(Location where);
  int count(bool predicate, Location where);
  void collective(uint32_t mask, Collective kind, void* operands, CollectiveFunction function, const char* name,
                  Location where);
  void yield();
  void copy_async(void* to, const void* from, size_t bytes, size_t zero_bytes);
  void commit_copies();
  // Finishes the committed groups but the newest `groups_left`; kNoneLeft: what is not committed, too.
  static constexpr int kNoneLeft = -1;
  void wait_for_copies(int groups_left);
  SharedMemory& shared_memory() { return shared_memory_; }

  const Grid* grid() const { return grid_; }
  int current() const { return current_; }

 private:
  static void fiber_entry();
  [[noreturn]] void run_threads();
  [[noreturn]] void report_deadlock();
  void reset(const Grid& grid, uint64_t block);
  void finish_thread();
  int choose() const;
  void set_ready(int warp, uint32_t lanes);
  void clear_ready(int thread);
  void stop_here();
  void stop_here(const char* what, Location where, uint32_t mask);
  void activate(int thread);
  void switch_to_thread(int thread, Fiber& from, bool dying);
  Fiber* take_fiber(int thread);
  void give_fiber(Fiber* fiber);
  uint64_t random() const;

  Thread threads_[kMaxThreads];
  Warp warps_[kMaxWarps];
  uint32_t ready_warps_ = 0;
  int thread_count_ = 0, warp_count_ = 0, alive_ = 0, current_ = 0;
  int at_barrier_ = 0, said_true_ = 0, counted_ = 0;
  Location barrier_at_{};
  dim3 shape_{0, 0, 0};
  Grid* grid_ = nullptr;
  mutable uint64_t random_state_ = 1;
  Fiber host_;
  std::vector<std::unique_ptr<Fiber>> fibers_;
  std::vector<Fiber*> free_fibers_;
  SharedMemory shared_memory_;

  // TSan: two sets of fibers and shared memories are used in turn, so that neighbouring blocks are not ordered.
  void* tsan_host_ = nullptr;
  void* tsan_fibers_[2][kMaxThreads] = {};
  Fiber* own_fibers_[2][kMaxThreads] = {};
  int set_ = 0, reuse_ = 0, barrier_phase_ = 0;
  uint64_t blocks_run_ = 0;
  char key_begin_, key_end_, key_barrier_[2], key_set_[2][2], key_warp_[kMaxWarps];
};

// The runner whose kernel runs on this operating-system thread; null outside of kernels.  A plain pointer, because
// every barrier and warp function goes through it.
extern constinit thread_local BlockRunner* running_block;
inline bool in_kernel() {
  return running_block != nullptr;
}

// The runner that the calling thread is to launch with (under TSan: that of the stream at work).
BlockRunner& current_runner();
void set_current_runner(BlockRunner* runner);  // null: back to the thread's own

}  // namespace cuda_emulator
