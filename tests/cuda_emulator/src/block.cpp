// The scheduler: which thread of the block runs next, on which stack.
#include "block.h"

#include <map>
#include <string>

#include "options.h"
#include "recorder.h"
#include "report.h"
#include "sanitizers.h"

constinit thread_local uint3 threadIdx{};
constinit thread_local uint3 blockIdx{};
constinit thread_local dim3 blockDim, gridDim;

namespace cuda_emulator {
constinit thread_local ThreadState thread_state{};
constinit thread_local BlockRunner* running_block = nullptr;

namespace {
thread_local BlockRunner* set_runner = nullptr;
thread_local std::unique_ptr<BlockRunner> own_runner;

uint32_t low_bits(int count) {
  return count >= 32 ? ~0u : (1u << count) - 1;
}
int lowest(uint32_t mask) {
  return __builtin_ctz(mask);
}
int highest(uint32_t mask) {
  return 31 - __builtin_clz(mask);
}
int nth(uint32_t mask, int n) {
  while (n--) mask &= mask - 1;
  return lowest(mask);
}
// The first of mask above `position`, or else the first of all.
int next_after(uint32_t mask, int position) {
  const uint32_t above = mask & ~low_bits(position + 1);
  return lowest(above ? above : mask);
}
}  // namespace

BlockRunner::~BlockRunner() {
  for (auto& set : tsan_fibers_)
    for (void* fiber : set)
      if (fiber) tsan_destroy_fiber(fiber);
}

BlockRunner& current_runner() {
  if (set_runner) [[unlikely]]
    return *set_runner;
  if (!own_runner) {
    own_runner = std::make_unique<BlockRunner>();
    msan_unpoison(own_runner.get(), sizeof(BlockRunner));
  }
  return *own_runner;
}
void set_current_runner(BlockRunner* runner) {
  set_runner = runner;
}
void BlockRunner::begin_grid() {
  tsan_host_ = tsan_current_fiber();
  tsan_release(&key_begin_);
}
void BlockRunner::end_grid() {
  tsan_acquire(&key_end_);
}

void BlockRunner::run(Grid& grid, uint64_t block) {
  grid_ = &grid;
  running_block = this;
  if (kTsan) {
    set_ = int(blocks_run_ & 1);
    reuse_ = int(blocks_run_ >> 1 & 1);
    ++blocks_run_;
  }
  reset(grid, block);
  if (recorder) recorder->block_begin(block);
  current_ = options().order == Order::kReverse ? thread_count_ - 1 : 0;
  switch_to_thread(choose(), host_, false);
  running_block = nullptr;
  if (recorder) recorder->block_end();
}

void BlockRunner::reset(const Grid& grid, uint64_t block) {
  const dim3 d = grid.block;
  if (d.x != shape_.x || d.y != shape_.y || d.z != shape_.z) {
    shape_ = d;
    thread_count_ = int(d.x * d.y * d.z);
    warp_count_ = (thread_count_ + 31) / 32;
    for (unsigned i = 0; i < unsigned(thread_count_); ++i) threads_[i].index = {i % d.x, i / d.x % d.y, i / d.x / d.y};
  }
  for (int i = 0; i < thread_count_; ++i) {
    threads_[i].state = Thread::State::kNew;
    threads_[i].waits_for = nullptr;
    threads_[i].copy_group = 0;
    if (kTsan && !tsan_fibers_[set_][i]) tsan_fibers_[set_][i] = tsan_create_fiber();
  }
  for (int w = 0; w < warp_count_; ++w) {
    warps_[w].ready = low_bits(thread_count_ - w * 32);
    warps_[w].done = warps_[w].at_barrier = 0;
    warps_[w].pending = 0;
  }
  ready_warps_ = low_bits(warp_count_);
  alive_ = thread_count_;
  at_barrier_ = said_true_ = 0;
  random_state_ = (options().seed + block * 0x9E3779B97F4A7C15ull) | 1;
  shared_memory_.start_block(grid.dynamic_shared, set_);
  thread_state.dynamic_shared = shared_memory_.dynamic();
  blockIdx = {unsigned(block % grid.grid.x), unsigned(block / grid.grid.x % grid.grid.y),
              unsigned(block / grid.grid.x / grid.grid.y)};
  blockDim = grid.block;
  gridDim = grid.grid;
}

void BlockRunner::fiber_entry() {
  Fiber::entered(running_block->host_);
  running_block->run_threads();
}

// On a fiber: runs the current thread to its end and then, on the same stack, as many threads as have not started.
void BlockRunner::run_threads() {
  for (;;) {
    clear_ready(current_);
    tsan_acquire(&key_begin_);
    tsan_acquire(&key_set_[set_][reuse_ ^ 1]);  // the block before the last used these fibers
    msan_unpoison_parameters(1);
    grid_->run(grid_->arguments);
    finish_thread();
    Fiber* fiber = threads_[current_].fiber;
    const int next = choose();
    if (next < 0) {
      if (alive_) report_deadlock();
      give_fiber(fiber);
      tsan_switch(tsan_host_);
      fiber->switch_to(host_, true);
    } else if (!kTsan && threads_[next].state == Thread::State::kNew) {  // TSan needs a stack for each thread
      threads_[next].fiber = fiber;
      threads_[next].state = Thread::State::kStarted;
      activate(next);
    } else {
      give_fiber(fiber);
      switch_to_thread(next, *fiber, true);
    }
  }
}

void BlockRunner::finish_thread() {
  wait_for_copies(kNoneLeft);  // a kernel may end with copies under way
  tsan_release(&key_end_);
  tsan_release(&key_set_[set_][reuse_]);
  threads_[current_].state = Thread::State::kDone;
  warps_[current_ >> 5].done |= 1u << (current_ & 31);
  --alive_;
  if (at_barrier_) device_error("a thread exits while others of its block wait at __syncthreads()", barrier_at_);
}

// The thread to run next, -1 if none can.  Forward and reverse stay within a warp as long as it has ready lanes.
int BlockRunner::choose() const {
  if (!ready_warps_) return -1;
  int warp = current_ >> 5;
  if (options().order == Order::kForward) {
    if (!warps_[warp].ready) warp = next_after(ready_warps_, warp);
    return warp * 32 + lowest(warps_[warp].ready);
  }
  if (options().order == Order::kReverse) {
    const uint32_t below = ready_warps_ & low_bits(warp);
    if (!(ready_warps_ >> warp & 1)) warp = highest(below ? below : ready_warps_);
    return warp * 32 + highest(warps_[warp].ready);
  }
  warp = nth(ready_warps_, int(random() % unsigned(__builtin_popcount(ready_warps_))));
  const uint32_t ready = warps_[warp].ready;
  return warp * 32 + nth(ready, int(random() % unsigned(__builtin_popcount(ready))));
}

uint64_t BlockRunner::random() const {  // xorshift
  random_state_ ^= random_state_ << 13;
  random_state_ ^= random_state_ >> 7;
  random_state_ ^= random_state_ << 17;
  return random_state_ >> 8;
}

void BlockRunner::set_ready(int warp, uint32_t lanes) {
  warps_[warp].ready |= lanes;
  if (warps_[warp].ready) ready_warps_ |= 1u << warp;
}
void BlockRunner::clear_ready(int thread) {
  Warp& warp = warps_[thread >> 5];
  warp.ready &= ~(1u << (thread & 31));
  if (!warp.ready) ready_warps_ &= ~(1u << (thread >> 5));
}

// Lets another thread run; returns when somebody has made this one ready and chosen it.
void BlockRunner::stop_here() {
  const int me = current_, next = choose();
  if (next < 0) report_deadlock();
  if (next != me) switch_to_thread(next, *threads_[me].fiber, false);
  clear_ready(me);
}
void BlockRunner::stop_here(const char* what, Location where, uint32_t mask) {
  Thread& thread = threads_[current_];
  thread.waits_for = what;
  thread.waits_at = where;
  thread.waits_mask = mask;
  clear_ready(current_);
  stop_here();
}

// Round robin over all runnable threads, so that a loop that waits for another thread of the block ends.
void BlockRunner::yield() {
  const int me = current_, warp = me >> 5, lane = me & 31;
  if (!ready_warps_) return;
  int next_warp = warp;
  if (!(warps_[warp].ready & ~low_bits(lane + 1))) next_warp = next_after(ready_warps_, warp);
  const uint32_t ready = warps_[next_warp].ready;
  const int next = next_warp * 32 + (next_warp == warp ? next_after(ready, lane) : lowest(ready));
  set_ready(warp, 1u << lane);
  switch_to_thread(next, *threads_[me].fiber, false);
  clear_ready(me);
}
void yield() {
  running_block->yield();
}

void BlockRunner::activate(int thread) {
  current_ = thread;
  threadIdx = threads_[thread].index;
  thread_state.lane = unsigned(thread) & 31;
  tsan_switch(tsan_fibers_[set_][thread]);
}

void BlockRunner::switch_to_thread(int thread, Fiber& from, bool dying) {
  Thread& t = threads_[thread];
  if (t.state == Thread::State::kNew) {
    t.fiber = take_fiber(thread);
    t.fiber->prepare(fiber_entry);
    t.state = Thread::State::kStarted;
  }
  activate(thread);
  from.switch_to(*t.fiber, dying);
}

Fiber* BlockRunner::take_fiber(int thread) {
  if (kTsan && own_fibers_[set_][thread]) return own_fibers_[set_][thread];
  if (free_fibers_.empty()) {
    TsanIgnore bookkeeping;
    const size_t stack_bytes = (kAsan || kTsan || kMsan ? 256 : 64) << 10;
    fibers_.push_back(std::make_unique<Fiber>(stack_bytes, int(fibers_.size())));
    if (kTsan) return own_fibers_[set_][thread] = fibers_.back().get();
    return fibers_.back().get();
  }
  Fiber* fiber = free_fibers_.back();
  free_fibers_.pop_back();
  return fiber;
}
void BlockRunner::give_fiber(Fiber* fiber) {
  if (!kTsan) free_fibers_.push_back(fiber);
}

void BlockRunner::report_deadlock() {
  struct Group {
    int threads = 0, first = 0;
  };
  std::map<std::string, Group> groups;
  for (int i = 0; i < thread_count_; ++i) {
    const Thread& t = threads_[i];
    std::string what = "have exited";
    if (t.state != Thread::State::kDone) {
      char text[300];
      std::snprintf(text, sizeof text, "wait in %s at %s:%d, mask %08x", t.waits_for, t.waits_at.file, t.waits_at.line,
                    t.waits_mask);
      what = text;
    }
    Group& group = groups[what];
    if (group.threads++ == 0) group.first = i;
  }
  for (const auto& [what, group] : groups)
    note("%d threads (the first is linear thread %d) %s", group.threads, group.first, what.c_str());
  device_error("deadlock: no thread of the block can go on", {});
}

}  // namespace cuda_emulator
