// Philox 4x32-10 for many consecutive blocks at once: the same words as random_block() of philox.h, in the same order.
//
// Each of four 64-bit lanes of an AVX2 register carries one block in its low half: the 32 x 32 -> 64 bit product that
// Philox is made of is then a single instruction, and what is left in the high halves is never read.  Two registers
// of blocks are in flight to hide its latency.
#pragma once
#include <cstring>

#ifdef __AVX2__
#include <immintrin.h>
#endif

#include "kernels/philox.h"
#include "kernels/random.h"

namespace tobogan::kernels {

// Blocks computed together.
constexpr int64_t kPhiloxBatch = 8;

namespace detail {

#ifdef __AVX2__

struct FourBlocks {
  __m256i c0, c1, c2, c3;

  FourBlocks(uint32_t draw, uint64_t step, uint64_t block) {
    const __m256i index =
        _mm256_add_epi64(_mm256_set1_epi64x(static_cast<int64_t>(block)), _mm256_set_epi64x(3, 2, 1, 0));
    const __m256i step_high = _mm256_set1_epi64x(static_cast<int64_t>((step >> 32) << 8));
    c0 = index;
    c1 = _mm256_or_si256(_mm256_srli_epi64(index, 32), step_high);
    c2 = _mm256_set1_epi64x(draw);
    c3 = _mm256_set1_epi64x(static_cast<int64_t>(step));
  }

  void round(__m256i k0, __m256i k1) {
    const __m256i a = _mm256_mul_epu32(c0, _mm256_set1_epi64x(0xD2511F53));
    const __m256i b = _mm256_mul_epu32(c2, _mm256_set1_epi64x(0xCD9E8D57));
    c0 = _mm256_xor_si256(_mm256_srli_epi64(b, 32), _mm256_xor_si256(c1, k0));
    c1 = b;
    c2 = _mm256_xor_si256(_mm256_srli_epi64(a, 32), _mm256_xor_si256(c3, k1));
    c3 = a;
  }

  void store(uint32_t* words) const {
    // Words 0 and 1 of a block side by side in a 64-bit lane, words 2 and 3 likewise, then the two interleaved.
    const __m256i low = _mm256_blend_epi32(c0, _mm256_slli_epi64(c1, 32), 0xAA);
    const __m256i high = _mm256_blend_epi32(c2, _mm256_slli_epi64(c3, 32), 0xAA);
    const __m256i even = _mm256_unpacklo_epi64(low, high);  // blocks 0 and 2
    const __m256i odd = _mm256_unpackhi_epi64(low, high);   // blocks 1 and 3
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(words), _mm256_permute2x128_si256(even, odd, 0x20));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(words + 8), _mm256_permute2x128_si256(even, odd, 0x31));
  }
};

inline void philox_batch(uint64_t stream, uint32_t draw, uint64_t step, uint64_t block, uint32_t* words) {
  FourBlocks first(draw, step, block), second(draw, step, block + 4);
  __m256i k0 = _mm256_set1_epi64x(static_cast<int64_t>(stream));
  __m256i k1 = _mm256_set1_epi64x(static_cast<int64_t>(stream >> 32));
  for (int round = 0; round < 10; ++round) {
    first.round(k0, k1);
    second.round(k0, k1);
    k0 = _mm256_add_epi64(k0, _mm256_set1_epi64x(0x9E3779B9));
    k1 = _mm256_add_epi64(k1, _mm256_set1_epi64x(0xBB67AE85));
  }
  first.store(words);
  second.store(words + 16);
}

#else

inline void philox_batch(uint64_t stream, uint32_t draw, uint64_t step, uint64_t block, uint32_t* words) {
  for (int64_t i = 0; i < kPhiloxBatch; ++i) {
    const PhiloxWords one = random_block(stream, draw, step, block + static_cast<uint64_t>(i));
    std::memcpy(words + 4 * i, one.word, sizeof one.word);
  }
}

#endif

}  // namespace detail

// The words of blocks first..first+blocks-1 of a draw, rounded up to a multiple of kPhiloxBatch blocks.
inline void philox_words(const RandomKey& key, uint64_t step, int64_t first, int64_t blocks, uint32_t* words) {
  for (int64_t b = 0; b < blocks; b += kPhiloxBatch) {
    detail::philox_batch(key.stream, key.draw, step, static_cast<uint64_t>(first + b), words + 4 * b);
  }
}

}  // namespace tobogan::kernels
