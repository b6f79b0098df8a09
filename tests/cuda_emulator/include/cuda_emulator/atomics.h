// Atomic functions, on the host's own atomics.  They order like acquire and release, which is more than CUDA promises:
// a missing __threadfence is the one kind of race that the emulator cannot see.
#pragma once
#include <cuda_emulator/language.h>

#include <algorithm>
#include <type_traits>

namespace cuda_emulator {

// *address = f(*address), atomically; returns the old value.
template <class T, class F>
inline T atomic_update(T* address, F f) {
  using Bits = std::conditional_t<sizeof(T) == 2, uint16_t, std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>>;
  static_assert(sizeof(T) == sizeof(Bits));
  auto* bits = reinterpret_cast<Bits*>(address);
  Bits old_bits = __atomic_load_n(bits, __ATOMIC_RELAXED);
  for (;;) {
    T old_value;
    std::memcpy(&old_value, &old_bits, sizeof(T));
    const T new_value = f(old_value);
    Bits new_bits;
    std::memcpy(&new_bits, &new_value, sizeof(T));
    if (__atomic_compare_exchange_n(bits, &old_bits, new_bits, true, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
      return old_value;
  }
}

template <class T>
using Same = std::type_identity_t<T>;  // the operand converts to what the address points to

}  // namespace cuda_emulator

template <class T>
inline T atomicAdd(T* address, cuda_emulator::Same<T> value) {
  if constexpr (std::is_integral_v<T>) return __atomic_fetch_add(address, value, __ATOMIC_ACQ_REL);
  return cuda_emulator::atomic_update(address, [=](T old_value) { return T(old_value + value); });
}
template <class T>
inline T atomicSub(T* address, cuda_emulator::Same<T> value) {
  return __atomic_fetch_sub(address, value, __ATOMIC_ACQ_REL);
}
template <class T>
inline T atomicOr(T* address, cuda_emulator::Same<T> value) {
  return __atomic_fetch_or(address, value, __ATOMIC_ACQ_REL);
}
template <class T>
inline T atomicAnd(T* address, cuda_emulator::Same<T> value) {
  return __atomic_fetch_and(address, value, __ATOMIC_ACQ_REL);
}
template <class T>
inline T atomicXor(T* address, cuda_emulator::Same<T> value) {
  return __atomic_fetch_xor(address, value, __ATOMIC_ACQ_REL);
}
template <class T>
inline T atomicMax(T* address, cuda_emulator::Same<T> value) {
  return cuda_emulator::atomic_update(address, [=](T old_value) { return std::max(old_value, value); });
}
template <class T>
inline T atomicMin(T* address, cuda_emulator::Same<T> value) {
  return cuda_emulator::atomic_update(address, [=](T old_value) { return std::min(old_value, value); });
}
template <class T>
inline T atomicExch(T* address, cuda_emulator::Same<T> value) {
  return cuda_emulator::atomic_update(address, [=](T) { return value; });
}
template <class T>
inline T atomicCAS(T* address, cuda_emulator::Same<T> expected, cuda_emulator::Same<T> value) {
  return cuda_emulator::atomic_update(address, [=](T old_value) { return old_value == expected ? value : old_value; });
}
// Counts from 0 to limit and starts again.
inline unsigned atomicInc(unsigned* address, unsigned limit) {
  return cuda_emulator::atomic_update(address,
                                      [=](unsigned old_value) { return old_value >= limit ? 0 : old_value + 1; });
}
