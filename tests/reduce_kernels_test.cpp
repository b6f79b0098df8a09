// Sums, arg max and log-softmax against plain loops in double.
#include "kernels/reduce.h"
#include "kernels/softmax.h"
#include "tests/support/kernels.h"

namespace tobogan::kernels {
namespace {

std::vector<double> plain_sum(const Extents& extents, const std::array<bool, 4>& keep, const Reals& x) {
  const auto& n = extents.size;
  size_t kept = 1;
  for (size_t axis = 0; axis < 4; ++axis) kept *= keep[axis] ? static_cast<size_t>(n[axis]) : 1;
  std::vector<double> y(kept);
  size_t flat = 0;
  std::array<int64_t, 4> at{};
  for (at[0] = 0; at[0] < n[0]; ++at[0])
    for (at[1] = 0; at[1] < n[1]; ++at[1])
      for (at[2] = 0; at[2] < n[2]; ++at[2])
        for (at[3] = 0; at[3] < n[3]; ++at[3]) {
          int64_t to = 0;
          for (size_t axis = 0; axis < 4; ++axis) to = keep[axis] ? to * n[axis] + at[axis] : to;
          y[static_cast<size_t>(to)] += static_cast<double>(x[flat++]);
        }
  return y;
}

TEST_CASE("sums over any set of axes") {
  const std::vector<Extents> shapes = {{{1, 1, 1, 1}},   {{1, 1, 1, 3}},      {{1, 1, 33, 1}},      {{2, 3, 4, 5}},
                                       {{7, 7, 64, 3}},  {{1, 1, 64, 4097}},  {{1, 1, 60001, 3}},   {{1, 1, 3, 40000}},
                                       {{5, 9, 33, 63}}, {{1, 1, 30000, 65}}, {{1, 1, 1, 1000003}}, {{0, 1, 1, 3}}};
  for (const Extents& extents : shapes) {
    const Reals x = test_values(extents.count(), 11, -0.5, 1.5);
    for (int mask = 0; mask < 16; ++mask) {
      const std::array<bool, 4> keep{(mask & 1) != 0, (mask & 2) != 0, (mask & 4) != 0, (mask & 8) != 0};
      const auto want = plain_sum(extents, keep, x);
      const Reals y = same_for_any_threads([&](Cpu cpu) {
        Reals out(want.size(), Real(-1));
        sum(cpu, extents, keep, x.data(), out.data());
        return out;
      });
      INFO("shape " << extents.size[0] << " " << extents.size[1] << " " << extents.size[2] << " " << extents.size[3]
                    << " keep " << mask);
      REQUIRE(worst_error(y, [&](int64_t i) { return want[static_cast<size_t>(i)]; }) < 6 * kRounding);
    }
  }
}

TEST_CASE("arg max takes the first of equals") {
  CpuMachine on(3);
  const Reals x = {1, 3, 3, 2, 2, 2, -1, -5, -1};
  std::vector<int32_t> index(3);
  argmax_rows(on.tag(), 3, 3, x.data(), index.data());
  CHECK(index == std::vector<int32_t>{1, 0, 0});
  const Reals large = test_values(20000 * 10, 13);
  index.resize(20000);
  argmax_rows(on.tag(), 20000, 10, large.data(), index.data());
  for (size_t row = 0; row < 20000; ++row) {
    const auto* line = large.data() + row * 10;
    REQUIRE(index[row] == std::max_element(line, line + 10) - line);
  }
}

TEST_CASE("log-softmax, also of large numbers") {
  for (const int64_t columns : {1, 2, 10, 33, 1000}) {
    const int64_t rows = 37;
    Reals x = test_values(rows * columns, 14, -20, 20);
    for (int64_t c = 0; c < columns; ++c) x[static_cast<size_t>(c)] += 5000;  // e^5000 does not exist
    const Reals y = same_for_any_threads([&](Cpu cpu) {
      Reals out(x.size());
      log_softmax(cpu, rows, columns, x.data(), out.data());
      return out;
    });
    CHECK(worst_error(y, [&](int64_t i) {
            const Real* line = x.data() + i / columns * columns;
            const double largest = static_cast<double>(*std::max_element(line, line + columns));
            double total = 0;
            for (int64_t c = 0; c < columns; ++c) total += std::exp(static_cast<double>(line[c]) - largest);
            return static_cast<double>(x[static_cast<size_t>(i)]) - largest - std::log(total);
          }) < 4 * kRounding);
  }
}

}  // namespace
}  // namespace tobogan::kernels
