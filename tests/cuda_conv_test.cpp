// The three convolutions on a GPU against the CPU's: geometries, channels and batches around every tile, real layers.
//
// The operands are multiples of 1/64, which TF32 and bf16 hold exactly: whatever the precision, only the order of the
// sum differs from the CPU's, and a wrong fragment cannot hide behind a tolerance.
#include <cuda_runtime.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <span>

#include "kernels/conv.h"
#include "kernels/cuda/graph.h"
#include "kernels/elementwise.h"
#include "tests/support/catch.h"
#include "tests/support/conv_cases.h"
#include "tests/support/kernel_inputs.h"
#include "tests/support/on_gpu.h"

namespace tobogan::kernels {
namespace {

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr bool kThorough = false;  // a block costs ten to a hundred times as much there
#else
constexpr bool kThorough = true;
#endif

struct Results {
  std::vector<Real> big, small, weight;
};

// The operands of a case, and what the CPU makes of them.
struct Case {
  ConvDims dims;
  std::vector<Real> big, small, weight;
  Results wanted;

  explicit Case(const ConvDims& d, std::vector<Real> values(int64_t, uint64_t) = short_values)
      : dims(d),
        big(values(big_size(d), 1)),
        small(values(small_size(d), 2)),
        weight(values(weight_size(d), 3)),
        wanted{big, small, weight} {
    CpuMachine cpu(1);
    conv2d(cpu.tag(), d, big.data(), weight.data(), wanted.small.data());
    conv_transpose2d(cpu.tag(), d, small.data(), weight.data(), wanted.big.data());
    conv2d_weight(cpu.tag(), d, big.data(), small.data(), wanted.weight.data());
  }
};

// A case on the GPU.  Results start as NaN: whatever is not written shows.
struct CaseOnGpu {
  CudaMachine& machine;
  ConvDims dims;
  OnGpu<Real> big, small, weight, to_big, to_small, to_weight;

  CaseOnGpu(CudaMachine& m, const Case& c)
      : machine(m),
        dims(c.dims),
        big(m, c.big),
        small(m, c.small),
        weight(m, c.weight),
        to_big(m, std::vector<Real>(c.big.size(), NAN)),
        to_small(m, std::vector<Real>(c.small.size(), NAN)),
        to_weight(m, std::vector<Real>(c.weight.size(), NAN)) {}
  void run() const {
    const Cuda on = machine.tag();
    conv2d(on, dims, big.data(), weight.data(), to_small.data());
    conv_transpose2d(on, dims, small.data(), weight.data(), to_big.data());
    conv2d_weight(on, dims, big.data(), small.data(), to_weight.data());
  }
  Results results() const { return {to_big.host(), to_small.host(), to_weight.host()}; }
};

std::string describe(const ConvDims& d) {
  std::string text;
  for (const int value : {d.batch, d.big_channels, d.big_h, d.big_w, d.small_channels, d.small_h, d.small_w, d.kernel_h,
                          d.kernel_w, d.stride_h, d.stride_w, d.pad_top, d.pad_left, d.dilation_h, d.dilation_w}) {
    text += std::to_string(value) + " ";
  }
  return text;
}

double apart(const std::vector<Real>& got, const std::vector<Real>& wanted) {
  return distance(got, std::vector<double>(wanted.begin(), wanted.end()));
}

constexpr Precision kPrecisions[] = {Precision::kFp32, Precision::kTf32, Precision::kBf16};

void check_case(const ConvDims& d, Precision precision) {
  const Case c(d);
  INFO("precision " << static_cast<int>(precision)
                    << "; batch, big c h w, small c h w, kernel, stride, pad, dilation: " << describe(d));
  CudaMachine machine({.precision = precision});
  const CaseOnGpu on_gpu(machine, c);
  on_gpu.run();
  const Results got = on_gpu.results();
  CHECK(apart(got.small, c.wanted.small) < 2 * kSumTolerance);
  CHECK(apart(got.big, c.wanted.big) < 2 * kSumTolerance);
  CHECK(apart(got.weight, c.wanted.weight) < 2 * kSumTolerance);
}

TEST_CASE("geometries: strides, dilations, asymmetric padding, rectangular and oversized kernels") {
  const ConvDims geometries[] = {layer(2, 5, 7, 7, 7, 5, 1, 2),   // SAME
                                 layer(2, 5, 14, 7, 7, 5, 2, 1),  // SAME under stride 2: one before, two after
                                 layer(3, 5, 3, 3, 4, 7, 1, 3),   // a kernel larger than the image
                                 layer(5, 6, 4, 9, 1, 4, 1, 0),   // an image to one pixel
                                 layer(5, 6, 1, 9, 1, 1, 1, 0),   // a matrix product
                                 layer(2, 3, 7, 4, 3, 1, 3, 0),   // pixels that nothing meets
                                 layer(2, 3, 2, 4, 6, 2, 1, 2),   // small pixels that meet nothing
                                 layer(1, 4, 9, 5, 6, 3, 1, 3),  layer(2, 3, 11, 4, 2, 3, 4, 1)};
  for (ConvDims d : geometries) {
    if (!kThorough) d.batch = 1;
    check_case(d, Precision::kFp32);
    d.stride_w = 1;  // one axis unlike the other
    d.kernel_w = 2;
    d.pad_left = 0;
    d.dilation_h = 2;
    d.big_channels = 8;  // channels four at a time
    d.small_channels = 12;
    check_case(d, Precision::kTf32);
    d.stride_h = 2;
    d.dilation_w = 3;
    d.big_w += 3;
    d.small_channels = kThorough ? 7 : 12;
    check_case(d, Precision::kBf16);
  }
}

TEST_CASE("channels: around every tile, and few on either side") {
  const std::pair<int, int> thorough[] = {{1, 1},  {1, 5},   {1, 68},  {3, 64},  {4, 20},   {64, 1},   {33, 3},
                                          {40, 4}, {63, 65}, {64, 64}, {65, 63}, {68, 132}, {132, 68}, {128, 4}};
  const std::pair<int, int> few[] = {{1, 5}, {3, 8}, {8, 1}, {68, 12}};
  int next = 0;
  for (const auto& [big, small] : kThorough ? std::span<const std::pair<int, int>>(thorough) : few) {
    check_case(layer(3, big, 5, small, 3, 3, 2, 1), kPrecisions[next++ % 3]);
  }
}

TEST_CASE("batches: around every tile") {
  int next = 0;
  for (const int batch : {1, 7, 33, 63, 64, 65, 128}) {
    if (!kThorough && batch != 33) continue;
    check_case(layer(batch, 8, 3, 68, 2, 2, 1, 0), kPrecisions[next++ % 3]);
    check_case(layer(batch, 2, 4, 12, 2, 2, 2, 0), kPrecisions[next % 3]);
  }
  if (!kThorough) return;
  for (const Precision precision : kPrecisions) {  // tiles of 128 rows
    check_case(layer(256, 8, 2, 132, 2, 1, 1, 0), precision);
    check_case(layer(256, 132, 2, 8, 2, 1, 1, 0), precision);
  }
}

TEST_CASE("long sums are shared among blocks, and rows of results among tiles") {
  check_case(layer(2, kThorough ? 516 : 260, 3, 8, 1, 3, 1, 0), Precision::kTf32);
  if (!kThorough) return;
  check_case(layer(2, 8, 3, 516, 1, 3, 1, 0), Precision::kBf16);
  check_case(layer(33, 20, 6, 8, 6, 3, 1, 1), Precision::kFp32);
  check_case(layer(64, 1, 8, 12, 8, 3, 1, 1), Precision::kTf32);
  check_case(layer(2, 132, 4, 1, 1, 4, 1, 0), Precision::kBf16);  // few results of long sums
  check_case(layer(2, 128, 5, 3, 2, 4, 1, 0), Precision::kFp32);
}

// What activate() makes of a convolution's result is what the epilogue makes of its sums, bit for bit.
void check_epilogue(const ConvDims& d, Precision precision, const Activation& activation) {
  INFO("precision " << static_cast<int>(precision) << ", dropout " << activation.dropout << ": " << describe(d));
  CudaMachine machine({.precision = precision});
  const Cuda on = machine.tag();
  const OnGpu<uint64_t> step(machine, std::vector<uint64_t>{5});
  Activation how = activation;
  how.key = {.stream = 77, .draw = 1, .step = step.data()};
  const OnGpu<Real> big(machine, random_values(big_size(d), 1)), small(machine, random_values(small_size(d), 2));
  const OnGpu<Real> weight(machine, random_values(weight_size(d), 3));
  const OnGpu<Real> small_bias(machine, random_values(d.small_channels, 4));
  const OnGpu<Real> big_bias(machine, random_values(d.big_channels, 5));
  const int64_t count = std::max(big_size(d), small_size(d));
  const OnGpu<Real> sums(machine, count), wanted(machine, count), got(machine, count);
  const auto same_bits = [&](int64_t compared) {
    const std::vector<Real> a = wanted.host(), b = got.host();
    return std::memcmp(a.data(), b.data(), static_cast<size_t>(compared) * sizeof(Real)) == 0;  // -0 as well
  };
  conv2d(on, d, big.data(), weight.data(), sums.data());
  activate(on, how, small_size(d) / d.small_channels, d.small_channels, sums.data(), small_bias.data(), wanted.data());
  conv2d(on, d, big.data(), weight.data(), got.data(), {small_bias.data(), how});
  CHECK(same_bits(small_size(d)));
  conv_transpose2d(on, d, small.data(), weight.data(), sums.data());
  activate(on, how, big_size(d) / d.big_channels, d.big_channels, sums.data(), big_bias.data(), wanted.data());
  conv_transpose2d(on, d, small.data(), weight.data(), got.data(), {big_bias.data(), how});
  CHECK(same_bits(big_size(d)));
}

TEST_CASE("bias, leaky ReLU and dropout on the way out") {
  const Activation plain{}, leaky{.slope = Real(0.25)}, dropout{.slope = Real(0.25), .dropout = Real(0.5)};
  check_epilogue(layer(2, 8, 5, 12, 5, 3, 1, 1), Precision::kTf32, dropout);  // four channels at a time
  check_epilogue(layer(3, 5, 5, 7, 3, 3, 2, 1), Precision::kFp32, dropout);   // one by one
  if (!kThorough) return;
  check_epilogue(layer(3, 5, 5, 6, 3, 3, 2, 1), Precision::kBf16, plain);
  check_epilogue(layer(4, 1, 8, 68, 4, 5, 2, 1), Precision::kTf32, leaky);  // sent and collected
  check_epilogue(layer(4, 3, 8, 64, 4, 4, 2, 1), Precision::kFp32, dropout);
  check_epilogue(layer(2, 260, 3, 8, 1, 3, 1, 0), Precision::kTf32, dropout);  // in parts
  check_epilogue(layer(2, 132, 4, 3, 1, 4, 1, 0), Precision::kBf16, dropout);  // few results of long sums
}

// The largest of |a - b| / (1 + |b|) over two arrays on the GPU.
double apart(const OnGpu<Real>& a, const OnGpu<Real>& b) {
  return apart(a.host(), b.host());
}

// Statistics that a convolution takes on the way out are those that the kernels for them take of its result.
void check_statistics(const ConvDims& d, Precision precision, bool to_small) {
  INFO("precision " << static_cast<int>(precision) << (to_small ? ", conv2d: " : ", conv_transpose2d: ")
                    << describe(d));
  CudaMachine machine({.precision = precision});
  const Cuda on = machine.tag();
  const int64_t columns = to_small ? d.small_channels : d.big_channels, count = to_small ? small_size(d) : big_size(d);
  const int64_t rows = count / columns, inputs = to_small ? big_size(d) : small_size(d);
  std::vector<Real> far = random_values(inputs, 1);
  for (Real& value : far) value = 3 + value / 4;  // columns whose means are not zero
  const OnGpu<Real> in(machine, far), weight(machine, random_values(weight_size(d), 3));
  const OnGpu<Real> x(machine, random_values(count, 4)), y(machine, random_values(count, 5));
  const OnGpu<Real> scale(machine, random_values(columns, 6)), mean(machine, random_values(columns, 7));
  const OnGpu<Real> sums(machine, count), wanted(machine, count);
  const auto convolve = [&](const ConvEpilogue& epilogue) {
    if (to_small) {
      conv2d(on, d, in.data(), weight.data(), sums.data(), epilogue);
    } else {
      conv_transpose2d(on, d, in.data(), weight.data(), sums.data(), epilogue);
    }
  };
  const auto copied = [&] { convolve({}), copy(on, count, sums.data(), wanted.data()); };
  const Activation bent{.slope = Real(0.25)};

  const OnGpu<Real> moments(machine, 5 * columns), moments_wanted(machine, 5 * columns);
  const auto ask = [&](const OnGpu<Real>& to) {
    Real* at = to.data();
    fill(on, 5 * columns, Real(0.5), at);
    return ColumnMoments{.epsilon = Real(1e-3),
                         .mean = at,
                         .variance = at + columns,
                         .scale = at + 2 * columns,
                         .running = {.keep = Real(0.75), .mean = at + 3 * columns, .variance = at + 4 * columns}};
  };
  copied();
  column_moments(on, rows, columns, wanted.data(), ask(moments_wanted));
  convolve({.statistics = ask(moments)});
  CHECK(apart(sums, wanted) == 0);
  CHECK(apart(moments, moments_wanted) < 1e-5);

  const OnGpu<Real> bias(machine, columns), bias_wanted(machine, columns);
  copied();
  activate_grad(on, bent, rows, columns, wanted.data(), y.data(), wanted.data(), bias_wanted.data());
  convolve({.activation = bent, .activated = y.data(), .statistics = ConvEpilogue::Sums{bias.data()}});
  CHECK(apart(sums, wanted) == 0);
  CHECK(apart(bias, bias_wanted) < 1e-5);

  const OnGpu<Real> back(machine, 5 * columns), back_wanted(machine, 5 * columns);
  const auto normal = [&](const OnGpu<Real>& to) {
    Real* at = to.data();
    return NormalizeSums{.x = x.data(),
                         .mean = mean.data(),
                         .scale = scale.data(),
                         .gamma = nullptr,
                         .dgamma = at,
                         .dbeta = at + columns,
                         .factors = {at + 2 * columns, at + 3 * columns, at + 4 * columns}};
  };
  copied();
  normalize_grad_sums(on, bent, rows, columns, wanted.data(), y.data(), normal(back_wanted), wanted.data());
  convolve({.activation = bent, .activated = y.data(), .statistics = normal(back)});
  CHECK(apart(sums, wanted) == 0);
  CHECK(apart(back, back_wanted) < 1e-5);
}

TEST_CASE("statistics of the channels on the way out") {
  for (const bool to_small : {true, false}) {
    check_statistics(layer(2, 8, 5, 12, 5, 3, 1, 1), Precision::kTf32, to_small);
    if (!kThorough) continue;
    check_statistics(layer(3, 5, 5, 7, 3, 3, 2, 1), Precision::kFp32, to_small);       // odd channels, phases
    check_statistics(layer(64, 4, 6, 68, 6, 3, 1, 1), Precision::kFp32, to_small);     // many tiles
    check_statistics(layer(65, 132, 4, 136, 4, 1, 1, 0), Precision::kBf16, to_small);  // wide tiles
    check_statistics(layer(2, 260, 3, 264, 1, 3, 1, 0), Precision::kTf32, to_small);   // in parts
    check_statistics(layer(4, 3, 8, 64, 4, 4, 2, 1), Precision::kFp32, to_small);      // few channels
  }
}

TEST_CASE("the largest tile, or another on a GPU that has not the shared memory for it") {
  if (!kThorough) return;
  check_case(layer(8, 32, 8, 256, 8, 1, 1, 0), Precision::kTf32);
}

TEST_CASE("the layers of the MNIST and the CIFAR DCGAN") {
  if (!kThorough) return;
  check_case(layer(1, 256, 7, 256, 7, 5, 1, 2), Precision::kBf16);
  check_case(layer(1, 128, 14, 256, 7, 5, 2, 1), Precision::kTf32);
  check_case(layer(1, 1, 28, 128, 14, 5, 2, 1), Precision::kFp32);
  check_case(layer(1, 3, 32, 128, 16, 4, 2, 1), Precision::kTf32);
}

TEST_CASE("a captured step gives the bits of an eager one, again and again") {
  const Case c(layer(3, 36, 5, 72, 3, 3, 2, 1));
  for (const Precision precision : kPrecisions) {
    CudaMachine machine({.precision = precision});
    const CaseOnGpu on_gpu(machine, c);
    on_gpu.run();
    const Results eager = on_gpu.results();
    CudaGraph graph(machine.tag(), [&] { on_gpu.run(); });
    for (int i = 0; i < 2; ++i) {
      for (const OnGpu<Real>* result : {&on_gpu.to_big, &on_gpu.to_small, &on_gpu.to_weight}) {
        cudaMemsetAsync(result->data(), 0xff, result->host().size() * sizeof(Real), machine.tag().stream);
      }
      graph.replay();
      const Results again = on_gpu.results();
      CHECK(again.big == eager.big);
      CHECK(again.small == eager.small);
      CHECK(again.weight == eager.weight);
    }
  }
}

TEST_CASE("an empty batch gives empty images and a zero weight gradient") {
  const Case c(layer(0, 6, 4, 5, 4, 3, 1, 1));
  CudaMachine machine;
  const CaseOnGpu on_gpu(machine, c);
  on_gpu.run();
  CHECK(on_gpu.to_weight.host() == std::vector<Real>(c.weight.size(), 0));
  const OnGpu<Real> bias(machine, std::vector<Real>(8, 1)), nothing(machine, 0);
  const ConvEpilogue sums{.statistics = ConvEpilogue::Sums{bias.data()}};
  conv2d(machine.tag(), c.dims, nothing.data(), on_gpu.weight.data(), nothing.data(), sums);
  CHECK(bias.host() == std::vector<Real>{0, 0, 0, 0, 0, 1, 1, 1});
  conv_transpose2d(machine.tag(), c.dims, nothing.data(), on_gpu.weight.data(), nothing.data(), sums);
  CHECK(bias.host() == std::vector<Real>{0, 0, 0, 0, 0, 0, 1, 1});
}

TEST_CASE("factors are rounded as the precision says, and sums are not") {
  const Case c(layer(4, 64, 6, 32, 6, 3, 1, 1), random_values);
  double error[3];
  for (const Precision precision : kPrecisions) {
    CudaMachine machine({.precision = precision});
    const CaseOnGpu on_gpu(machine, c);
    on_gpu.run();
    error[static_cast<int>(precision)] = apart(on_gpu.results().small, c.wanted.small);
  }
  CHECK(error[0] < kSumTolerance);
  CHECK((error[1] > 1e-5 && error[1] < 5e-4));  // 2^-11 of each factor, of a sum whose errors cancel
  CHECK((error[2] > 1e-4 && error[2] < 4e-3));  // 2^-8
}

TEST_CASE("each convolution is the adjoint of the others") {
  const Case c({.batch = 6,
                .big_channels = 13,
                .big_h = 11,
                .big_w = 9,
                .small_channels = 10,
                .small_h = 6,
                .small_w = 5,
                .kernel_h = 4,
                .kernel_w = 3,
                .stride_h = 2,
                .stride_w = 2,
                .pad_top = 2,
                .pad_left = 1},
               random_values);
  CudaMachine machine;
  const CaseOnGpu on_gpu(machine, c);
  on_gpu.run();
  const Results got = on_gpu.results();
  const auto inner = [](const std::vector<Real>& a, const std::vector<Real>& b) {
    double sum = 0;
    for (size_t i = 0; i < a.size(); ++i) sum += static_cast<double>(a[i]) * b[i];
    return sum;
  };
  const double product = inner(got.small, c.small);
  REQUIRE(std::abs(product) > 1);
  CHECK(inner(got.big, c.big) == Approx(product).epsilon(1e-5));
  CHECK(inner(got.weight, c.weight) == Approx(product).epsilon(1e-5));
}

}  // namespace
}  // namespace tobogan::kernels
