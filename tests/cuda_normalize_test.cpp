// Activation with dropout, and normalisation with its way back, on the GPU against the CPU's.
#include "kernels/normalize.h"
#include "tests/support/cuda_kernels.h"

namespace tobogan::kernels {
namespace {

struct Size {
  int64_t rows, columns;
};
// Folded, in fours, one by one; of one block and of several; a tile of columns and one more.  No larger than it takes:
// under TSan a thread of a block costs a microsecond at every barrier.
const std::vector<Size> kSizes = {{2, 1},    {3, 3},    {33, 10},  {64, 129},  {2, 516},
                                  {300, 64}, {200, 65}, {4200, 1}, {1640, 10}, {40, 132}};
// For kernels that are flat: around a warp's share and a block's.
const std::vector<Size> kFlatSizes = {{2, 1}, {3, 3}, {33, 10}, {64, 33}, {2, 516}};

struct Keys {
  uint64_t step = 9;
  OnGpu<uint64_t> gpu_step;
  explicit Keys(CudaMachine& cuda) : gpu_step(cuda, std::vector<uint64_t>{step}) {}
  // `how` with a key in the machine's memory.
  Activation of(Cpu, Activation how) const { return with(how, &step); }
  Activation of(Cuda, Activation how) const { return with(how, gpu_step.data()); }
  static Activation with(Activation how, const uint64_t* step) {
    how.key = {.stream = 1234, .draw = 2, .step = step};
    return how;
  }
};

const std::vector<Activation> kActivations = {
    {}, {.slope = Real(0.25)}, {.slope = Real(0.25), .dropout = Real(0.3)}, {.slope = 0, .dropout = Real(0.5)}};

// With the bias's gradient dx keeps its bits, and dbias is the sums of dx over the rows.
void check_bias_grad(BothMachines& on, const Keys& keys, const Activation& how, const Size& size, int64_t offset,
                     const Real* dy, const Real* y, const Reals& want_dx) {
  Reals sums(static_cast<size_t>(size.columns)), got_sums;
  for (int64_t c = 0; c < size.columns; ++c) {
    double sum = 0;
    for (int64_t r = 0; r < size.rows; ++r)
      sum += static_cast<double>(want_dx[static_cast<size_t>(r * size.columns + c)]);
    sums[static_cast<size_t>(c)] = static_cast<Real>(sum);
  }
  const auto backward = [&](Cuda cuda, Real* dx) {
    got_sums = on.repeat(size.columns, [&](Cuda, Real* dbias) {
      activate_grad(cuda, keys.of(cuda, how), size.rows, size.columns, dy, y, dx, dbias);
    });
  };
  CHECK(on.repeat(size.rows * size.columns, backward, offset) == want_dx);
  CHECK(apart(got_sums, sums) < 1e-5);
}

TEST_CASE("activations and their way back have the CPU's bits, dropout included") {
  BothMachines on;
  const Keys keys(on.cuda);
  for (const Size& size : kFlatSizes) {
    const int64_t count = size.rows * size.columns;
    Reals x = test_values(count, 21);
    for (size_t i = 0; i < x.size(); i += 5) x[i] = i % 2 == 0 ? Real(0) : Real(-0.0);
    const Reals bias = test_values(size.columns, 22), dy = test_values(count, 23);
    for (const Activation& how : kActivations) {
      for (const bool with_bias : {true, false}) {
        Reals want(x.size()), want_dx(x.size());
        activate(on.cpu.tag(), keys.of(on.cpu.tag(), how), size.rows, size.columns, x.data(),
                 with_bias ? bias.data() : nullptr, want.data());
        activate_grad(on.cpu.tag(), keys.of(on.cpu.tag(), how), size.rows, size.columns, dy.data(), want.data(),
                      want_dx.data());
        for (const int64_t offset : {0, 1}) {
          const Shifted<Real> in(on.cuda, x, offset), shift(on.cuda, bias, offset), slope(on.cuda, dy, offset);
          const Shifted<Real> result(on.cuda, want, offset);
          const auto forward = [&](Cuda cuda, Real* y) {
            activate(cuda, keys.of(cuda, how), size.rows, size.columns, in.data(), with_bias ? shift.data() : nullptr,
                     y);
          };
          const auto backward = [&](Cuda cuda, Real* dx) {
            activate_grad(cuda, keys.of(cuda, how), size.rows, size.columns, slope.data(), result.data(), dx);
          };
          INFO(size.rows << " x " << size.columns << ", slope " << how.slope << ", dropout " << how.dropout);
          const Reals y = on.repeat(count, forward, offset);
          CHECK(std::memcmp(y.data(), want.data(), want.size() * sizeof(Real)) == 0);  // -0 as well
          CHECK(on.repeat(count, backward, offset) == want_dx);
          check_bias_grad(on, keys, how, size, offset, slope.data(), result.data(), want_dx);
        }
      }
    }
  }
}

TEST_CASE("a kept element is never -0, however small") {
  BothMachines on;
  const Keys keys(on.cuda);
  const Activation how = keys.of(on.cuda.tag(), {.slope = Real(0.01), .dropout = Real(0.5)});
  const OnGpu<Real> x(on.cuda, Reals(100, Real(-1e-45)));
  const Reals y = on.repeat(100, [&](Cuda cuda, Real* out) { activate(cuda, how, 100, 1, x.data(), nullptr, out); });
  const auto dropped = std::count_if(y.begin(), y.end(), [](Real v) { return v == 0 && std::signbit(v); });
  CHECK((dropped > 20 && dropped < 80));
}

TEST_CASE("column moments, also far from zero and with outliers in front") {
  BothMachines on;
  for (const Size& size : kSizes) {
    for (const Real center : {Real(0), Real(1000)}) {
      Reals x = test_values(size.rows * size.columns, 25);
      for (Real& v : x) v += center;
      if (size.rows > 100) x[0] = 0;
      const int64_t columns = size.columns;
      Reals want(static_cast<size_t>(3 * columns));
      const auto run = [&](auto tag, const Real* in, Real* all) {  // mean, variance, scale
        column_moments(tag, size.rows, columns, in, {Real(1e-5), all, all + columns, all + 2 * columns});
      };
      run(on.cpu.tag(), x.data(), want.data());
      for (const int64_t offset : {0, 1}) {
        const Shifted<Real> in(on.cuda, x, offset);
        const Reals got = on.repeat(3 * columns, [&](Cuda cuda, Real* all) { run(cuda, in.data(), all); });
        INFO(size.rows << " x " << size.columns << " around " << center << ", offset " << offset);
        CHECK(apart(got, want, 0.1) < 24 * kRounding);
      }
    }
  }
}

// What normalisation reads, on the CPU.
struct Inputs {
  Reals x, dy, gamma, beta, mean, variance, scale;
  Inputs(Cpu cpu, const Size& size)
      : x(test_values(size.rows * size.columns, 26, -1, 3)),
        dy(test_values(size.rows * size.columns, 27)),
        gamma(test_values(size.columns, 28, 0.5, 1.5)),
        beta(test_values(size.columns, 29)),
        mean(gamma.size()),
        variance(gamma.size()),
        scale(gamma.size()) {
    column_moments(cpu, size.rows, size.columns, x.data(), {Real(1e-5), mean.data(), variance.data(), scale.data()});
  }
};

TEST_CASE("normalize, fused with an activation, and its way back") {
  BothMachines on;
  const Keys keys(on.cuda);
  for (const Size& size : kSizes) {
    if (size.rows < 3) continue;
    const Inputs c(on.cpu.tag(), size);
    const int64_t count = size.rows * size.columns, columns = size.columns;
    for (const Activation& how : {kActivations[0], kActivations[2]}) {
      const bool plain = how.slope == 1;  // without gamma and beta
      const auto run = [&](auto tag, const Real* x, const Real* mean, const Real* scale, const Real* gamma,
                           const Real* beta, Real* y) {
        normalize(tag, keys.of(tag, how), size.rows, columns, x, mean, scale, plain ? nullptr : gamma,
                  plain ? nullptr : beta, y);
      };
      const auto back = [&](auto tag, const Real* x, const Real* mean, const Real* scale, const Real* gamma,
                            const Real* y, const Real* dy, Real* all) {  // dx, then dgamma and dbeta
        normalize_grad(tag, keys.of(tag, how), size.rows, columns, dy, x, y, mean, scale, plain ? nullptr : gamma, all,
                       all + count, all + count + columns);
      };
      Reals want(c.x.size()), want_back(c.x.size() + 2 * c.gamma.size());
      run(on.cpu.tag(), c.x.data(), c.mean.data(), c.scale.data(), c.gamma.data(), c.beta.data(), want.data());
      back(on.cpu.tag(), c.x.data(), c.mean.data(), c.scale.data(), c.gamma.data(), want.data(), c.dy.data(),
           want_back.data());
      for (const int64_t offset : {0, 1}) {
        const Shifted<Real> x(on.cuda, c.x, offset), dy(on.cuda, c.dy, offset), y(on.cuda, want, offset);
        const Shifted<Real> mean(on.cuda, c.mean, offset), scale(on.cuda, c.scale, offset);
        const Shifted<Real> gamma(on.cuda, c.gamma, offset), beta(on.cuda, c.beta, offset);
        INFO(size.rows << " x " << columns << ", slope " << how.slope << ", dropout " << how.dropout);
        const Reals got = on.repeat(count, [&](Cuda cuda, Real* out) {
          run(cuda, x.data(), mean.data(), scale.data(), gamma.data(), beta.data(), out);
        });
        CHECK(apart(got, want) < 16 * kRounding);
        const Reals got_back = on.repeat(count + 2 * columns, [&](Cuda cuda, Real* all) {
          back(cuda, x.data(), mean.data(), scale.data(), gamma.data(), y.data(), dy.data(), all);
        });
        const double room = 1 + 0.05 * static_cast<double>(size.rows);  // sums cancel: measured by their terms
        CHECK(apart(got_back, want_back, room) < 16 * kRounding);
      }
    }
  }
}

TEST_CASE("the gradient may take the place of dy") {
  BothMachines on;
  const Keys keys(on.cuda);
  const Size size{70, 64};
  const Inputs c(on.cpu.tag(), size);
  const OnGpu<Real> x(on.cuda, c.x), mean(on.cuda, c.mean), scale(on.cuda, c.scale), gamma(on.cuda, c.gamma);
  const OnGpu<Real> apart_dx(on.cuda, c.x), sums(on.cuda, 128), dy(on.cuda, c.dy);
  for (Real* dx : {apart_dx.data(), dy.data()}) {
    normalize_grad(on.cuda.tag(), {}, size.rows, size.columns, dy.data(), x.data(), x.data(), mean.data(), scale.data(),
                   gamma.data(), dx, sums.data(), sums.data() + 64);
  }
  CHECK(dy.host() == apart_dx.host());
}

TEST_CASE("deviations and running statistics") {
  BothMachines on;
  for (const int64_t columns : {1, 3, 130}) {
    const Reals mean = test_values(columns, 31), variance = test_values(columns, 32, 0.1, 2);
    Reals scale(mean.size()), running_mean = variance, running_variance = mean;
    const OnGpu<Real> gpu_variance(on.cuda, variance);
    const OnGpu<Real> gpu_running_mean(on.cuda, running_mean), gpu_running_variance(on.cuda, running_variance);
    inverse_deviation(on.cpu.tag(), columns, Real(1e-3), variance.data(), scale.data());
    const auto run = [&](Cuda cuda, Real* y) { inverse_deviation(cuda, columns, Real(1e-3), gpu_variance.data(), y); };
    CHECK(apart(on.repeat(columns, run), scale) < 4 * kRounding);
    const auto update = [&](auto tag, const Real* in, Real* all, Real* m, Real* v) {
      column_moments(tag, 9, columns, in,
                     {Real(1e-5),
                      all,
                      all + columns,
                      all + 2 * columns,
                      {.keep = Real(0.75), .correction = Real(1.125), .mean = m, .variance = v}});
    };
    const Reals x = test_values(9 * columns, 33);
    Reals all(static_cast<size_t>(3 * columns));
    const OnGpu<Real> gpu_x(on.cuda, x), gpu_all(on.cuda, 3 * columns);
    update(on.cpu.tag(), x.data(), all.data(), running_mean.data(), running_variance.data());
    update(on.cuda.tag(), gpu_x.data(), gpu_all.data(), gpu_running_mean.data(), gpu_running_variance.data());
    CHECK(apart(gpu_running_mean.host(), running_mean) < 4 * kRounding);
    CHECK(apart(gpu_running_variance.host(), running_variance) < 4 * kRounding);
  }
}

}  // namespace
}  // namespace tobogan::kernels
