// Arithmetic, bit and cache-hint intrinsics.  The fast versions (__expf and the like) are as exact as the C library
// here: a test must not depend on their last bits.
#pragma once
#include <cuda_emulator/language.h>

#include <bit>
#include <type_traits>

// Cache hints change speed only.
#define CUDA_EMULATOR_LOAD(name) \
  template <class T>             \
  inline T name(const T* p) {    \
    return *p;                   \
  }
CUDA_EMULATOR_LOAD(__ldg)
CUDA_EMULATOR_LOAD(__ldca)
CUDA_EMULATOR_LOAD(__ldcg)
CUDA_EMULATOR_LOAD(__ldcs)
CUDA_EMULATOR_LOAD(__ldlu)
#undef CUDA_EMULATOR_LOAD
#define CUDA_EMULATOR_STORE(name)                         \
  template <class T>                                      \
  inline void name(T* p, std::type_identity_t<T> value) { \
    *p = value;                                           \
  }
CUDA_EMULATOR_STORE(__stcg)
CUDA_EMULATOR_STORE(__stcs)
CUDA_EMULATOR_STORE(__stwt)
#undef CUDA_EMULATOR_STORE

inline unsigned __umulhi(unsigned a, unsigned b) {
  return unsigned(uint64_t(a) * b >> 32);
}
inline int __mulhi(int a, int b) {
  return int(int64_t(a) * b >> 32);
}
inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b) {
  return (unsigned long long)((unsigned __int128)a * b >> 64);
}
inline int __popc(unsigned x) {
  return std::popcount(x);
}
inline int __popcll(unsigned long long x) {
  return std::popcount(x);
}
inline int __clz(int x) {
  return std::countl_zero(unsigned(x));
}
inline int __clzll(long long x) {
  return std::countl_zero((unsigned long long)x);
}
inline int __ffs(int x) {
  return __builtin_ffs(x);
}
inline unsigned __brev(unsigned x) {
  unsigned reversed = 0;
  for (int i = 0; i < 32; ++i) reversed |= (x >> i & 1u) << (31 - i);
  return reversed;
}
inline unsigned __funnelshift_l(unsigned low, unsigned high, unsigned shift) {
  return unsigned(((uint64_t(high) << 32 | low) << (shift & 31)) >> 32);
}

inline int __float_as_int(float x) {
  return std::bit_cast<int>(x);
}
inline unsigned __float_as_uint(float x) {
  return std::bit_cast<unsigned>(x);
}
inline float __int_as_float(int x) {
  return std::bit_cast<float>(x);
}
inline float __uint_as_float(unsigned x) {
  return std::bit_cast<float>(x);
}
inline int __float2int_rn(float x) {
  return int(std::nearbyint(x));
}
inline int __float2int_rz(float x) {
  return int(x);
}
inline int __float2int_rd(float x) {
  return int(std::floor(x));
}
inline float __int2float_rn(int x) {
  return float(x);
}
inline float __uint2float_rn(unsigned x) {
  return float(x);
}

inline float rsqrtf(float x) {
  return 1.0f / std::sqrt(x);
}
inline double rsqrt(double x) {
  return 1.0 / std::sqrt(x);
}
inline float __frsqrt_rn(float x) {
  return rsqrtf(x);
}
inline float __frcp_rn(float x) {
  return 1.0f / x;
}
inline float __fsqrt_rn(float x) {
  return std::sqrt(x);
}
inline float __fdividef(float a, float b) {
  return a / b;
}
inline float __fdiv_rn(float a, float b) {
  return a / b;
}
// Volatile keeps the compiler from contracting what these functions promise to round twice.
inline float __fmul_rn(float a, float b) {
  volatile float product = a * b;
  return product;
}
inline float __fadd_rn(float a, float b) {
  volatile float sum = a + b;
  return sum;
}
inline float __fsub_rn(float a, float b) {
  return __fadd_rn(a, -b);
}
// Sine and cosine of pi x.
inline void sincospif(float x, float* sine, float* cosine) {
  const double angle = 3.14159265358979323846 * std::fmod(double(x), 2.0);
  *sine = float(std::sin(angle));
  *cosine = float(std::cos(angle));
}
inline float __saturatef(float x) {
  return x > 0 ? (x < 1 ? x : 1.0f) : 0.0f;
}

#ifdef CUDA_EMULATOR_PROFILE
// The profiler counts what is written as fmaf: kernels write their inner products so.
namespace cuda_emulator {
void record_fma();
inline float counted_fma(float a, float b, float c) {
  record_fma();
  return std::fma(a, b, c);
}
}  // namespace cuda_emulator
#define fmaf(a, b, c) ::cuda_emulator::counted_fma(a, b, c)
#endif
#define __fmaf_rn(a, b, c) fmaf(a, b, c)

// Macros, because the C library declares functions of these names.
#define __expf(x) expf(x)
#define __exp10f(x) exp10f(x)
#define __logf(x) logf(x)
#define __log2f(x) log2f(x)
#define __log10f(x) log10f(x)
#define __powf(x, y) powf(x, y)
#define __sinf(x) sinf(x)
#define __cosf(x) cosf(x)
#define __tanf(x) tanf(x)
#define __sincosf(x, sine, cosine) sincosf(x, sine, cosine)

#define CUDA_EMULATOR_MIN_MAX(T) \
  constexpr T min(T a, T b) {    \
    return b < a ? b : a;        \
  }                              \
  constexpr T max(T a, T b) {    \
    return a < b ? b : a;        \
  }
CUDA_EMULATOR_MIN_MAX(int)
CUDA_EMULATOR_MIN_MAX(unsigned)
CUDA_EMULATOR_MIN_MAX(long)
CUDA_EMULATOR_MIN_MAX(unsigned long)
CUDA_EMULATOR_MIN_MAX(long long)
CUDA_EMULATOR_MIN_MAX(unsigned long long)
#undef CUDA_EMULATOR_MIN_MAX
inline float min(float a, float b) {
  return std::fmin(a, b);
}
inline float max(float a, float b) {
  return std::fmax(a, b);
}
inline double min(double a, double b) {
  return std::fmin(a, b);
}
inline double max(double a, double b) {
  return std::fmax(a, b);
}
