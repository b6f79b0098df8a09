// Elementwise kernels against plain loops in double; the transcendental functions over the whole range of floats.
#include <bit>
#include <limits>

#include "kernels/activation.h"
#include "kernels/cpu/vector_math.h"
#include "kernels/elementwise.h"
#include "tests/support/kernels.h"

namespace tobogan::kernels {
namespace {

// Sizes around vectors, pieces and chunks.
const std::vector<int64_t> kCounts = {0, 1, 3, 8, 33, 511, 513, 16384, 16385, 1000003};

// The largest error in units of the last place of the true value, over floats in [low, high] by their bit patterns.
template <class F, class G>
double worst_ulp(F f, G truth, float low, float high) {
  double worst = 0;
  for (uint64_t bits = 0; bits < (uint64_t{1} << 32); bits += 4001) {
    const float x = std::bit_cast<float>(static_cast<uint32_t>(bits));
    if (!(x >= low && x <= high)) continue;
    const double want = truth(static_cast<double>(x)), size = std::fabs(want);
    if (size < std::numeric_limits<float>::min() || size > std::numeric_limits<float>::max()) continue;
    const double ulp = std::ldexp(1.0, std::ilogb(size) - 23);
    const double error = std::fabs(static_cast<double>(f(x)) - want) / ulp;
    if (!(error <= worst)) worst = error;
  }
  return worst;
}

TEST_CASE("transcendental functions are within two units in the last place") {
  namespace vm = vector_math;
  constexpr float kMost = std::numeric_limits<float>::max();
  const auto sigmoid = [](double x) { return 1 / (1 + std::exp(-x)); };
  const auto softplus = [](double x) { return std::fmax(x, 0.0) + std::log1p(std::exp(-std::fabs(x))); };
  CHECK(worst_ulp([](float x) { return vm::exp(x); }, [](double x) { return std::exp(x); }, -kMost, kMost) < 2);
  CHECK(worst_ulp([](float x) { return vm::log(x); }, [](double x) { return std::log(x); }, 0, kMost) < 2);
  CHECK(worst_ulp([](float x) { return vm::tanh(x); }, [](double x) { return std::tanh(x); }, -kMost, kMost) < 2);
  CHECK(worst_ulp([](float x) { return vm::sigmoid(x); }, sigmoid, -kMost, kMost) < 2.5);
  CHECK(worst_ulp([](float x) { return vm::softplus(x); }, softplus, -kMost, kMost) < 2);
}

TEST_CASE("transcendental functions at the ends of the number line") {
  namespace vm = vector_math;
  const Real infinity = std::numeric_limits<Real>::infinity(), nan = std::numeric_limits<Real>::quiet_NaN();
  CHECK(vm::exp(infinity) == infinity);
  CHECK(vm::exp(-infinity) == 0);
  CHECK(vm::exp(Real(0)) == 1);
  CHECK(vm::log(Real(0)) == -infinity);
  CHECK(vm::log(infinity) == infinity);
  CHECK(vm::log(Real(1)) == 0);
  CHECK(std::isnan(vm::log(Real(-1))));
  CHECK(vm::log(std::numeric_limits<float>::denorm_min()) == Approx(-103.2789).epsilon(1e-6));
  CHECK(vm::tanh(infinity) == 1);
  CHECK(vm::tanh(-infinity) == -1);
  CHECK(vm::sigmoid(infinity) == 1);
  CHECK(vm::sigmoid(-infinity) == 0);
  CHECK(vm::softplus(infinity) == infinity);
  CHECK(vm::softplus(-infinity) == 0);
  for (Real y : {vm::exp(nan), vm::log(nan), vm::tanh(nan), vm::sigmoid(nan), vm::softplus(nan)}) CHECK(std::isnan(y));
}

TEST_CASE("sine and cosine of a turn") {
  double worst = 0;
  for (uint64_t turn = 0; turn < (uint64_t{1} << 32); turn += 10007) {
    float sine, cosine;
    vector_math::sine_cosine(static_cast<uint32_t>(turn), &sine, &cosine);
    const double angle = static_cast<double>(turn) * 0x1p-31 * M_PI;
    worst = std::fmax(worst, std::fabs(static_cast<double>(sine) - std::sin(angle)));
    worst = std::fmax(worst, std::fabs(static_cast<double>(cosine) - std::cos(angle)));
  }
  CHECK(worst < 1.5e-7);
}

TEST_CASE("unary kernels") {
  using Truth = double (*)(double);
  struct Row {
    Unary op;
    double low;
    Truth truth;
  };
  const Row row = GENERATE(Row{Unary::kExp, -5, [](double x) { return std::exp(x); }},
                           Row{Unary::kLog, 0.01, [](double x) { return std::log(x); }},
                           Row{Unary::kSqrt, 0, [](double x) { return std::sqrt(x); }},
                           Row{Unary::kTanh, -5, [](double x) { return std::tanh(x); }},
                           Row{Unary::kSigmoid, -5, [](double x) { return 1 / (1 + std::exp(-x)); }},
                           Row{Unary::kSoftplus, -5, [](double x) { return std::log1p(std::exp(x)); }},
                           Row{Unary::kAbs, -5, [](double x) { return std::fabs(x); }},
                           Row{Unary::kSign, -5, [](double x) { return x > 0   ? 1.0
                                                                       : x < 0 ? -1.0
                                                                               : 0.0; }},
                           Row{Unary::kReciprocal, 0.1, [](double x) { return 1 / x; }});
  for (const int64_t count : kCounts) {
    Reals x = test_values(count, 1, row.low, 5);
    if (count == 33 && row.op == Unary::kSign) x[7] = 0;
    const auto y = same_for_any_threads([&](Cpu cpu) {
      Reals in_place = x;
      unary(cpu, row.op, count, in_place.data(), in_place.data());
      return in_place;
    });
    CHECK(worst_error(
              y, [&](int64_t i) { return row.truth(static_cast<double>(x[static_cast<size_t>(i)])); }, 0.1) <
          8 * kRounding);
  }
}

TEST_CASE("fill, copy, affine, clamp and its gradient") {
  CpuMachine on(3);
  for (const int64_t count : kCounts) {
    const Reals x = test_values(count, 2), dy = test_values(count, 3);
    const auto at = [](const Reals& v, int64_t i) { return v[static_cast<size_t>(i)]; };
    Reals y(x.size());
    fill(on.tag(), count, Real(1.5), y.data());
    CHECK(worst_error(y, [](int64_t) { return 1.5; }) == 0);
    copy(on.tag(), count, x.data(), y.data());
    CHECK(y == x);
    affine(on.tag(), count, 3, -1, x.data(), y.data());
    CHECK(worst_error(y, [&](int64_t i) { return 3 * static_cast<double>(at(x, i)) - 1; }) < 4 * kRounding);
    clamp(on.tag(), count, -1, Real(0.5), x.data(), y.data());
    CHECK(worst_error(y, [&](int64_t i) { return std::fmin(std::fmax(at(x, i), Real(-1)), Real(0.5)); }) == 0);
    clamp_grad(on.tag(), count, -1, Real(0.5), dy.data(), x.data(), y.data());
    CHECK(worst_error(y, [&](int64_t i) { return at(x, i) > -1 && at(x, i) < Real(0.5) ? at(dy, i) : Real(0); }) == 0);
    activate_grad(on.tag(), {.tanh = true}, count, 1, dy.data(), x.data(), y.data());
    CHECK(worst_error(y, [&](int64_t i) {
            const double t = static_cast<double>(at(x, i));
            return static_cast<double>(at(dy, i)) * (1 - t * t);
          }) < 4 * kRounding);
  }
}

// Every way of telling two operands how they lie: dense, permuted, and repeated along any set of axes.
Strides dense(const std::array<int64_t, 4>& size, const std::array<int, 4>& order, int repeated_axes) {
  Strides strides;
  int64_t step = 1;
  for (int i = 3; i >= 0; --i) {
    const auto axis = static_cast<size_t>(order[static_cast<size_t>(i)]);
    if ((repeated_axes >> axis) & 1) continue;
    strides.step[axis] = step;
    step *= size[axis];
  }
  return strides;
}

template <class F>
void for_each_index(const Extents& extents, F f) {
  const auto& n = extents.size;
  std::array<int64_t, 4> at{};
  for (at[0] = 0; at[0] < n[0]; ++at[0])
    for (at[1] = 0; at[1] < n[1]; ++at[1])
      for (at[2] = 0; at[2] < n[2]; ++at[2])
        for (at[3] = 0; at[3] < n[3]; ++at[3]) f(at);
}

int64_t offset(const Strides& strides, const std::array<int64_t, 4>& at) {
  int64_t sum = 0;
  for (size_t axis = 0; axis < 4; ++axis) sum += strides.step[axis] * at[axis];
  return sum;
}

const std::vector<Extents> kShapes = {{{1, 1, 1, 1}},   {{1, 1, 1, 7}},    {{1, 1, 5, 3}},
                                      {{2, 3, 4, 5}},   {{5, 7, 4, 1}},    {{9, 11, 17, 3}},
                                      {{3, 2, 33, 64}}, {{1, 1, 700, 65}}, {{4, 1, 1, 9000}}};
const std::vector<std::array<int, 4>> kOrders = {{0, 1, 2, 3}, {3, 2, 1, 0}, {2, 3, 0, 1}, {0, 2, 3, 1}, {1, 0, 3, 2}};

TEST_CASE("binary kernels broadcast and permute") {
  CpuMachine on(3);
  for (const Extents& extents : kShapes) {
    const Reals a = test_values(extents.count(), 4, 1, 2), b = test_values(extents.count(), 5, 1, 2);
    Reals y(a.size());
    for (int mask = 0; mask < 256; ++mask) {
      const auto& order = kOrders[static_cast<size_t>(mask) % kOrders.size()];
      const Strides sa = dense(extents.size, mask % 3 == 0 ? order : kOrders[0], mask & 15);
      const Strides sb = dense(extents.size, mask % 3 == 1 ? order : kOrders[0], mask >> 4);
      const Binary op = static_cast<Binary>(mask % 4);
      binary(on.tag(), op, extents, a.data(), sa, b.data(), sb, y.data());
      size_t i = 0, wrong = 0;
      for_each_index(extents, [&](const auto& at) {
        const Real p = a[static_cast<size_t>(offset(sa, at))], q = b[static_cast<size_t>(offset(sb, at))];
        const Real want = op == Binary::kAdd        ? p + q
                          : op == Binary::kSubtract ? p - q
                          : op == Binary::kMultiply ? p * q
                                                    : p / q;
        wrong += y[i++] != want;
      });
      INFO("shape " << extents.size[0] << " " << extents.size[1] << " " << extents.size[2] << " " << extents.size[3]
                    << " mask " << mask);
      REQUIRE(wrong == 0);
    }
  }
}

TEST_CASE("a long row that repeats") {
  CpuMachine on(2);
  const Extents extents{{1, 1, 5, 5003}};
  const Reals a = test_values(extents.count(), 6), row = test_values(5003, 7);
  Reals y(a.size());
  binary(on.tag(), Binary::kSubtract, extents, row.data(), {{0, 0, 0, 1}}, a.data(), {{0, 0, 5003, 1}}, y.data());
  CHECK(worst_error(y, [&](int64_t i) { return row[static_cast<size_t>(i % 5003)] - a[static_cast<size_t>(i)]; }) == 0);
}

TEST_CASE("move permutes, broadcasts, slices and places") {
  CpuMachine on(3);
  for (const Extents& extents : kShapes) {
    const Reals x = test_values(extents.count(), 8);
    for (const auto& from : kOrders) {
      for (const auto& to : kOrders) {
        for (int repeated = 0; repeated < 16; repeated += 5) {
          for (const int64_t apart : {1, 2}) {  // 2: into every other element of y
            const Strides sx = dense(extents.size, from, repeated);
            Strides sy = dense(extents.size, to, 0);
            for (int64_t& step : sy.step) step *= apart;
            Reals y(static_cast<size_t>(apart * extents.count()), Real(-9));
            move(on.tag(), extents, x.data(), sx, y.data(), sy);
            size_t wrong = 0;
            for_each_index(extents, [&](const auto& at) {
              Real& got = y[static_cast<size_t>(offset(sy, at))];
              wrong += got != x[static_cast<size_t>(offset(sx, at))];
              got = -9;
            });
            REQUIRE(wrong == 0);
            REQUIRE(std::count(y.begin(), y.end(), Real(-9)) == static_cast<std::ptrdiff_t>(y.size()));
          }
        }
      }
    }
  }
}

TEST_CASE("a slice with negative steps is moved too") {
  CpuMachine on(1);
  const Reals x = {1, 2, 3, 4, 5, 6};
  Reals y(6);
  move(on.tag(), {{1, 1, 2, 3}}, x.data() + 5, {{0, 0, -3, -1}}, y.data(), {{0, 0, 3, 1}});
  CHECK(y == Reals{6, 5, 4, 3, 2, 1});
}

}  // namespace
}  // namespace tobogan::kernels
