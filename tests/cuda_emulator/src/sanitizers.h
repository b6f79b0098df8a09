// What the runtime tells the sanitizers, as functions that do nothing in a plain build.
//
// The runtime itself is never instrumented; a library per sanitizer is built with CUDA_EMULATOR_ASAN, _TSAN or _MSAN.
// ASan must know which stack is in use and which bytes of the shared-memory arena are variables.  TSan sees every CUDA
// thread and every stream as a fiber of its own and learns from acquire/release pairs what is ordered; a switch
// without synchronisation is then exactly a race detector for kernels.  MSan must be told what the uninstrumented
// runtime has written.
#pragma once
#include <cstddef>

#ifdef CUDA_EMULATOR_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef CUDA_EMULATOR_MSAN
#include <sanitizer/msan_interface.h>
#endif
#ifdef CUDA_EMULATOR_TSAN
extern "C" {
void* __tsan_get_current_fiber();
void* __tsan_create_fiber(unsigned flags);
void __tsan_destroy_fiber(void* fiber);
void __tsan_switch_to_fiber(void* fiber, unsigned flags);
void __tsan_acquire(void* address);
void __tsan_release(void* address);
void AnnotateIgnoreReadsBegin(const char* file, int line);
void AnnotateIgnoreReadsEnd(const char* file, int line);
void AnnotateIgnoreWritesBegin(const char* file, int line);
void AnnotateIgnoreWritesEnd(const char* file, int line);
}
#endif

namespace cuda_emulator {

#ifdef CUDA_EMULATOR_ASAN
inline constexpr bool kAsan = true;
inline void asan_poison(void* p, size_t bytes) {
  __asan_poison_memory_region(p, bytes);
}
inline void asan_unpoison(void* p, size_t bytes) {
  __asan_unpoison_memory_region(p, bytes);
}
#else
inline constexpr bool kAsan = false;
inline void asan_poison(void*, size_t) {}
inline void asan_unpoison(void*, size_t) {}
#endif

#ifdef CUDA_EMULATOR_MSAN
inline constexpr bool kMsan = true;
inline void msan_poison(void* p, size_t bytes) {
  __msan_poison(p, bytes);
}
inline void msan_unpoison(const void* p, size_t bytes) {
  __msan_unpoison(p, bytes);
}
inline void msan_unpoison_parameters(size_t count) {
  __msan_unpoison_param(count);
}
inline void msan_check(const void* p, size_t bytes) {
  __msan_check_mem_is_initialized(p, bytes);
}
inline void msan_copy(void* to, const void* from, size_t bytes) {
  __msan_copy_shadow(to, from, bytes);
}
#else
inline constexpr bool kMsan = false;
inline void msan_poison(void*, size_t) {}
inline void msan_unpoison(const void*, size_t) {}
inline void msan_unpoison_parameters(size_t) {}
inline void msan_check(const void*, size_t) {}
inline void msan_copy(void*, const void*, size_t) {}
#endif

#ifdef CUDA_EMULATOR_TSAN
inline constexpr bool kTsan = true;
inline void* tsan_current_fiber() {
  return __tsan_get_current_fiber();
}
inline void* tsan_create_fiber() {
  return __tsan_create_fiber(0);
}
inline void tsan_destroy_fiber(void* fiber) {
  __tsan_destroy_fiber(fiber);
}
inline void tsan_switch(void* fiber) {
  __tsan_switch_to_fiber(fiber, 1);
}  // 1: the switch orders nothing
inline void tsan_acquire(void* key) {
  __tsan_acquire(key);
}
inline void tsan_release(void* key) {
  __tsan_release(key);
}
// While one lives, accesses of this fiber are not looked at: the exchange inside a warp function.
struct TsanIgnore {
  TsanIgnore() {
    AnnotateIgnoreReadsBegin("", 0);
    AnnotateIgnoreWritesBegin("", 0);
  }
  ~TsanIgnore() {
    AnnotateIgnoreReadsEnd("", 0);
    AnnotateIgnoreWritesEnd("", 0);
  }
};
#else
inline constexpr bool kTsan = false;
inline void* tsan_current_fiber() {
  return nullptr;
}
inline void* tsan_create_fiber() {
  return nullptr;
}
inline void tsan_destroy_fiber(void*) {}
inline void tsan_switch(void*) {}
inline void tsan_acquire(void*) {}
inline void tsan_release(void*) {}
struct TsanIgnore {
  TsanIgnore() {}
};
#endif

}  // namespace cuda_emulator
