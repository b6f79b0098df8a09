// The words that CUDA adds to C++: function and variable specifiers, dim3 and the short vectors.
#pragma once
#define CUDA_EMULATOR 1

#include <cmath>  // before the specifiers: libstdc++ uses some of these names for itself
#include <cstddef>
#include <cstdint>
#include <cstring>

#define __global__
#define __device__
#define __host__
#define __constant__
#define __grid_constant__
#define __forceinline__ inline __attribute__((always_inline))
#define __align__(bytes) __attribute__((aligned(bytes)))

// A bare __shared__ would need a thread_local that no checker sees (no poison, no red zones, false races between
// blocks), so it does not compile: declare shared memory through cuda_emulator::shared_variable, see execution.h.
#define __shared__ bare_shared_memory_cannot_be_checked_use_a_macro_over_cuda_emulator_shared_variable

// The bound is left in the binary where the launch can read it: that many no-operations before the kernel, listed in
// the section of patchable functions (src/launch_bounds.cpp).  sizeof folds any constant expression for GCC; clang
// takes no dependent values here, so that its builds check blocks against 1024 threads only.
#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__)
#define __launch_bounds__(threads, ...) \
  __attribute__((patchable_function_entry(sizeof(char[threads]), sizeof(char[threads]))))
#else
#define __launch_bounds__(...)
#endif

struct dim3 {
  unsigned x = 1, y = 1, z = 1;
  constexpr dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
};

// name2 and name4 are aligned like CUDA's: their loads must be one access.
#define CUDA_EMULATOR_VECTORS(T, name, align2, align4)   \
  struct name##1 {                                       \
    T x;                                                 \
  };                                                     \
  struct alignas(align2) name##2 {                       \
    T x, y;                                              \
  };                                                     \
  struct name##3 {                                       \
    T x, y, z;                                           \
  };                                                     \
  struct alignas(align4) name##4 {                       \
    T x, y, z, w;                                        \
  };                                                     \
  constexpr name##1 make_##name##1(T x) {                \
    return {x};                                          \
  }                                                      \
  constexpr name##2 make_##name##2(T x, T y) {           \
    return {x, y};                                       \
  }                                                      \
  constexpr name##3 make_##name##3(T x, T y, T z) {      \
    return {x, y, z};                                    \
  }                                                      \
  constexpr name##4 make_##name##4(T x, T y, T z, T w) { \
    return {x, y, z, w};                                 \
  }
CUDA_EMULATOR_VECTORS(signed char, char, 2, 4)
CUDA_EMULATOR_VECTORS(unsigned char, uchar, 2, 4)
CUDA_EMULATOR_VECTORS(short, short, 4, 8)
CUDA_EMULATOR_VECTORS(unsigned short, ushort, 4, 8)
CUDA_EMULATOR_VECTORS(int, int, 8, 16)
CUDA_EMULATOR_VECTORS(unsigned, uint, 8, 16)
CUDA_EMULATOR_VECTORS(long long, longlong, 16, 16)
CUDA_EMULATOR_VECTORS(unsigned long long, ulonglong, 16, 16)
CUDA_EMULATOR_VECTORS(float, float, 8, 16)
CUDA_EMULATOR_VECTORS(double, double, 16, 16)
#undef CUDA_EMULATOR_VECTORS
