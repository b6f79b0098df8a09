// The functions that -fsanitize=thread calls for every access.  A profile is linked with these instead of TSan's own
// runtime, and so hears each load and store of the kernels with its address, size and place in the program.
#include "block.h"
#include "memory.h"
#include "recorder.h"

namespace cuda_emulator {
namespace {

// The last allocation that was hit: kernels stay within one for long.
bool in_device_memory(const void* address) {
  static const char *start = nullptr, *end = nullptr;
  const auto* p = static_cast<const char*>(address);
  if (p >= start && p < end) return true;
  const Place place = place_of(address);
  if (place.memory != Memory::kDevice) return false;
  start = p;
  end = p + place.bytes_left;
  return true;
}

void record(const volatile void* accessed, size_t bytes, bool store, const void* pc) {
  if (!recorder || !in_kernel()) return;
  const void* address = const_cast<const void*>(accessed);
  BlockRunner& runner = *running_block;
  if (runner.shared_memory().contains(address))
    recorder->access(runner.current(), address, bytes, Space::kShared, store, pc);
  else if (in_device_memory(address))
    recorder->access(runner.current(), address, bytes, Space::kGlobal, store, pc);
}

}  // namespace
}  // namespace cuda_emulator

using cuda_emulator::record;

#define PLACE __builtin_return_address(0)
#define ACCESSES(bytes)                         \
  void __tsan_read##bytes(void* a) {            \
    record(a, bytes, false, PLACE);             \
  }                                             \
  void __tsan_write##bytes(void* a) {           \
    record(a, bytes, true, PLACE);              \
  }                                             \
  void __tsan_unaligned_read##bytes(void* a) {  \
    record(a, bytes, false, PLACE);             \
  }                                             \
  void __tsan_unaligned_write##bytes(void* a) { \
    record(a, bytes, true, PLACE);              \
  }
// Atomics count as one store each, whatever they do; the profile runs on one thread.
#define FETCH(bits, T, name, expression)                        \
  T __tsan_atomic##bits##_##name(volatile T* a, T value, int) { \
    record(a, bits / 8, true, PLACE);                           \
    const T old_value = *a;                                     \
    *a = static_cast<T>(expression);                            \
    return old_value;                                           \
  }
#define COMPARE_EXCHANGE(bits, T, name, place)                                      \
  int __tsan_atomic##bits##_##name(volatile T* a, T* expected, T value, int, int) { \
    record(a, bits / 8, true, place);                                               \
    const T old_value = *a;                                                         \
    const bool equal = old_value == *expected;                                      \
    if (equal) *a = value;                                                          \
    *expected = old_value;                                                          \
    return equal;                                                                   \
  }
#define ATOMICS(bits, T)                                          \
  T __tsan_atomic##bits##_load(const volatile T* a, int) {        \
    return *a;                                                    \
  }                                                               \
  void __tsan_atomic##bits##_store(volatile T* a, T value, int) { \
    record(a, bits / 8, true, PLACE);                             \
    *a = value;                                                   \
  }                                                               \
  FETCH(bits, T, exchange, value)                                 \
  FETCH(bits, T, fetch_add, old_value + value)                    \
  FETCH(bits, T, fetch_sub, old_value - value)                    \
  FETCH(bits, T, fetch_and, old_value& value)                     \
  FETCH(bits, T, fetch_or, old_value | value)                     \
  FETCH(bits, T, fetch_xor, old_value ^ value)                    \
  COMPARE_EXCHANGE(bits, T, compare_exchange_strong, PLACE)       \
  COMPARE_EXCHANGE(bits, T, compare_exchange_weak, PLACE)

extern "C" {
void __tsan_init() {}
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}
void __tsan_vptr_update(void**, void*) {}
void __tsan_vptr_read(void**) {}
void __tsan_atomic_thread_fence(int) {}
void __tsan_atomic_signal_fence(int) {}
void __tsan_read_range(void* a, unsigned long bytes) {
  record(a, bytes, false, PLACE);
}
void __tsan_write_range(void* a, unsigned long bytes) {
  record(a, bytes, true, PLACE);
}
ACCESSES(1)
ACCESSES(2)
ACCESSES(4)
ACCESSES(8)
ACCESSES(16)
ATOMICS(8, unsigned char)
ATOMICS(16, unsigned short)
ATOMICS(32, unsigned)
ATOMICS(64, unsigned long)
}
