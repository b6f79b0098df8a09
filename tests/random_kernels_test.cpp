// Random numbers: the published vectors, the element mapping, and the distributions at fixed seeds.
#include <algorithm>
#include <numeric>

#include "kernels/cpu/philox_vector.h"
#include "kernels/philox.h"
#include "kernels/random.h"
#include "tests/support/kernels.h"

namespace tobogan::kernels {
namespace {

TEST_CASE("philox 4x32-10 gives the vectors published with Random123") {
  const auto words = [](PhiloxWords c, uint32_t k0, uint32_t k1) {
    const PhiloxWords out = philox4x32(c, k0, k1);
    return std::vector<uint32_t>(out.word, out.word + 4);
  };
  const uint32_t all = 0xffffffff;
  CHECK(words({{0, 0, 0, 0}}, 0, 0) == std::vector<uint32_t>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(words({{all, all, all, all}}, all, all) ==
        std::vector<uint32_t>{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(words({{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}}, 0xa4093822, 0x299f31d0) ==
        std::vector<uint32_t>{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("many blocks at once have the words of single ones") {
  const uint64_t step = GENERATE(uint64_t{0}, uint64_t{7}, uint64_t{0xfedcba9876});
  const int64_t first = GENERATE(int64_t{0}, int64_t{1001}, (int64_t{1} << 32) - 3, (int64_t{1} << 40) - 64);
  const RandomKey key{.stream = 0x0123456789abcdef, .draw = 0xdeadbeef};
  std::vector<uint32_t> words(4 * 24);
  philox_words(key, step, first, 24, words.data());
  for (size_t i = 0; i < words.size(); ++i) {
    REQUIRE(words[i] == random_block(key.stream, key.draw, step, static_cast<uint64_t>(first) + i / 4).word[i % 4]);
  }
}

struct Key {
  uint64_t step = 5;
  RandomKey key{.stream = 42, .draw = 3, .step = &step};
};

// The distance between the distribution of the values and a given one.
template <class Cdf>
double kolmogorov_distance(Reals values, const Cdf& cdf) {
  std::sort(values.begin(), values.end());
  double worst = 0;
  const double count = static_cast<double>(values.size());
  for (size_t i = 0; i < values.size(); ++i) {
    const double f = cdf(static_cast<double>(values[i])), rank = static_cast<double>(i);
    worst = std::fmax(worst, std::fmax(f - rank / count, (rank + 1) / count - f));
  }
  return worst;
}

TEST_CASE("uniform: mapping, bounds, distribution") {
  const Key k;
  for (const int64_t count : {1, 3, 33, 1000003}) {
    const Reals y = same_for_any_threads([&](Cpu cpu) {
      Reals out(static_cast<size_t>(count));
      uniform(cpu, k.key, count, -1, 3, out.data());
      return out;
    });
    for (int64_t i = 0; i < count; i += 1 + count / 1000) {
      const uint32_t word = random_block(42, 3, 5, static_cast<uint64_t>(i / 4)).word[i % 4];
      REQUIRE(y[static_cast<size_t>(i)] == -1 + 4 * static_cast<Real>(uniform_from(word)));
    }
    if (count < 1000) continue;
    CHECK(*std::min_element(y.begin(), y.end()) >= -1);
    CHECK(*std::max_element(y.begin(), y.end()) < 3);
    CHECK(kolmogorov_distance(y, [](double v) { return (v + 1) / 4; }) < 1.63e-3);  // the 1 % point for 10^6
  }
}

TEST_CASE("uniform never reaches its upper bound by rounding") {
  const Key k;
  CpuMachine on(2);
  Reals y(1 << 22);
  uniform(on.tag(), k.key, 1 << 22, 1 << 20, (1 << 20) + 1, y.data());  // steps of 1/8 in float
  CHECK(*std::max_element(y.begin(), y.end()) < (1 << 20) + 1);
}

TEST_CASE("normal: moments, distribution, pairs") {
  const Key k;
  const int64_t count = 1000003;
  const Reals y = same_for_any_threads([&](Cpu cpu) {
    Reals out(static_cast<size_t>(count));
    normal(cpu, k.key, count, 2, 3, out.data());
    return out;
  });
  double moment[5] = {};
  double pairs = 0;
  for (size_t i = 0; i < y.size(); ++i) {
    const double z = (static_cast<double>(y[i]) - 2) / 3;
    for (int p = 1; p <= 4; ++p) moment[p] += std::pow(z, p) / static_cast<double>(count);
    if (i % 2 == 1) pairs += z * (static_cast<double>(y[i - 1]) - 2) / 3 / static_cast<double>(count / 2);
  }
  CHECK(std::fabs(moment[1]) < 0.004);
  CHECK(std::fabs(moment[2] - 1) < 0.006);
  CHECK(std::fabs(moment[3]) < 0.01);
  CHECK(std::fabs(moment[4] - 3) < 0.04);
  CHECK(std::fabs(pairs) < 0.006);
  CHECK(kolmogorov_distance(y, [](double v) { return 0.5 * std::erfc(-(v - 2) / 3 / std::sqrt(2.0)); }) < 1.63e-3);
  const PhiloxWords w = random_block(42, 3, 5, 10);
  const double radius = std::sqrt(-2 * std::log((w.word[2] + 0.5) * 0x1p-32));
  const double angle = 2 * M_PI * (w.word[3] * 0x1p-32);
  CHECK(static_cast<double>(y[42]) == Approx(2 + 3 * radius * std::cos(angle)).epsilon(1e-5));
  CHECK(static_cast<double>(y[43]) == Approx(2 + 3 * radius * std::sin(angle)).epsilon(1e-5));
}

TEST_CASE("draws differ by stream, draw and step") {
  CpuMachine on(2);
  uint64_t step = 0;
  const auto draw = [&](uint64_t stream, uint32_t number) {
    Reals y(100);
    uniform(on.tag(), {.stream = stream, .draw = number, .step = &step}, 100, 0, 1, y.data());
    return y;
  };
  const Reals first = draw(1, 0);
  CHECK(draw(1, 0) == first);
  CHECK(draw(2, 0) != first);
  CHECK(draw(1, 1) != first);
  advance(on.tag(), 3, &step);
  CHECK(step == 3);
  CHECK(draw(1, 0) != first);
}

TEST_CASE("random integers are evenly spread over 0..bound-1") {
  const Key k;
  const int32_t bound = GENERATE(1, 2, 10, 1000);
  const int64_t count = 100003;
  const auto index = same_for_any_threads([&](Cpu cpu) {
    std::vector<int32_t> out(static_cast<size_t>(count));
    random_integers(cpu, k.key, count, bound, out.data());
    return out;
  });
  std::vector<double> seen(static_cast<size_t>(bound));
  for (const int32_t i : index) {
    REQUIRE((i >= 0 && i < bound));
    ++seen[static_cast<size_t>(i)];
  }
  double chi = 0;
  const double mean = static_cast<double>(count) / bound;
  for (const double n : seen) chi += (n - mean) * (n - mean) / mean;
  CHECK(chi <= bound + 4 * std::sqrt(2.0 * bound));
}

TEST_CASE("every epoch is a permutation of its own") {
  for (const int32_t size : {1, 2, 3, 4, 5, 16, 17, 100, 255, 256, 257, 1000, 60000}) {
    std::vector<std::vector<int32_t>> epochs;
    for (uint64_t epoch = 0; epoch < 2; ++epoch) {
      epochs.push_back(same_for_any_threads([&](Cpu cpu) {
        std::vector<int32_t> out(static_cast<size_t>(size));
        const int32_t half = size / 2;  // in two calls, as batches ask
        uint64_t cursor = epoch * static_cast<uint64_t>(size);
        permuted_indices(cpu, 77, size, &cursor, half, out.data());
        advance(cpu, static_cast<uint64_t>(half), &cursor);
        permuted_indices(cpu, 77, size, &cursor, size - half, out.data() + half);
        return out;
      }));
      auto sorted = epochs.back();
      std::sort(sorted.begin(), sorted.end());
      std::vector<int32_t> all(static_cast<size_t>(size));
      std::iota(all.begin(), all.end(), 0);
      REQUIRE(sorted == all);
    }
    if (size >= 16) CHECK(epochs[0] != epochs[1]);
    if (size == 60000) {  // nothing is left of the order
      int64_t rising = 0;
      for (size_t i = 1; i < epochs[0].size(); ++i) rising += epochs[0][i] > epochs[0][i - 1];
      CHECK(std::abs(rising - 30000) < 400);
    }
  }
}

}  // namespace
}  // namespace tobogan::kernels
