// Activation with dropout, and normalisation with its way back, against plain loops in double.
#include "kernels/normalize.h"
#include "kernels/philox.h"
#include "tests/support/kernels.h"

namespace tobogan::kernels {
namespace {

struct Size {
  int64_t rows, columns;
};
// Few and many of both, around folds, pieces, chunks and tiles.
const std::vector<Size> kSizes = {{2, 1},      {3, 3},      {33, 10},   {64, 513},  {2, 12544},
                                  {64, 12544}, {200003, 3}, {1000, 64}, {5003, 65}, {300001, 1}};

struct Key {
  uint64_t step = 9;
  RandomKey key{.stream = 1234, .draw = 2, .step = &step};
};

// The 16-bit uniform of an element, as activation.h names it.
int half_word(const RandomKey& key, int64_t i) {
  const PhiloxWords block = random_block(key.stream, key.draw, *key.step, static_cast<uint64_t>(i / 8));
  return static_cast<int>((block.word[i % 8 / 2] >> (16 * (i % 2))) & 0xffff);
}

// The factor that the activation applies to v as element i: 0 where it is dropped.
double factor(const Activation& how, int64_t i, double v) {
  const double slope = v > 0 ? 1 : static_cast<double>(how.slope);
  if (how.dropout == 0) return slope;
  const int threshold = static_cast<int>(std::lround(static_cast<double>(how.dropout) * 65536));
  return half_word(how.key, i) >= threshold ? slope * 65536 / (65536 - threshold) : 0;
}

double at(const Reals& values, int64_t i) {
  return static_cast<double>(values[static_cast<size_t>(i)]);
}

TEST_CASE("activate: bias, slope and dropout") {
  const Key k;
  for (const Size& size : kSizes) {
    const int64_t count = size.rows * size.columns;
    const Reals x = test_values(count, 21), bias = test_values(size.columns, 22);
    for (const Activation& how : {Activation{}, Activation{.slope = Real(0.25)},
                                  Activation{.slope = Real(0.25), .dropout = Real(0.3), .key = k.key}}) {
      const Reals y = same_for_any_threads([&](Cpu cpu) {
        Reals in_place = x;
        activate(cpu, how, size.rows, size.columns, in_place.data(), bias.data(), in_place.data());
        return in_place;
      });
      CHECK(worst_error(y, [&](int64_t i) {
              const double v =
                  static_cast<double>(x[static_cast<size_t>(i)] + bias[static_cast<size_t>(i % size.columns)]);
              return v * factor(how, i, v);
            }) < 4 * kRounding);
    }
  }
}

TEST_CASE("the way back of an activation, from its result") {
  const Key k;
  CpuMachine on(2);
  const int64_t rows = 1001, columns = 33, count = rows * columns;
  Reals x = test_values(count, 23);
  for (size_t i = 0; i < x.size(); i += 5)
    x[i] = i % 2 == 0 ? Real(0) : Real(-0.0);  // a kept zero is not a dropped one
  const Reals dy = test_values(count, 24);
  for (const Real slope : {Real(0), Real(0.25), Real(1)}) {
    for (const Real dropout : {Real(0), Real(0.5)}) {
      const Activation how{.slope = slope, .dropout = dropout, .key = k.key};
      Reals y(x.size()), dx = dy;
      activate(on.tag(), how, rows, columns, x.data(), nullptr, y.data());
      activate_grad(on.tag(), how, rows, columns, dx.data(), y.data(), dx.data());
      CHECK(worst_error(dx, [&](int64_t i) { return at(dy, i) * factor(how, i, at(x, i)); }) < 4 * kRounding);

      Reals again = dy, dbias(static_cast<size_t>(columns));
      activate_grad(on.tag(), how, rows, columns, again.data(), y.data(), again.data(), dbias.data());
      CHECK(again == dx);
      CHECK(worst_error(dbias, [&](int64_t c) {
              double sum = 0;
              for (int64_t r = 0; r < rows; ++r) sum += at(dx, r * columns + c);
              return sum;
            }) < 64 * kRounding);  // a few rows are added up in Real
    }
  }
}

TEST_CASE("dropout keeps its share, differs between steps, and its mean is one") {
  CpuMachine on(2);
  Key k;
  const int64_t count = 1000000;
  const Reals ones(static_cast<size_t>(count), Real(1));
  for (const Real rate : {Real(0.1), Real(0.5), Real(0.9)}) {
    const Activation how{.dropout = rate, .key = k.key};
    Reals y(ones.size()), next(ones.size());
    activate(on.tag(), how, 1000, 1000, ones.data(), nullptr, y.data());
    const double dropped = static_cast<double>(std::count(y.begin(), y.end(), Real(0))) / static_cast<double>(count);
    const double p = static_cast<double>(rate), deviation = std::sqrt(p * (1 - p) / static_cast<double>(count));
    CHECK(std::fabs(dropped - p) < 4 * deviation + 1.0 / 65536);
    double mean = 0;
    for (const Real v : y) mean += static_cast<double>(v) / static_cast<double>(count);
    CHECK(std::fabs(mean - 1) < 5 * deviation / (1 - p));
    ++k.step;
    activate(on.tag(), how, 1000, 1000, ones.data(), nullptr, next.data());
    CHECK(next != y);
  }
}

struct Moments {
  std::vector<double> mean, variance;
};

Moments plain_moments(const Size& size, const Reals& x) {
  const auto columns = static_cast<size_t>(size.columns);
  Moments m{std::vector<double>(columns), std::vector<double>(columns)};
  const double rows = static_cast<double>(size.rows);
  for (size_t i = 0; i < x.size(); ++i) m.mean[i % columns] += static_cast<double>(x[i]) / rows;
  for (size_t i = 0; i < x.size(); ++i) {
    const double d = static_cast<double>(x[i]) - m.mean[i % columns];
    m.variance[i % columns] += d * d / rows;
  }
  return m;
}

TEST_CASE("column moments, also far from zero") {
  for (const Size& size : kSizes) {
    for (const Real center : {Real(0), Real(1000)}) {  // at 1000 a difference of squares in float would lose everything
      Reals x = test_values(size.rows * size.columns, 25);
      for (Real& v : x) v += center;
      const Moments want = plain_moments(size, x);
      const auto columns = static_cast<size_t>(size.columns);
      const Reals got = same_for_any_threads([&](Cpu cpu) {
        Reals all(3 * columns);
        column_moments(cpu, size.rows, size.columns, x.data(),
                       {Real(1e-5), all.data(), all.data() + columns, all.data() + 2 * columns});
        return all;
      });
      const Reals mean(got.begin(), got.begin() + size.columns);
      const Reals variance(got.begin() + size.columns, got.begin() + 2 * size.columns);
      const Reals scale(got.begin() + 2 * size.columns, got.end());
      INFO(size.rows << " x " << size.columns << " around " << center);
      CHECK(worst_error(mean, [&](int64_t c) { return want.mean[static_cast<size_t>(c)]; }) < 4 * kRounding);
      CHECK(worst_error(
                variance, [&](int64_t c) { return want.variance[static_cast<size_t>(c)]; }, 0.1) < 8 * kRounding);
      CHECK(worst_error(scale, [&](int64_t c) { return 1 / std::sqrt(at(variance, c) + 1e-5); }) < 8 * kRounding);
    }
  }
}

// Everything that normalisation reads and writes.
struct Case {
  Size size;
  Activation how;
  Reals x, dy, gamma, beta, mean, scale;

  Case(Size size, const Activation& how) : size(size), how(how) {
    x = test_values(size.rows * size.columns, 26, -1, 3);
    dy = test_values(size.rows * size.columns, 27);
    gamma = test_values(size.columns, 28, 0.5, 1.5);
    beta = test_values(size.columns, 29);
    mean = scale = Reals(static_cast<size_t>(size.columns));
    CpuMachine on(1);
    Reals variance(mean.size());
    column_moments(on.tag(), size.rows, size.columns, x.data(),
                   {Real(1e-5), mean.data(), variance.data(), scale.data()});
    inverse_deviation(on.tag(), size.columns, Real(1e-5), variance.data(), scale.data());
    CHECK(worst_error(scale, [&](int64_t c) { return 1 / std::sqrt(at(variance, c) + 1e-5); }) < 8 * kRounding);
  }
  double normal(int64_t i) const {
    const int64_t c = i % size.columns;
    return (at(x, i) - at(mean, c)) * at(scale, c);
  }
  double before_activation(int64_t i) const {
    return at(gamma, i % size.columns) * normal(i) + at(beta, i % size.columns);
  }
};

TEST_CASE("normalize, fused with an activation") {
  const Key k;
  for (const Size& size : kSizes) {
    if (size.rows < 3) continue;
    const Case c(size, {.slope = Real(0.2), .dropout = Real(0.25), .key = k.key});
    const Reals y = same_for_any_threads([&](Cpu cpu) {
      Reals out = c.x;
      normalize(cpu, c.how, size.rows, size.columns, out.data(), c.mean.data(), c.scale.data(), c.gamma.data(),
                c.beta.data(), out.data());
      return out;
    });
    CHECK(worst_error(y, [&](int64_t i) {
            const double v = c.before_activation(i);
            return v * factor(c.how, i, v);
          }) < 16 * kRounding);
  }
}

TEST_CASE("normalize without gamma and beta") {
  CpuMachine on(2);
  const Case c({1000, 65}, {});
  Reals y(c.x.size());
  normalize(on.tag(), c.how, 1000, 65, c.x.data(), c.mean.data(), c.scale.data(), nullptr, nullptr, y.data());
  CHECK(worst_error(y, [&](int64_t i) { return c.normal(i); }) < 8 * kRounding);
}

TEST_CASE("the way back of normalize") {
  const Key k;
  for (const Size& size : kSizes) {
    if (size.rows < 3) continue;
    const auto columns = static_cast<size_t>(size.columns);
    for (const bool with_gamma : {true, false}) {
      Case c(size, {.slope = Real(0.2), .dropout = Real(0.25), .key = k.key});
      if (!with_gamma) c.gamma.assign(columns, Real(1));
      const Real* gamma = with_gamma ? c.gamma.data() : nullptr;
      Reals y(c.x.size());
      const Reals all = same_for_any_threads([&](Cpu cpu) {
        Reals out = c.dy;  // dx, then dgamma and dbeta
        out.resize(out.size() + 2 * columns);
        normalize(cpu, c.how, size.rows, size.columns, c.x.data(), c.mean.data(), c.scale.data(), gamma, c.beta.data(),
                  y.data());
        normalize_grad(cpu, c.how, size.rows, size.columns, out.data(), c.x.data(), y.data(), c.mean.data(),
                       c.scale.data(), gamma, out.data(), out.data() + c.x.size(), out.data() + c.x.size() + columns);
        return out;
      });

      const auto g = [&](int64_t i) { return at(c.dy, i) * factor(c.how, i, at(y, i)); };
      std::vector<double> dgamma(columns), dbeta(columns);
      for (int64_t i = 0; i < size.rows * size.columns; ++i) {
        dgamma[static_cast<size_t>(i % size.columns)] += g(i) * c.normal(i);
        dbeta[static_cast<size_t>(i % size.columns)] += g(i);
      }
      const double rows = static_cast<double>(size.rows);
      const auto end = all.begin() + static_cast<std::ptrdiff_t>(c.x.size());
      INFO(size.rows << " x " << size.columns);
      CHECK(worst_error(Reals(all.begin(), end), [&](int64_t i) {
              const int64_t col = i % size.columns;
              const auto column = static_cast<size_t>(col);
              return at(c.gamma, col) * at(c.scale, col) *
                     (g(i) - dbeta[column] / rows - c.normal(i) * dgamma[column] / rows);
            }) < 32 * kRounding);
      const double room = 1 + 0.05 * rows;  // terms of both signs: an error is measured against their number
      CHECK(worst_error(
                Reals(end, end + size.columns), [&](int64_t i) { return dgamma[static_cast<size_t>(i)]; }, room) <
            16 * kRounding);
      CHECK(worst_error(
                Reals(end + size.columns, all.end()), [&](int64_t i) { return dbeta[static_cast<size_t>(i)]; }, room) <
            16 * kRounding);
    }
  }
}

TEST_CASE("running statistics") {
  CpuMachine on(1);
  const Reals x = {0, -1, 2, 2, 5, 4};  // two rows: mean 1, 2, 3, biased variance 1, 9, 1
  Reals mean(3), variance(3), scale(3), running_mean = {10, 20, 30}, running_variance = {0, 4, 8};
  column_moments(
      on.tag(), 2, 3, x.data(),
      {Real(1e-5),
       mean.data(),
       variance.data(),
       scale.data(),
       {.keep = Real(0.75), .correction = 2, .mean = running_mean.data(), .variance = running_variance.data()}});
  CHECK(running_mean == Reals{7.75, 15.5, 23.25});
  CHECK(running_variance == Reals{0.5, 7.5, 6.5});
}

}  // namespace
}  // namespace tobogan::kernels
