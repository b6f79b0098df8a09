// A thread's view of its block: who it is, the block's barrier and the block's shared memory.
// Every barrier and warp function takes the caller's file and line as default arguments, so that a report can name
// them.
#pragma once
#include <cuda_emulator/language.h>

#include <cstdint>
#include <type_traits>

// Variables and not macros, because cudaLaunchConfig_t has members called gridDim and blockDim.
extern constinit thread_local uint3 threadIdx;
extern constinit thread_local uint3 blockIdx;
extern constinit thread_local dim3 blockDim;
extern constinit thread_local dim3 gridDim;
inline constexpr int warpSize = 32;

namespace cuda_emulator {

// What the inlined device functions need of the running thread besides the variables above.
struct ThreadState {
  unsigned lane;                  // linear thread index modulo 32
  unsigned char* dynamic_shared;  // the block's dynamic shared memory
};
extern constinit thread_local ThreadState thread_state;

struct Location {
  const char* file;
  int line;
};

void block_barrier(Location where);
int block_count(bool predicate, Location where);  // barrier; how many threads of the block said true
void yield();                                     // lets every other thread of the block run
void memory_fence();
[[noreturn]] void device_error(const char* message, Location where);

// Shared variables are told apart by a number drawn per declaration; `align` is at least 16.
int new_shared_variable();
void* find_shared_variable(int number, size_t bytes);
template <class T, class Tag>
inline int shared_variable_number = new_shared_variable();

// The block's variable of type T that belongs to Tag, a type made at the declaration:
//   #define SHARED(type, name, dims) auto& name = ::cuda_emulator::shared_variable<type dims, decltype([] {})>()
template <class T, class Tag>
inline T& shared_variable() {
  static_assert(alignof(T) <= 128 && std::is_trivially_destructible_v<T>);
  return *static_cast<T*>(find_shared_variable(shared_variable_number<T, Tag>, sizeof(T)));
}

}  // namespace cuda_emulator

#define CUDA_EMULATOR_LOCATION const char *file = __builtin_FILE(), int line = __builtin_LINE()

inline void __syncthreads(CUDA_EMULATOR_LOCATION) {
  cuda_emulator::block_barrier({file, line});
}
inline int __syncthreads_count(int predicate, CUDA_EMULATOR_LOCATION) {
  return cuda_emulator::block_count(predicate != 0, {file, line});
}
inline int __syncthreads_or(int predicate, CUDA_EMULATOR_LOCATION) {
  return cuda_emulator::block_count(predicate != 0, {file, line}) != 0;
}
inline int __syncthreads_and(int predicate, CUDA_EMULATOR_LOCATION) {
  return cuda_emulator::block_count(predicate == 0, {file, line}) == 0;
}
inline void __threadfence() {
  cuda_emulator::memory_fence();
}
inline void __threadfence_block() {
  cuda_emulator::memory_fence();
}
inline void __threadfence_system() {
  cuda_emulator::memory_fence();
}
inline void __nanosleep(unsigned) {
  cuda_emulator::yield();
}  // what makes a waiting loop inside a block end
inline void __trap(CUDA_EMULATOR_LOCATION) {
  cuda_emulator::device_error("__trap()", {file, line});
}
