// Size classes are an eighth of a power of two apart, so a block is at most 12.5 % larger than asked for; and as the
// system hands out pages when they are first touched, the unused end of a large block costs nothing.  Free blocks of a
// class form a stack: the block given back last, the one still in the caches, is taken first.
#include "kernels/cpu/memory_pool.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdlib>
#include <limits>
#include <mutex>
#include <new>
#include <vector>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace tobogan::kernels {
namespace {

constexpr size_t kAlignment = 64;
constexpr size_t kPage = 4096;
constexpr size_t kHuge = size_t{2} << 20;  // a large page of the system: fewer table walks in a product's operands
constexpr int kSteps = 8;                  // classes per power of two

// The classes are 64 * (8 + step) / 8 * 2^power bytes, and sizes below 512 multiples of 64.
struct SizeClass {
  size_t bytes;
  size_t index;
};

SizeClass size_class(size_t bytes) {
  if (bytes > std::numeric_limits<size_t>::max() / 2) throw std::bad_alloc();
  const size_t units = std::max<size_t>(1, (bytes + kAlignment - 1) / kAlignment);
  if (units <= kSteps) return {units * kAlignment, units};
  const int shift = std::bit_width(units - 1) - 4;  // so that units >> shift lies in 8..16
  const size_t steps = ((units - 1) >> shift) + 1;
  return {(steps << shift) * kAlignment, static_cast<size_t>(shift) * kSteps + steps};
}

void* allocate(size_t bytes) {
  const size_t alignment = bytes >= kHuge ? kHuge : bytes >= kPage ? kPage : kAlignment;
  const size_t rounded = (bytes + alignment - 1) / alignment * alignment;
  void* block = std::aligned_alloc(alignment, rounded);
  if (!block) throw std::bad_alloc();
#if defined(__linux__)
  if (alignment == kHuge) madvise(block, bytes / kHuge * kHuge, MADV_HUGEPAGE);
#endif
  return block;
}

}  // namespace

struct Pool::State {
  mutable std::mutex mutex;
  std::array<std::vector<void*>, 64 * kSteps> free;
  size_t in_use = 0, reserved = 0;
};

Pool::Pool() : state_(std::make_unique<State>()) {}

Pool::~Pool() {
  trim();
}

void* Pool::take(size_t bytes) {
  const SizeClass size = size_class(bytes);
  {
    const std::lock_guard lock(state_->mutex);
    std::vector<void*>& stack = state_->free[size.index];
    if (!stack.empty()) {
      void* block = stack.back();
      stack.pop_back();
      state_->in_use += size.bytes;
      return block;
    }
  }
  void* block = allocate(size.bytes);
  const std::lock_guard lock(state_->mutex);
  state_->in_use += size.bytes;
  state_->reserved += size.bytes;
  return block;
}

void Pool::give(void* block, size_t bytes) {
  const SizeClass size = size_class(bytes);
  const std::lock_guard lock(state_->mutex);
  state_->free[size.index].push_back(block);
  state_->in_use -= size.bytes;
}

size_t Pool::bytes_in_use() const {
  const std::lock_guard lock(state_->mutex);
  return state_->in_use;
}

size_t Pool::bytes_reserved() const {
  const std::lock_guard lock(state_->mutex);
  return state_->reserved;
}

void Pool::trim() {
  const std::lock_guard lock(state_->mutex);
  for (std::vector<void*>& stack : state_->free) {
    for (void* block : stack) std::free(block);
    stack.clear();
  }
  state_->reserved = state_->in_use;
}

}  // namespace tobogan::kernels
