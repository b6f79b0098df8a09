// Warp functions: shuffles, votes, reductions.  Each lane leaves its operands and waits; the lane that completes the
// mask computes for all (warp_collective), and that is also how the tensor-core twins of ptx.h work.
#pragma once
#include <cuda_emulator/execution.h>

#include <algorithm>

namespace cuda_emulator {

// Which calls of a warp belong together: the same mask and the same of these.
enum class Collective { kSync, kShuffle4, kShuffle8, kBallot, kAdd, kMax, kMin, kOr, kAnd, kXor, kMma, kLdmatrix };

using CollectiveFunction = void (*)(uint32_t mask, void** operands);  // operands[lane] for the lanes in mask
void warp_collective(uint32_t mask, Collective kind, void* operands, CollectiveFunction function, const char* name,
                     Location where);

template <class F>
inline void for_each_lane(uint32_t mask, F f) {
  for (; mask; mask &= mask - 1) f(__builtin_ctz(mask));
}

template <class T>
struct Shuffle {
  T value, result;
  int source;
  bool source_missing;
};

template <class T>
void shuffle_all(uint32_t mask, void** operands) {
  for_each_lane(mask, [&](int lane) {
    auto& mine = *static_cast<Shuffle<T>*>(operands[lane]);
    mine.source_missing = !(mask >> mine.source & 1);
    if (!mine.source_missing) mine.result = static_cast<Shuffle<T>*>(operands[mine.source])->value;
  });
}

template <class T>
T shuffle(uint32_t mask, T value, int source, const char* name, Location where) {
  static_assert(sizeof(T) == 4 || sizeof(T) == 8, "shuffles move 4 or 8 bytes");
  Shuffle<T> operands{value, value, source, false};
  warp_collective(mask, sizeof(T) == 4 ? Collective::kShuffle4 : Collective::kShuffle8, &operands, shuffle_all<T>, name,
                  where);
  if (operands.source_missing) device_error("shuffle reads from a lane that is not in the mask", where);
  return operands.result;
}

struct Reduction {
  unsigned value, result;
};

// combine(accumulated, lane's value, lane), from lane 0 upward.
template <class F>
void reduce_all(uint32_t mask, void** operands, unsigned start, F combine) {
  for_each_lane(mask, [&](int l) { start = combine(start, static_cast<Reduction*>(operands[l])->value, l); });
  for_each_lane(mask, [&](int l) { static_cast<Reduction*>(operands[l])->result = start; });
}

inline unsigned reduce(uint32_t mask, unsigned value, Collective kind, CollectiveFunction function, const char* name,
                       Location where) {
  Reduction operands{value, 0};
  warp_collective(mask, kind, &operands, function, name, where);
  return operands.result;
}

}  // namespace cuda_emulator

inline void __syncwarp(unsigned mask = ~0u, CUDA_EMULATOR_LOCATION) {
  cuda_emulator::warp_collective(mask, cuda_emulator::Collective::kSync, nullptr, nullptr, "__syncwarp", {file, line});
}

// A source outside the caller's segment of `width` lanes means the caller itself.
template <class T>
inline T __shfl_sync(unsigned mask, T value, int source, int width = 32, CUDA_EMULATOR_LOCATION) {
  const int lane = int(cuda_emulator::thread_state.lane);
  return cuda_emulator::shuffle(mask, value, (lane & ~(width - 1)) | (source & (width - 1)), "__shfl_sync",
                                {file, line});
}
template <class T>
inline T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = 32, CUDA_EMULATOR_LOCATION) {
  const int lane = int(cuda_emulator::thread_state.lane), source = lane - int(delta);
  return cuda_emulator::shuffle(mask, value, source < (lane & ~(width - 1)) ? lane : source, "__shfl_up_sync",
                                {file, line});
}
template <class T>
inline T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = 32, CUDA_EMULATOR_LOCATION) {
  const int lane = int(cuda_emulator::thread_state.lane), source = lane + int(delta);
  return cuda_emulator::shuffle(mask, value, source > (lane | (width - 1)) ? lane : source, "__shfl_down_sync",
                                {file, line});
}
template <class T>
inline T __shfl_xor_sync(unsigned mask, T value, int bits, int width = 32, CUDA_EMULATOR_LOCATION) {
  const int lane = int(cuda_emulator::thread_state.lane), source = lane ^ bits;
  return cuda_emulator::shuffle(mask, value, source > (lane | (width - 1)) ? lane : source, "__shfl_xor_sync",
                                {file, line});
}

#define CUDA_EMULATOR_REDUCTION(name, kind, start, expression)                                                 \
  inline unsigned name(unsigned mask, unsigned value, CUDA_EMULATOR_LOCATION) {                                \
    auto all = [](uint32_t lanes, void** operands) {                                                           \
      cuda_emulator::reduce_all(lanes, operands, start,                                                        \
                                [](unsigned a, unsigned b, [[maybe_unused]] int lane) { return expression; }); \
    };                                                                                                         \
    return cuda_emulator::reduce(mask, value, cuda_emulator::Collective::kind, all, #name, {file, line});      \
  }
CUDA_EMULATOR_REDUCTION(__ballot_sync, kBallot, 0u, a | unsigned(b != 0) << lane)
CUDA_EMULATOR_REDUCTION(__reduce_add_sync, kAdd, 0u, a + b)
CUDA_EMULATOR_REDUCTION(__reduce_max_sync, kMax, 0u, std::max(a, b))
CUDA_EMULATOR_REDUCTION(__reduce_min_sync, kMin, ~0u, std::min(a, b))
CUDA_EMULATOR_REDUCTION(__reduce_or_sync, kOr, 0u, a | b)
CUDA_EMULATOR_REDUCTION(__reduce_and_sync, kAnd, ~0u, a& b)
CUDA_EMULATOR_REDUCTION(__reduce_xor_sync, kXor, 0u, a ^ b)
#undef CUDA_EMULATOR_REDUCTION

inline int __any_sync(unsigned mask, int predicate, CUDA_EMULATOR_LOCATION) {
  return __ballot_sync(mask, unsigned(predicate), file, line) != 0;
}
inline int __all_sync(unsigned mask, int predicate, CUDA_EMULATOR_LOCATION) {
  return __ballot_sync(mask, predicate == 0, file, line) == 0;
}

// The hardware may return any set of lanes that holds the caller: the emulator returns the smallest.
inline unsigned __activemask() {
  return 1u << cuda_emulator::thread_state.lane;
}
