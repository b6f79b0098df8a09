// The overloads on Cudnn against the CPU's: descriptors, layouts, padding that the library cannot say, what falls back.
//
// The convolutions' operands are multiples of 1/64, which every precision holds exactly.
#include <cmath>

#include "kernels/cuda/graph.h"
#include "kernels/cudnn/handles.h"
#include "kernels/cudnn/library.h"
#include "kernels/normalize.h"
#include "kernels/softmax.h"
#include "tests/support/conv_cases.h"
#include "tests/support/cuda_kernels.h"
#include "tests/support/pool_cases.h"

namespace tobogan::kernels {
namespace {

// The three convolutions of one size, on a GPU; results start as NaN: whatever is not written shows.
struct Convolutions {
  ConvDims dims;
  Reals big, small, weight;
  OnGpu<Real> on_big, on_small, on_weight, to_big, to_small, to_weight;

  Convolutions(CudaMachine& machine, const ConvDims& d)
      : dims(d),
        big(short_values(big_size(d), 1)),
        small(short_values(small_size(d), 2)),
        weight(short_values(weight_size(d), 3)),
        on_big(machine, big),
        on_small(machine, small),
        on_weight(machine, weight),
        to_big(machine, Reals(big.size(), NAN)),
        to_small(machine, Reals(small.size(), NAN)),
        to_weight(machine, Reals(weight.size(), NAN)) {}
  void run(Cudnn on) const {
    conv2d(on, dims, on_big.data(), on_weight.data(), to_small.data(), {.activation = {.slope = Real(0.25)}});
    conv_transpose2d(on, dims, on_small.data(), on_weight.data(), to_big.data(), {.bias = on_big.data()});
    conv2d_weight(on, dims, on_big.data(), on_small.data(), to_weight.data());
  }
  // Whether the results are the CPU's.
  void check() const {
    CpuMachine cpu(1);
    Reals want_big(big), want_small(small), want_weight(weight);
    conv2d(cpu.tag(), dims, big.data(), weight.data(), want_small.data(), {.activation = {.slope = Real(0.25)}});
    conv_transpose2d(cpu.tag(), dims, small.data(), weight.data(), want_big.data(), {.bias = big.data()});
    conv2d_weight(cpu.tag(), dims, big.data(), small.data(), want_weight.data());
    const auto apart = [](const Reals& got, const Reals& want) { return distance(got, {want.begin(), want.end()}); };
    CHECK(apart(to_small.host(), want_small) < 2 * kSumTolerance);
    CHECK(apart(to_big.host(), want_big) < 2 * kSumTolerance);
    CHECK(apart(to_weight.host(), want_weight) < 2 * kSumTolerance);
  }
};

const ConvDims kSame = layer(2, 5, 14, 7, 7, 5, 2, 1);  // SAME under stride 2: one row before, two after

TEST_CASE("the three convolutions through cuDNN are the CPU's, whatever the padding") {
  const ConvDims geometries[] = {layer(3, 5, 7, 4, 7, 5, 1, 2), kSame,
                                 layer(3, 4, 3, 2, 4, 7, 1, 3),  // a kernel larger than the image
                                 layer(5, 6, 4, 9, 1, 4, 1, 0),  // an image to one pixel
                                 layer(5, 6, 1, 9, 1, 1, 1, 0),  // a matrix product: nothing is copied
                                 layer(2, 3, 7, 4, 3, 1, 3, 0),  // pixels that nothing meets
                                 layer(2, 3, 8, 4, 2, 2, 3, 0),  // the same, at the end
                                 layer(2, 3, 2, 4, 6, 2, 1, 2),  // small pixels that meet nothing
                                 layer(1, 1, 9, 5, 6, 3, 1, 3),  // one image
                                 layer(0, 3, 4, 2, 4, 3, 1, 1)};
  int next = 0;
  for (ConvDims d : geometries) {
    const Precision precisions[] = {Precision::kFp32, Precision::kTf32, Precision::kBf16};
    CudnnMachine machine({.precision = precisions[next++ % 3]});
    for (const bool odd : {false, true}) {
      INFO("geometry " << next << (odd ? ", one axis unlike the other" : ""));
      if (odd) d.stride_w = 1, d.kernel_w = 2, d.pad_left = 0, d.dilation_h = 2;
      const Convolutions c(machine, d);
      c.run(machine.tag());
      c.check();
    }
  }
}

TEST_CASE("padding that is not the same on both sides becomes a part of the image") {
  const ConvDims same = library_dims(kSame);
  CHECK((same.big_h == 17 && same.pad_top == 0 && same.big_w == 17 && same.pad_left == 0));
  const ConvDims symmetric = layer(2, 5, 7, 7, 7, 5, 1, 2);
  CHECK(library_dims(symmetric) == symmetric);
  CHECK(library_dims(same) == same);
  const ConvDims unmet = library_dims(layer(2, 3, 8, 4, 2, 2, 3, 0));  // two whole strides would fit once more
  CHECK((unmet.big_h == 5 && unmet.pad_top == 0));
}

TEST_CASE("algorithms are measured before a step is captured, and give its bits") {
  CudnnMachine machine({.precision = Precision::kTf32});
  const Convolutions c(machine, kSame);
  CHECK_THROWS_WITH(CudaGraph(machine.tag(), [&] { c.run(machine.tag()); }),
                    Catch::Matchers::ContainsSubstring("a convolution that cuDNN has not met before"));
  c.run(machine.tag());
  const Reals big = c.to_big.host(), small = c.to_small.host(), weight = c.to_weight.host();
  CudaGraph graph(machine.tag(), [&] { c.run(machine.tag()); });
  for (const OnGpu<Real>* result : {&c.to_big, &c.to_small, &c.to_weight}) {
    const Reals nan(result->host().size(), NAN);
    machine.from_host(nan.size() * sizeof(Real), nan.data(), result->data());
  }
  graph.replay();
  CHECK(c.to_big.host() == big);
  CHECK(c.to_small.host() == small);
  CHECK(c.to_weight.host() == weight);
}

TEST_CASE("fp32 is not TF32") {
  const ConvDims one = layer(1, 1, 1, 1, 1, 1, 1, 0);
  const Reals x{1 + 0x1p-11f}, w{1};  // TF32 has no such number
  for (const Precision precision : {Precision::kFp32, Precision::kTf32}) {
    CudnnMachine machine({.precision = precision});
    const OnGpu<Real> on_x(machine, x), on_w(machine, w), y(machine, 1);
    conv2d(machine.tag(), one, on_x.data(), on_w.data(), y.data());
    if (precision == Precision::kFp32) CHECK(y.host() == x);
#ifdef CUDA_EMULATOR
    else
      CHECK(y.host() != x);  // a GPU is allowed to be more precise
#endif
  }
}

TEST_CASE("cuDNN normalises as we do") {
  CpuMachine cpu(1);
  CudnnMachine machine;
  const Cudnn on = machine.tag();
  const Real epsilon = Real(1e-3);
  for (const auto& [rows, columns] : {std::pair{2, 1}, {33, 10}, {300, 7}}) {
    INFO(rows << " x " << columns);
    const int64_t count = rows * columns;
    const Reals x = test_values(count, 1), dy = test_values(count, 2), gamma = test_values(columns, 3);
    const Reals beta = test_values(columns, 4);
    Reals y(x.size()), dx(x.size()), mean(gamma), variance(gamma), scale(gamma), dgamma(gamma), dbeta(gamma);
    column_moments(cpu.tag(), rows, columns, x.data(),
                   {.epsilon = epsilon, .mean = mean.data(), .variance = variance.data(), .scale = scale.data()});
    normalize(cpu.tag(), {}, rows, columns, x.data(), mean.data(), scale.data(), gamma.data(), beta.data(), y.data());
    Reals a(gamma), b(gamma), c(gamma);
    const NormalizeSums sums{
        x.data(), mean.data(), scale.data(), gamma.data(), dgamma.data(), dbeta.data(), {a.data(), b.data(), c.data()}};
    normalize_grad_sums(cpu.tag(), {}, rows, columns, dy.data(), y.data(), sums, dx.data());
    normalize_grad_apply(cpu.tag(), rows, columns, dx.data(), x.data(), mean.data(), sums.factors, dx.data());

    const OnGpu<Real> on_x(machine, x), on_dy(machine, dy), on_gamma(machine, gamma), on_beta(machine, beta);
    const OnGpu<Real> on_y(machine, count), on_mean(machine, columns), on_scale(machine, columns);
    const OnGpu<Real> on_dx(machine, count), on_dgamma(machine, columns), on_dbeta(machine, columns);
    library_batch_norm(on, rows, columns, epsilon, on_x.data(), on_gamma.data(), on_beta.data(), on_mean.data(),
                       on_scale.data(), on_y.data());
    library_batch_norm_grad(on, rows, columns, epsilon, on_dy.data(), on_x.data(), on_mean.data(), on_scale.data(),
                            on_gamma.data(), on_dx.data(), on_dgamma.data(), on_dbeta.data());
    CHECK(apart(on_y.host(), y) < 1e-5);
    CHECK(apart(on_mean.host(), mean) < 1e-6);
    CHECK(apart(on_scale.host(), scale) < 1e-5);
    CHECK(apart(on_dx.host(), dx) < 1e-4);
    CHECK(apart(on_dgamma.host(), dgamma) < 1e-5);
    CHECK(apart(on_dbeta.host(), dbeta) < 1e-5);
  }
}

TEST_CASE("log-softmax, also of large numbers") {
  CpuMachine cpu(1);
  CudnnMachine machine;
  for (const double spread : {2.0, 1e4}) {
    const Reals x = test_values(7 * 5, 1, -spread, spread);
    Reals want(x.size());
    log_softmax(cpu.tag(), 7, 5, x.data(), want.data());
    const OnGpu<Real> on_x(machine, x), y(machine, 7 * 5);
    log_softmax(machine.tag(), 7, 5, on_x.data(), y.data());
    CHECK(apart(y.host(), want) < 1e-6);
  }
}

TEST_CASE("cuDNN pools as we do") {
  const PoolDims d = overlapping(6);
  const int64_t in = d.block * d.in_h * d.in_w, out = d.block * d.out_h * d.out_w;
  const Reals x = test_values(in, 1), dy = test_values(out, 2);
  CpuMachine cpu(1);
  Reals want(dy.size()), want_dx(x.size());
  std::vector<int32_t> choice(dy.size());
  max_pool2d(cpu.tag(), d, x.data(), want.data(), choice.data());
  pool_scatter(cpu.tag(), d, dy.data(), choice.data(), want_dx.data());
  CudnnMachine machine;
  const OnGpu<Real> on_x(machine, x), on_dy(machine, dy), y(machine, out), dx(machine, in);
  library_max_pool2d(machine.tag(), d, on_x.data(), y.data());
  library_max_pool2d_grad(machine.tag(), d, on_x.data(), y.data(), on_dy.data(), dx.data());
  CHECK(y.host() == want);
  CHECK(apart(dx.host(), want_dx) < 1e-6);
  PoolDims uneven = d;
  uneven.out_h = 5;
  CHECK_THROWS_WITH(library_max_pool2d(machine.tag(), uneven, on_x.data(), y.data()),
                    Catch::Matchers::ContainsSubstring("the same padding on both sides"));
}

}  // namespace
}  // namespace tobogan::kernels
