// Where threads stop: the block's barrier, warp functions and asynchronous copies.
#include <cstring>

#include "block.h"
#include "options.h"
#include "recorder.h"
#include "report.h"
#include "sanitizers.h"

#ifdef CUDA_EMULATOR_TSAN
extern "C" void __tsan_read_range(void* address, unsigned long bytes);
extern "C" void __tsan_write_range(void* address, unsigned long bytes);
#endif

namespace cuda_emulator {
namespace {
bool same(Location a, Location b) {
  return a.line == b.line && (a.file == b.file || !std::strcmp(a.file, b.file));
}
}  // namespace

// Strict: every thread that the block was launched with must come to the same barrier.  Hardware lets exited threads
// count as arrived, but such code is one edit away from a hang.
void BlockRunner::barrier(Location where) {
  void* key = &key_barrier_[barrier_phase_ & 1];
  tsan_release(key);
  if (at_barrier_ == 0) {
    barrier_at_ = where;
  } else if (!same(barrier_at_, where)) {
    note("other threads of the block wait at %s:%d", barrier_at_.file, barrier_at_.line);
    device_error("divergent __syncthreads()", where);
  }
  if (alive_ < thread_count_) device_error("__syncthreads() after other threads of the block have exited", where);
  if (++at_barrier_ < alive_) {
    warps_[current_ >> 5].at_barrier |= 1u << (current_ & 31);
    stop_here("__syncthreads", where, 0);
    tsan_acquire(key);
    return;
  }
  ++barrier_phase_;
  tsan_acquire(key);
  for (int w = 0; w < warp_count_; ++w) {
    if (warps_[w].at_barrier) set_ready(w, warps_[w].at_barrier);
    warps_[w].at_barrier = 0;
  }
  at_barrier_ = 0;
  counted_ = said_true_;
  said_true_ = 0;
  if (recorder) recorder->block_barrier();
  if (options().order == Order::kRandom) {  // the last to come is not always the first to go
    set_ready(current_ >> 5, 1u << (current_ & 31));
    stop_here();
  }
}

int BlockRunner::count(bool predicate, Location where) {
  said_true_ += predicate;
  barrier(where);
  return counted_;
}

// Several functions with different masks can be under way in one warp.
void BlockRunner::collective(uint32_t mask, Collective kind, void* operands, CollectiveFunction function,
                             const char* name, Location where) {
  const int warp_number = current_ >> 5, lane = current_ & 31, lanes = thread_count_ - warp_number * 32;
  Warp& warp = warps_[warp_number];
  const uint32_t me = 1u << lane;
  if (!(mask & me)) device_error("warp function: the calling lane is not in the mask", where);
  if (lanes < 32 && mask >> lanes)
    device_error("warp function: the mask names lanes that the block does not have", where);
  if (mask & warp.done) device_error("warp function: the mask names a lane that has exited", where);
  if (kind == Collective::kSync) tsan_release(&key_warp_[warp_number]);  // the only one that orders memory

  PendingCollective* pending = nullptr;
  for (int i = 0; i < warp.pending && !pending; ++i) {
    PendingCollective& p = warp.collectives[i];
    if (p.mask == mask && p.kind == kind && !(p.arrived & me)) pending = &p;
  }
  if (!pending) {
    if (warp.pending == 8) device_error("more than eight different warp functions under way in one warp", where);
    pending = &warp.collectives[warp.pending++];
    pending->mask = mask;
    pending->kind = kind;
    pending->arrived = 0;
    pending->at = where;
  } else if (kind != Collective::kSync && !same(pending->at, where)) {
    note("other lanes of the mask wait at %s:%d", pending->at.file, pending->at.line);
    device_error("divergent warp function", where);
  }
  pending->arrived |= me;
  pending->operands[lane] = operands;
  if (pending->arrived != mask) {
    stop_here(name, where, mask);
  } else {
    if (function) {
      msan_unpoison_parameters(2);
      TsanIgnore exchange;
      function(mask, pending->operands);
    }
    *pending = warp.collectives[--warp.pending];
    set_ready(warp_number, mask & ~me);
    if (options().order == Order::kRandom) {
      set_ready(warp_number, me);
      stop_here();
    }
  }
  if (kind == Collective::kSync) tsan_acquire(&key_warp_[warp_number]);
}

// A copy may take place at any time between its start and the wait.  Forward order does it at the wait (a missing wait
// then reads poison), reverse order at once (a buffer refilled too early is then spoilt), random order tosses a coin.
void BlockRunner::copy_async(void* to, const void* from, size_t bytes, size_t zero_bytes) {
  if ((bytes != 4 && bytes != 8 && bytes != 16) || zero_bytes > bytes)
    device_error("cp.async: only 4, 8 or 16 bytes can be copied", {});
  if (reinterpret_cast<uintptr_t>(to) % bytes || reinterpret_cast<uintptr_t>(from) % bytes)
    device_error("cp.async: an address is not a multiple of the size", {});
  if (!shared_memory_.contains(to)) device_error("cp.async: the destination is not shared memory", {});
#ifdef CUDA_EMULATOR_TSAN
  __tsan_write_range(to, bytes);
#endif
  Thread& thread = threads_[current_];
  {
    TsanIgnore bookkeeping;
    thread.copies.push_back({to, from, unsigned(bytes), unsigned(zero_bytes), thread.copy_group});
  }
  const Order order = options().order;
  if (order == Order::kReverse || (order == Order::kRandom && random() % 2)) {
    std::memcpy(to, from, bytes - zero_bytes);
    std::memset(static_cast<char*>(to) + bytes - zero_bytes, 0, zero_bytes);
    thread.copies.back().bytes = 0;
  }
}

void BlockRunner::commit_copies() {
  ++threads_[current_].copy_group;
}

void BlockRunner::wait_for_copies(int groups_left) {
  Thread& thread = threads_[current_];
  size_t done = 0;
  for (; done < thread.copies.size() && thread.copies[done].group < thread.copy_group - groups_left; ++done) {
    const AsyncCopy& copy = thread.copies[done];
    if (!copy.bytes) continue;
    const size_t read_bytes = copy.bytes - copy.zero_bytes;
    std::memcpy(copy.to, copy.from, read_bytes);
    std::memset(static_cast<char*>(copy.to) + read_bytes, 0, copy.zero_bytes);
  }
  TsanIgnore bookkeeping;
  thread.copies.erase(thread.copies.begin(), thread.copies.begin() + ptrdiff_t(done));
}

void block_barrier(Location where) {
  running_block->barrier(where);
}
int block_count(bool predicate, Location where) {
  return running_block->count(predicate, where);
}
void warp_collective(uint32_t mask, Collective kind, void* operands, CollectiveFunction function, const char* name,
                     Location where) {
  running_block->collective(mask, kind, operands, function, name, where);
}
void memory_fence() {
  std::atomic_thread_fence(std::memory_order_seq_cst);
}

void copy_async(void* to, const void* from, size_t bytes, size_t zero_bytes) {
  if (recorder) {
    const void* pc = __builtin_return_address(0);
    const int thread = running_block->current();
    if (bytes > zero_bytes) recorder->access(thread, from, bytes - zero_bytes, Space::kGlobal, false, pc);
    recorder->access(thread, to, bytes, Space::kShared, true, pc);
  }
  running_block->copy_async(to, from, bytes, zero_bytes);
}
void commit_copies() {
  running_block->commit_copies();
}
void wait_for_copies(int groups_left) {
  running_block->wait_for_copies(groups_left);
}

}  // namespace cuda_emulator
