// Device and pinned memory: what is allocated, and whose an address is.
//
// Each allocation is a heap block of its own, so that ASan sees its ends, filled with 0xFF (a NaN).  With the option
// `protect` device memory comes from one reserved range instead, which cannot be touched except while a kernel or copy
// runs.
#pragma once
#include <cuda_emulator/runtime_api.h>

#include <cstddef>
#include <mutex>

#include "sanitizers.h"

namespace cuda_emulator {

enum class Memory { kHost, kDevice, kPinned };

struct Place {
  Memory memory = Memory::kHost;
  size_t bytes_left = 0;  // from the address to the end of its allocation; 0 for host memory
};
Place place_of(const void* pointer);

cudaError_t allocate(void** pointer, size_t bytes, Memory memory);
cudaError_t release(void* pointer, Memory memory);
size_t device_bytes_used();

// Device memory may be touched while one lives.
struct DeviceAccess {
  DeviceAccess();
  ~DeviceAccess();
};
bool device_arena_contains(const void* pointer);
bool device_arena_is_open();

// Notes the reason if there is one, remembers the error for cudaGetLastError and hands it on.
cudaError_t refuse(cudaError_t error, const char* reason = nullptr);

// Guards all of the runtime's state.  TSan must not see it: it would order what the program has not ordered.
#ifdef CUDA_EMULATOR_TSAN
struct RuntimeLock {
  RuntimeLock() {}
};
#else
std::recursive_mutex& runtime_mutex();
struct RuntimeLock {
  std::lock_guard<std::recursive_mutex> guard{runtime_mutex()};
};
#endif

}  // namespace cuda_emulator
