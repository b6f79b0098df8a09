// Random numbers: the words of Philox by the piece, then a loop that turns words into numbers.
#include "kernels/random.h"

#include <cmath>
#include <limits>

#include "kernels/cpu/loops.h"
#include "kernels/cpu/philox_vector.h"
#include "kernels/cpu/vector_math.h"

namespace tobogan::kernels {
namespace {

// body(begin, size, words) over pieces of 0..count: element begin + i has word i.
template <class Body>
void for_words(Cpu on, const RandomKey& key, int64_t count, const Body& body) {
  const uint64_t step = *key.step;
  for_elements(on, count, [=](int64_t chunk_begin, int64_t chunk_end) {
    alignas(32) uint32_t words[kPiece];
    for_pieces(chunk_begin, chunk_end, [&](int64_t begin, int64_t size) {
      philox_words(key, step, begin / 4, (size + 3) / 4, words);
      body(begin, size, words);
    });
  });
}

// A pair of normals from a pair of words.
inline void box_muller(uint32_t a, uint32_t b, Real mean, Real deviation, Real* first, Real* second) {
  const Real uniform = static_cast<Real>(a) * Real(0x1p-32) + Real(0x1p-33);  // in (0, 1]
  const Real radius = deviation * std::sqrt(-2 * vector_math::log(uniform));
  Real sine, cosine;
  vector_math::sine_cosine(b, &sine, &cosine);
  *first = radius * cosine + mean;
  *second = radius * sine + mean;
}

}  // namespace

void uniform(Cpu on, const RandomKey& key, int64_t count, Real low, Real high, Real* y) {
  const Real below = std::nextafter(high, low), width = high - low;  // rounding must not reach `high`
  for_words(on, key, count, [=](int64_t begin, int64_t size, const uint32_t* words) {
    for (int64_t i = 0; i < size; ++i) {
      const Real value = low + width * uniform_from(words[i]);
      y[begin + i] = value < high ? value : below;
    }
  });
}

void normal(Cpu on, const RandomKey& key, int64_t count, Real mean, Real deviation, Real* y) {
  for_words(on, key, count, [=](int64_t begin, int64_t size, const uint32_t* words) {
    for (int64_t i = 0; i + 1 < size; i += 2) {
      box_muller(words[i], words[i + 1], mean, deviation, y + begin + i, y + begin + i + 1);
    }
    if (size % 2 != 0) {
      Real unused;
      box_muller(words[size - 1], words[size], mean, deviation, y + begin + size - 1, &unused);
    }
  });
}

void random_integers(Cpu on, const RandomKey& key, int64_t count, int32_t bound, int32_t* index) {
  const uint64_t range = static_cast<uint32_t>(bound);
  for_words(on, key, count, [=](int64_t begin, int64_t size, const uint32_t* words) {
    for (int64_t i = 0; i < size; ++i) index[begin + i] = static_cast<int32_t>((words[i] * range) >> 32);
  });
}

void permuted_indices(Cpu on, uint64_t stream, int32_t size, const uint64_t* cursor, int64_t count, int32_t* index) {
  const uint32_t period = static_cast<uint32_t>(size);
  const uint64_t epoch = *cursor / period, first = *cursor % period;
  constexpr int64_t kCost = 64;  // a position costs about as much as so many elements of other kernels
  for_rows(on, count, kCost, [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const uint32_t position = static_cast<uint32_t>(first) + static_cast<uint32_t>(i);
      index[i] = static_cast<int32_t>(permute_index(stream, epoch, period, position));
    }
  });
}

void advance(Cpu, uint64_t by, uint64_t* counter) {
  *counter += by;
}

}  // namespace tobogan::kernels
