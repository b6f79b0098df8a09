// Allocating, poisoning and finding memory.
#include "memory.h"

#include <sys/mman.h>

#include <cstdlib>
#include <cstring>
#include <map>

#include "options.h"
#include "report.h"
#include "stream.h"

namespace cuda_emulator {
namespace {

struct Allocation {
  size_t bytes;
  Memory memory;
};
std::map<uintptr_t, Allocation>& allocations() {  // by address; never destroyed, as programs free at exit, too
  static auto* all = new std::map<uintptr_t, Allocation>;
  return *all;
}
size_t device_bytes = 0;

constexpr size_t kArenaBytes = size_t(64) << 30, kPage = 4096;
char *arena = nullptr, *arena_top = nullptr;
int accesses = 0;

void protect_arena(int protection) {
  if (arena_top != arena) mprotect(arena, size_t(arena_top - arena), protection);
}

// Addresses are never used twice, so that a dangling pointer does not come to life again.
void* arena_allocate(size_t bytes) {
  if (!arena) {
    void* range = mmap(nullptr, kArenaBytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (range == MAP_FAILED) fatal("cannot reserve the protected range");
    arena = arena_top = static_cast<char*>(range);
  }
  const size_t rounded = (bytes + kPage - 1) / kPage * kPage;
  if (size_t(arena + kArenaBytes - arena_top) < rounded + kPage) return nullptr;
  char* p = arena_top;
  arena_top += rounded + kPage;
  mprotect(p, rounded, PROT_READ | PROT_WRITE);
  std::memset(p, 0xff, rounded);
  if (!accesses) mprotect(p, rounded, PROT_NONE);
  return p;
}

void report_leaks() {
  drain_all_streams();
  size_t bytes = 0;
  for (const auto& [address, allocation] : allocations()) bytes += allocation.bytes;
  if (bytes)
    fatal("%zu allocations of device or pinned memory (%zu bytes) were never freed", allocations().size(), bytes);
}

void on_first_allocation() {
  if (options().report_leaks) std::atexit(report_leaks);
  if (!kAsan && !kTsan && !kMsan) install_signal_handler();
}

}  // namespace

#ifndef CUDA_EMULATOR_TSAN
std::recursive_mutex& runtime_mutex() {
  static auto* mutex = new std::recursive_mutex;
  return *mutex;
}
#endif

size_t device_bytes_used() {
  return device_bytes;
}

cudaError_t allocate(void** pointer, size_t bytes, Memory memory) {
  RuntimeLock lock;
  static const bool first = (on_first_allocation(), true);
  (void)first;
  *pointer = nullptr;
  msan_unpoison(pointer, sizeof *pointer);
  if (bytes == 0) return cudaSuccess;
  void* p = nullptr;
  if (memory == Memory::kDevice && bytes > options().device_bytes - device_bytes)
    return refuse(cudaErrorMemoryAllocation);
  if (memory == Memory::kDevice && options().protect) {
    p = arena_allocate(bytes);
  } else if (posix_memalign(&p, 256, bytes) == 0) {
    if (memory == Memory::kDevice) std::memset(p, 0xff, bytes);
    if (memory == Memory::kDevice) msan_poison(p, bytes);
  }
  if (!p) return refuse(cudaErrorMemoryAllocation);
  allocations()[reinterpret_cast<uintptr_t>(p)] = {bytes, memory};
  if (memory == Memory::kDevice) device_bytes += bytes;
  *pointer = p;
  return cudaSuccess;
}

cudaError_t release(void* pointer, Memory memory) {
  RuntimeLock lock;
  if (!pointer) return cudaSuccess;
  const auto found = allocations().find(reinterpret_cast<uintptr_t>(pointer));
  if (found == allocations().end() || found->second.memory != memory)
    return refuse(cudaErrorInvalidValue, "free of a pointer that is not allocated (any more)");
  const size_t bytes = found->second.bytes;
  allocations().erase(found);
  if (memory == Memory::kDevice) device_bytes -= bytes;
  if (device_arena_contains(pointer))
    madvise(pointer, (bytes + kPage - 1) / kPage * kPage, MADV_DONTNEED);
  else
    std::free(pointer);
  return cudaSuccess;
}

Place place_of(const void* pointer) {
  RuntimeLock lock;
  const auto address = reinterpret_cast<uintptr_t>(pointer);
  auto next = allocations().upper_bound(address);
  if (next == allocations().begin()) return {};
  const auto& [start, allocation] = *--next;
  if (address >= start + allocation.bytes) return {};
  return {allocation.memory, start + allocation.bytes - address};
}

DeviceAccess::DeviceAccess() {
  if (options().protect && accesses++ == 0) protect_arena(PROT_READ | PROT_WRITE);
}
DeviceAccess::~DeviceAccess() {
  if (options().protect && --accesses == 0) protect_arena(PROT_NONE);
}
bool device_arena_contains(const void* p) {
  return arena && p >= arena && p < arena + kArenaBytes;
}
bool device_arena_is_open() {
  return accesses > 0;
}

}  // namespace cuda_emulator
