// Random numbers for data: which images are drawn, how each is deformed.  They must be the same on every machine and in
// every year, because a published table rests on them, so nothing here comes from <random>'s distributions, whose
// results are the library's own affair.
//
// A Draws is a counter hashed by SplitMix64's finalizer: (seed, name of the purpose, item) give its start.  Image 17 of
// a set therefore looks the same whether or not image 16 was made, and a new purpose disturbs no old one.
#pragma once
#include <bit>
#include <cstdint>
#include <string_view>

namespace tobogan {

class Draws {
 public:
  Draws(uint64_t seed, std::string_view purpose, uint64_t item = 0)
      : state_(mix(mix(mix(seed) ^ name_hash(purpose)) ^ item)) {}

  uint64_t bits() { return mix(state_ += 0x9e3779b97f4a7c15u); }

  // Uniform on 0..limit-1 without bias: values beyond the limit are drawn again.  REQUIRES: limit > 0.
  uint64_t below(uint64_t limit) {
    const uint64_t mask = ~uint64_t{0} >> std::countl_zero(limit | 1);
    uint64_t value = bits() & mask;
    while (value >= limit) value = bits() & mask;
    return value;
  }

  // Uniform on [0, 1), a multiple of 2^-53.
  double uniform() { return static_cast<double>(bits() >> 11) * 0x1p-53; }
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  bool chance(double probability) { return uniform() < probability; }

  // Mean 0, standard deviation 1, never beyond 6: the sum of twelve uniform numbers.  Logarithms are left out on
  // purpose, for their last bit depends on the C library.
  double normal() {
    double sum = -6;
    for (int word = 0; word < 3; ++word) {
      const uint64_t four = bits();
      for (int shift = 0; shift < 64; shift += 16) sum += (static_cast<double>(four >> shift & 0xffff) + 0.5) * 0x1p-16;
    }
    return sum;
  }

 private:
  static constexpr uint64_t mix(uint64_t x) {
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
  }

  static constexpr uint64_t name_hash(std::string_view name) {  // FNV-1a
    uint64_t hash = 0xcbf29ce484222325u;
    for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
    return hash;
  }

  uint64_t state_;
};

}  // namespace tobogan
