// bfloat16: the upper half of a float, rounded to nearest even.
#pragma once
#include <cuda_runtime.h>

#include <bit>

struct __nv_bfloat16 {
  __nv_bfloat16() = default;
  __nv_bfloat16(float value) {
    const auto bits = std::bit_cast<uint32_t>(value);
    const bool nan = (bits & 0x7fffffffu) > 0x7f800000u;
    bits_ = nan ? 0x7fff : uint16_t((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
  }
  operator float() const { return std::bit_cast<float>(uint32_t(bits_) << 16); }

 private:
  uint16_t bits_;
};
struct alignas(4) __nv_bfloat162 {
  __nv_bfloat16 x, y;
};
using nv_bfloat16 = __nv_bfloat16;
using nv_bfloat162 = __nv_bfloat162;

inline __nv_bfloat16 __float2bfloat16(float a) {
  return __nv_bfloat16(a);
}
inline __nv_bfloat16 __float2bfloat16_rn(float a) {
  return __nv_bfloat16(a);
}
inline float __bfloat162float(__nv_bfloat16 a) {
  return float(a);
}
inline __nv_bfloat162 __floats2bfloat162_rn(float x, float y) {
  return {__nv_bfloat16(x), __nv_bfloat16(y)};
}
inline __nv_bfloat162 __float22bfloat162_rn(float2 a) {
  return __floats2bfloat162_rn(a.x, a.y);
}
inline float2 __bfloat1622float2(__nv_bfloat162 a) {
  return {float(a.x), float(a.y)};
}
inline float __low2float(__nv_bfloat162 a) {
  return float(a.x);
}
inline float __high2float(__nv_bfloat162 a) {
  return float(a.y);
}
inline __nv_bfloat162 __halves2bfloat162(__nv_bfloat16 x, __nv_bfloat16 y) {
  return {x, y};
}
inline unsigned short __bfloat16_as_ushort(__nv_bfloat16 a) {
  return std::bit_cast<unsigned short>(a);
}
inline __nv_bfloat16 __ushort_as_bfloat16(unsigned short bits) {
  return std::bit_cast<__nv_bfloat16>(bits);
}
