// Philox 4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011), the same bits on every machine.
//
// A counter-based generator: the four words of block number `block` of a draw are a function of (key, draw, step,
// block) alone, so any thread can compute any element.  Element i of a draw uses word i % 4 of block i / 4, unless a
// kernel says otherwise (dropout takes half-words: activation.h).
#pragma once
#include <cstdint>

#if defined(__CUDACC__)
#define TOBOGAN_ON_BOTH __host__ __device__ __forceinline__
#else
#define TOBOGAN_ON_BOTH inline
#endif

namespace tobogan::kernels {

struct PhiloxWords {
  uint32_t word[4];
};

// The generator itself: counter c and key k of the paper.
TOBOGAN_ON_BOTH PhiloxWords philox4x32(PhiloxWords c, uint32_t k0, uint32_t k1) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t a = uint64_t{0xD2511F53u} * c.word[0];
    const uint64_t b = uint64_t{0xCD9E8D57u} * c.word[2];
    c = {{static_cast<uint32_t>(b >> 32) ^ c.word[1] ^ k0, static_cast<uint32_t>(b),
          static_cast<uint32_t>(a >> 32) ^ c.word[3] ^ k1, static_cast<uint32_t>(a)}};
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return c;
}

// Block `block` of draw `draw` in step `step` of a stream.  REQUIRES: step < 2^40, block < 2^40 (the counter's 128 bits
// hold 32 + 8 bits of the block, 32 of the draw, 32 + 8 of the step).
TOBOGAN_ON_BOTH PhiloxWords random_block(uint64_t stream, uint32_t draw, uint64_t step, uint64_t block) {
  const uint32_t high = static_cast<uint32_t>((block >> 32) | ((step >> 32) << 8));
  return philox4x32({{static_cast<uint32_t>(block), high, draw, static_cast<uint32_t>(step)}},
                    static_cast<uint32_t>(stream), static_cast<uint32_t>(stream >> 32));
}

// A uniform in [0, 1) with 24 bits, exact in float.
TOBOGAN_ON_BOTH float uniform_from(uint32_t word) {
  return static_cast<float>(word >> 8) * 0x1p-24f;
}

// The permutation of 0..size-1 that a key and an epoch name: a balanced Feistel network over the next even power of two
// with cycle walking (Black & Rogaway 2002).  REQUIRES: position < size.
TOBOGAN_ON_BOTH uint32_t permute_index(uint64_t stream, uint64_t epoch, uint32_t size, uint32_t position) {
  uint32_t half = 1;
  while ((uint64_t{1} << (2 * half)) < size) ++half;
  const uint32_t mask = (1u << half) - 1;
  uint32_t value = position;
  do {
    uint32_t left = value >> half, right = value & mask;
    for (uint32_t round = 0; round < 4; ++round) {
      const uint32_t mixed = left ^ (random_block(stream, round, epoch, right).word[0] & mask);
      left = right;
      right = mixed;
    }
    value = (left << half) | right;
  } while (value >= size);
  return value;
}

}  // namespace tobogan::kernels
