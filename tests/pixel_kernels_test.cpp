// Pooling, resampling and gathering against plain loops.
#include <numeric>

#include "kernels/gather.h"
#include "kernels/pool.h"
#include "kernels/resample.h"
#include "tests/support/kernels.h"
#include "tests/support/pool_cases.h"

namespace tobogan::kernels {
namespace {

// Calls f(window, pixel) for all pixels of all windows in order.
template <class F>
void for_windows(const PoolDims& d, F f) {
  for (int i = 0; i < d.out_h; ++i)
    for (int j = 0; j < d.out_w; ++j)
      for (int u = 0; u < d.kernel_h; ++u)
        for (int v = 0; v < d.kernel_w; ++v) {
          const int r = i * d.stride_h + u - d.pad_top, c = j * d.stride_w + v - d.pad_left;
          if (r >= 0 && r < d.in_h && c >= 0 && c < d.in_w) f(i * d.out_w + j, r * d.in_w + c);
        }
}

TEST_CASE("max pooling and the maps along its choices") {
  const PoolDims d =
      GENERATE(two_by_two(700), overlapping(3),
               PoolDims{.block = 4097, .in_h = 5, .in_w = 5, .out_h = 3, .out_w = 4, .kernel_h = 3, .kernel_w = 2},
               PoolDims{.block = 5,
                        .in_h = 9,
                        .in_w = 4,
                        .out_h = 3,
                        .out_w = 2,
                        .kernel_h = 1,
                        .kernel_w = 2,
                        .stride_h = 3,
                        .stride_w = 2});
  const int64_t in = d.block * d.in_h * d.in_w, out = d.block * d.out_h * d.out_w;
  Reals x = test_values(in, 31);
  for (Real& v : x) v = std::round(4 * v) / 4;  // many equals
  const Reals dy = test_values(out, 32);

  std::vector<Real> want(static_cast<size_t>(out), -HUGE_VALF);
  std::vector<int32_t> want_choice(want.size(), -1);
  for_windows(d, [&](int window, int pixel) {
    for (int64_t e = 0; e < d.block; ++e) {
      const auto o = static_cast<size_t>(window * d.block + e);
      const Real v = x[static_cast<size_t>(pixel * d.block + e)];
      if (v > want[o]) want[o] = v, want_choice[o] = pixel;
    }
  });

  std::vector<int32_t> choice(want.size());
  const Reals y = same_for_any_threads([&](Cpu cpu) {
    Reals result(want.size());
    max_pool2d(cpu, d, x.data(), result.data(), choice.data());
    return result;
  });
  CHECK(y == want);
  CHECK(choice == want_choice);

  CpuMachine on(2);
  Reals gathered(want.size());
  pool_gather(on.tag(), d, x.data(), choice.data(), gathered.data());
  CHECK(gathered == want);

  const Reals dx = same_for_any_threads([&](Cpu cpu) {
    Reals result(x.size(), Real(7));
    pool_scatter(cpu, d, dy.data(), choice.data(), result.data());
    return result;
  });
  std::vector<double> want_dx(x.size());
  for (size_t o = 0; o < want.size(); ++o) {
    const size_t e = o % static_cast<size_t>(d.block);
    want_dx[static_cast<size_t>(choice[o]) * static_cast<size_t>(d.block) + e] += static_cast<double>(dy[o]);
  }
  CHECK(worst_error(dx, [&](int64_t i) { return want_dx[static_cast<size_t>(i)]; }) < 8 * kRounding);
}

TEST_CASE("a maximum that is not a number shows") {
  CpuMachine on(1);
  const PoolDims d{.block = 1, .in_h = 1, .in_w = 4, .out_h = 1, .out_w = 1, .kernel_h = 1, .kernel_w = 4};
  const Reals x = {1, std::numeric_limits<Real>::quiet_NaN(), 3, 2};
  Reals y(1);
  std::vector<int32_t> choice(1);
  max_pool2d(on.tag(), d, x.data(), y.data(), choice.data());
  CHECK(std::isnan(y[0]));
  CHECK(choice[0] == 1);
}

// An axis map of so many terms per output (0 and up), with its matrix beside it.
AxisMap axis_map(int in, int out, uint64_t seed) {
  AxisMap map{.in = in, .first = {0}, .terms = {}};
  for (int i = 0; i < out; ++i) {
    const PhiloxWords w = random_block(seed, 0, 0, static_cast<uint64_t>(i));
    for (uint32_t k = 0; k < w.word[0] % 4; ++k) {
      const Real weight = k == 0 && w.word[1] % 2 == 0 ? Real(1) : static_cast<Real>(uniform_from(w.word[2] + k));
      map.terms.push_back({static_cast<int>((w.word[3] + k) % static_cast<uint32_t>(in)), weight});
    }
    map.first.push_back(static_cast<int>(map.terms.size()));
  }
  return map;
}

TEST_CASE("resampling is the product of two axis maps") {
  const int64_t block = GENERATE(1, 3, 33, 5000);
  const AxisMap rows = axis_map(5, 11, 1), columns = axis_map(7, 9, 2);
  const Reals x = test_values(rows.in * columns.in * block, 33);
  const int64_t size = rows.out() * columns.out() * block;
  const Reals y = same_for_any_threads([&](Cpu cpu) {
    Reals out(static_cast<size_t>(size), Real(7));
    resample(cpu, rows, columns, block, x.data(), out.data());
    return out;
  });
  size_t empty = 0, copied = 0;
  CHECK(worst_error(y, [&](int64_t flat) {
          const auto i = static_cast<size_t>(flat / block / columns.out()),
                     j = static_cast<size_t>(flat / block % columns.out());
          double sum = 0;
          int terms = 0;
          for (int r = rows.first[i]; r < rows.first[i + 1]; ++r) {
            for (int c = columns.first[j]; c < columns.first[j + 1]; ++c, ++terms) {
              const auto& a = rows.terms[static_cast<size_t>(r)];
              const auto& b = columns.terms[static_cast<size_t>(c)];
              sum += static_cast<double>(a.weight) * static_cast<double>(b.weight) *
                     static_cast<double>(
                         x[static_cast<size_t>((a.source * columns.in + b.source) * block + flat % block)]);
            }
          }
          empty += terms == 0;
          copied += terms == 1;
          return sum;
        }) < 8 * kRounding);
  CHECK(empty > 0);  // the maps exercise fills and copies
  CHECK(copied > 0);
}

TEST_CASE("rows by index, and back") {
  const int64_t rows = GENERATE(1, 33, 3000), columns = GENERATE(1, 10, 300), entries = 17;
  const Reals table = test_values(entries * columns, 34), y = test_values(rows * columns, 35);
  std::vector<int32_t> index(static_cast<size_t>(rows));
  for (size_t r = 0; r < index.size(); ++r) index[r] = static_cast<int32_t>(random_block(1, 0, 0, r).word[0] % entries);
  CpuMachine on(3);
  Reals picked(y.size());
  gather_rows(on.tag(), rows, columns, table.data(), index.data(), picked.data());
  CHECK(worst_error(picked, [&](int64_t i) {
          return table[static_cast<size_t>(index[static_cast<size_t>(i / columns)] * columns + i % columns)];
        }) == 0);

  std::vector<double> want(table.size());
  for (int64_t i = 0; i < rows * columns; ++i) {
    want[static_cast<size_t>(index[static_cast<size_t>(i / columns)] * columns + i % columns)] +=
        static_cast<double>(y[static_cast<size_t>(i)]);
  }
  const Reals added = same_for_any_threads([&](Cpu cpu) {
    Reals out(table.size(), Real(7));
    scatter_add_rows(cpu, rows, columns, entries, y.data(), index.data(), out.data());
    return out;
  });
  CHECK(worst_error(added, [&](int64_t i) { return want[static_cast<size_t>(i)]; }) < 256 * kRounding);
}

TEST_CASE("one column of each row, its adjoint, and labels") {
  CpuMachine on(2);
  const int64_t rows = 20000, columns = 10;
  const Reals x = test_values(rows * columns, 36);
  std::vector<int32_t> index(static_cast<size_t>(rows));
  for (size_t r = 0; r < index.size(); ++r) index[r] = static_cast<int32_t>(r * r % 10);
  Reals y(index.size()), placed(x.size(), Real(7));
  pick_columns(on.tag(), rows, columns, x.data(), index.data(), y.data());
  place_columns(on.tag(), rows, columns, y.data(), index.data(), placed.data());
  CHECK(worst_error(placed, [&](int64_t i) {
          return i % columns == index[static_cast<size_t>(i / columns)] ? x[static_cast<size_t>(i)] : Real(0);
        }) == 0);
  const std::vector<int32_t> labels = {5, 6, 7, 8, 9, 10, 11, 12, 13, 14};
  std::vector<int32_t> picked(index.size());
  gather_labels(on.tag(), rows, labels.data(), index.data(), picked.data());
  for (size_t r = 0; r < index.size(); ++r) REQUIRE(picked[r] == index[r] + 5);
}

TEST_CASE("images from bytes to pixel-major numbers") {
  const ImageDims d =
      GENERATE(ImageDims{1, 1, 1, 1}, ImageDims{64, 1, 28, 28}, ImageDims{33, 3, 7, 5}, ImageDims{2, 3, 64, 65});
  const int64_t images = 40, area = d.height * d.width;
  std::vector<uint8_t> pixels(static_cast<size_t>(images * d.channels * area));
  for (size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<uint8_t>(random_block(3, 0, 0, i).word[0]);
  std::vector<int32_t> index(static_cast<size_t>(d.count));
  for (size_t n = 0; n < index.size(); ++n) index[n] = static_cast<int32_t>((n * 7 + 3) % static_cast<size_t>(images));
  const Reals y = same_for_any_threads([&](Cpu cpu) {
    Reals out(static_cast<size_t>(d.count * d.channels * area));
    gather_images(cpu, d, Real(2.0 / 255), -1, pixels.data(), index.data(), out.data());
    return out;
  });
  CHECK(worst_error(y, [&](int64_t i) {
          const int64_t c = i % d.channels, n = i / d.channels % d.count, pixel = i / d.channels / d.count;
          const auto byte = static_cast<size_t>((index[static_cast<size_t>(n)] * d.channels + c) * area + pixel);
          return pixels[byte] * 2.0 / 255 - 1;
        }) < 4 * kRounding);
}

}  // namespace
}  // namespace tobogan::kernels
