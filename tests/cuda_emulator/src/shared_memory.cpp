// Placing and poisoning shared variables.
#include "shared_memory.h"

#include <cuda_emulator/execution.h>

#include <cstdlib>
#include <cstring>

#include "block.h"
#include "sanitizers.h"

namespace cuda_emulator {
namespace {
constexpr size_t kRedZone = 64, kAlign = 128;
size_t round_up(size_t bytes, size_t to) {
  return (bytes + to - 1) / to * to;
}
}  // namespace

// Aligned to a power of two above any swizzle a kernel may compute from addresses.
SharedMemory::SharedMemory() : arena_(static_cast<unsigned char*>(std::aligned_alloc(1024, 2 * kArena))) {
  msan_unpoison(arena_, 2 * kArena);
}
SharedMemory::~SharedMemory() {
  asan_unpoison(arena_, 2 * kArena);
  std::free(arena_);
}

void SharedMemory::start_block(size_t dynamic_bytes, int set) {
  ++block_;
  set_ = set;
  static_bytes_ = 0;
  asan_unpoison(dynamic(), kArena);
  asan_poison(dynamic() + dynamic_bytes, kArena - dynamic_bytes);
  poison(0, dynamic_bytes);
  used_ = dynamic_bytes + kRedZone;
}

void* SharedMemory::find(int variable, size_t bytes) {
  if (size_t(variable) >= variables_.size()) {
    TsanIgnore bookkeeping;
    variables_.resize(size_t(variable) + 1);
  }
  Variable& v = variables_[size_t(variable)];
  if (v.block != block_) {
    v = {block_, round_up(used_, kAlign)};
    used_ = v.offset + bytes + kRedZone;
    static_bytes_ += bytes;
    if (static_bytes_ > kMaxStaticBytes || used_ > kArena)
      device_error("the block's shared variables take more than 48 KiB", {});
    asan_unpoison(dynamic() + v.offset, bytes);
    poison(v.offset, bytes);
  }
  return dynamic() + v.offset;
}

void SharedMemory::poison(size_t offset, size_t bytes) {
  unsigned char* p = dynamic() + offset;
  if constexpr (kTsan) {  // not memset: TSan watches that one, and would take the poison for an access of the kernel
    for (volatile unsigned char* q = p; q != p + bytes; ++q) *q = 0xff;
  } else {
    std::memset(p, 0xff, bytes);
  }
  msan_poison(p, bytes);
}

int new_shared_variable() {
  static std::atomic<int> count{0};
  return count++;
}
void* find_shared_variable(int number, size_t bytes) {
  return running_block->shared_memory().find(number, bytes);
}

}  // namespace cuda_emulator
