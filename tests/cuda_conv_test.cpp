// The three convolutions on a GPU against the CPU's: geometries, channels and batches around every tile, real layers.
#include <cmath>

#include "kernels/conv.h"
#include "kernels/cuda/graph.h"
#include "tests/support/catch.h"
#include "tests/support/kernel_inputs.h"
#include "tests/support/on_gpu.h"

namespace tobogan::kernels {
namespace {

int64_t big_size(const ConvDims& d) {
  return int64_t{d.batch} * d.big_channels * d.big_h * d.big_w;
}
int64_t small_size(const ConvDims& d) {
  return int64_t{d.batch} * d.small_channels * d.small_h * d.small_w;
}
int64_t weight_size(const ConvDims& d) {
  return int64_t{d.kernel_h} * d.kernel_w * d.small_channels * d.big_channels;
}

struct Results {
  std::vector<Real> big, small, weight;
};

// The operands of a case, and what the CPU makes of them.
struct Case {
  ConvDims dims;
  std::vector<Real> big, small, weight;
  Results wanted;

  explicit Case(const ConvDims& d)
      : dims(d),
        big(random_values(big_size(d), 1)),
        small(random_values(small_size(d), 2)),
        weight(random_values(weight_size(d), 3)),
        wanted{big, small, weight} {
    CpuMachine cpu(1);
    conv2d(cpu.tag(), d, big.data(), weight.data(), wanted.small.data());
    conv_transpose2d(cpu.tag(), d, small.data(), weight.data(), wanted.big.data());
    conv2d_weight(cpu.tag(), d, big.data(), small.data(), wanted.weight.data());
  }
};

Results run(CudaMachine& machine, const Case& c) {
  const OnGpu<Real> big(machine, c.big), small(machine, c.small), weight(machine, c.weight);
  const OnGpu<Real> to_big(machine, std::vector<Real>(c.big.size(), NAN));
  const OnGpu<Real> to_small(machine, std::vector<Real>(c.small.size(), NAN));
  const OnGpu<Real> to_weight(machine, std::vector<Real>(c.weight.size(), NAN));
  const Cuda on = machine.tag();
  conv2d(on, c.dims, big.data(), weight.data(), to_small.data());
  conv_transpose2d(on, c.dims, small.data(), weight.data(), to_big.data());
  conv2d_weight(on, c.dims, big.data(), small.data(), to_weight.data());
  return {to_big.host(), to_small.host(), to_weight.host()};
}

std::string describe(const ConvDims& d) {
  std::string text;
  for (const int value : {d.batch, d.big_channels, d.big_h, d.big_w, d.small_channels, d.small_h, d.small_w, d.kernel_h,
                          d.kernel_w, d.stride_h, d.stride_w, d.pad_top, d.pad_left, d.dilation_h, d.dilation_w}) {
    text += std::to_string(value) + " ";
  }
  return text;
}

void check_case(CudaMachine& machine, const ConvDims& d) {
  INFO("batch big c h w, small c h w, kernel, stride, pad, dilation: " << describe(d));
  const Case c(d);
  const Results got = run(machine, c);
  const auto in_double = [](const std::vector<Real>& values) {
    return std::vector<double>(values.begin(), values.end());
  };
  CHECK(distance(got.small, in_double(c.wanted.small)) < 2 * kSumTolerance);
  CHECK(distance(got.big, in_double(c.wanted.big)) < 2 * kSumTolerance);
  CHECK(distance(got.weight, in_double(c.wanted.weight)) < 2 * kSumTolerance);
}

// A square layer with the same channels on both sides.
ConvDims layer(int batch, int big_channels, int big, int small_channels, int small, int kernel, int stride, int pad) {
  return {.batch = batch,
          .big_channels = big_channels,
          .big_h = big,
          .big_w = big,
          .small_channels = small_channels,
          .small_h = small,
          .small_w = small,
          .kernel_h = kernel,
          .kernel_w = kernel,
          .stride_h = stride,
          .stride_w = stride,
          .pad_top = pad,
          .pad_left = pad};
}

TEST_CASE("geometries: strides, dilations, asymmetric padding, rectangular and oversized kernels") {
  ConvDims geometries[] = {layer(2, 5, 7, 7, 7, 5, 1, 2),   // SAME
                           layer(2, 5, 14, 7, 7, 5, 2, 1),  // SAME under stride 2: one before, two after
                           layer(3, 5, 3, 3, 4, 7, 1, 3),   // a kernel larger than the image
                           layer(5, 6, 4, 9, 1, 4, 1, 0),   // an image to one pixel
                           layer(5, 6, 1, 9, 1, 1, 1, 0),   // a matrix product
                           layer(2, 3, 7, 4, 3, 1, 3, 0),   // pixels that nothing meets
                           layer(2, 3, 2, 4, 6, 2, 1, 2),   // small pixels that meet nothing
                           layer(1, 4, 9, 5, 6, 3, 1, 3),  layer(2, 3, 11, 4, 2, 3, 4, 1)};
  for (ConvDims& d : geometries) {
    CudaMachine machine;
    check_case(machine, d);
    d.stride_w = 1;  // one axis unlike the other
    d.kernel_w = 2;
    d.pad_left = 0;
    d.dilation_h = 2;
    check_case(machine, d);
    d.stride_h = 2;
    d.dilation_w = 3;
    d.big_w += 3;
    check_case(machine, d);
  }
}

}  // namespace
}  // namespace tobogan::kernels
