// Random numbers as a pure function of where they are used (see philox.h): no generator has a state to keep in order.
//
// A draw is named by a RandomKey: the key of its stream, the ordinal of the draw within the training step, and the
// number of that step, which lies in device memory so that a captured step draws anew every time it is replayed.
#pragma once
#include "kernels/device.h"

namespace tobogan::kernels {

struct RandomKey {
  uint64_t stream = 0;             // from the seed and the stream's name
  uint32_t draw = 0;               // which draw of this stream in this step
  const uint64_t* step = nullptr;  // in device memory
};

// y[i] uniform in [low, high): low + (high - low) * uniform_from(word i), or the largest number below high where that
// is rounded up to high.
void uniform(Cpu on, const RandomKey& key, int64_t count, Real low, Real high, Real* y);
void uniform(Cuda on, const RandomKey& key, int64_t count, Real low, Real high, Real* y);

// y[i] normal with the given mean and standard deviation (Box-Muller on pairs of 32-bit uniforms: for even i,
// u = word i * 2^-32 + 2^-33, v = word i+1 * 2^-32, y[i] and y[i+1] are the cosine and sine of 2 pi v times
// sqrt(-2 log u)).  Machines agree to a few units in the last place.
void normal(Cpu on, const RandomKey& key, int64_t count, Real mean, Real deviation, Real* y);
void normal(Cuda on, const RandomKey& key, int64_t count, Real mean, Real deviation, Real* y);

// index[i] = word i * bound / 2^32, rounded down: uniform in 0..bound-1 up to a bias of bound / 2^32.
// REQUIRES: bound >= 1.
void random_integers(Cpu on, const RandomKey& key, int64_t count, int32_t bound, int32_t* index);
void random_integers(Cuda on, const RandomKey& key, int64_t count, int32_t bound, int32_t* index);

// index[i] = permutation_e(p + i) for i < count, where cursor[0] = e * size + p: a new pseudo-random permutation of
// 0..size-1 for every epoch e (a keyed Feistel network with cycle walking).  REQUIRES: p + count <= size.
void permuted_indices(Cpu on, uint64_t stream, int32_t size, const uint64_t* cursor, int64_t count, int32_t* index);
void permuted_indices(Cuda on, uint64_t stream, int32_t size, const uint64_t* cursor, int64_t count, int32_t* index);

// counter[0] += by.
void advance(Cpu on, uint64_t by, uint64_t* counter);
void advance(Cuda on, uint64_t by, uint64_t* counter);

}  // namespace tobogan::kernels
