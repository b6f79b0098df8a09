// The three convolutions against plain loops in double, over sizes that hit every path and every remainder.
#include "kernels/conv.h"

#include <cstring>

#include "tests/support/catch.h"
#include "tests/support/conv_cases.h"
#include "tests/support/kernel_inputs.h"

namespace tobogan {
namespace {

using kernels::ConvDims;

// Calls meet(big pixel, small pixel, tap) for all that meet, by the definition in conv.h.
template <class Meet>
void for_meetings(const ConvDims& d, const Meet& meet) {
  for (int i = 0; i < d.small_h; ++i) {
    for (int j = 0; j < d.small_w; ++j) {
      for (int u = 0; u < d.kernel_h; ++u) {
        for (int v = 0; v < d.kernel_w; ++v) {
          const int y = i * d.stride_h + u * d.dilation_h - d.pad_top;
          const int x = j * d.stride_w + v * d.dilation_w - d.pad_left;
          if (y < 0 || y >= d.big_h || x < 0 || x >= d.big_w) continue;
          meet(int64_t{y} * d.big_w + x, int64_t{i} * d.small_w + j, int64_t{u} * d.kernel_w + v);
        }
      }
    }
  }
}

// All three results at once.
struct Wanted {
  std::vector<double> big, small, weight;
};

Wanted by_plain_loops(const ConvDims& d, const std::vector<Real>& big, const std::vector<Real>& small,
                      const std::vector<Real>& weight) {
  Wanted wanted{std::vector<double>(big.size()), std::vector<double>(small.size()), std::vector<double>(weight.size())};
  for_meetings(d, [&](int64_t p, int64_t o, int64_t tap) {
    for (int n = 0; n < d.batch; ++n) {
      for (int s = 0; s < d.small_channels; ++s) {
        const size_t at_small = (o * d.batch + n) * d.small_channels + s;
        double sum = 0;
        const double factor = small[at_small];
        for (int b = 0; b < d.big_channels; ++b) {
          const size_t at_big = (p * d.batch + n) * d.big_channels + b;
          const size_t at_weight = (tap * d.small_channels + s) * d.big_channels + b;
          sum += static_cast<double>(big[at_big]) * weight[at_weight];
          wanted.big[at_big] += factor * weight[at_weight];
          wanted.weight[at_weight] += factor * big[at_big];
        }
        wanted.small[at_small] += sum;
      }
    }
  });
  return wanted;
}

struct Results {
  std::vector<Real> big, small, weight;
};

Results run(CpuMachine& machine, const ConvDims& d, const std::vector<Real>& big, const std::vector<Real>& small,
            const std::vector<Real>& weight) {
  // Results start as NaN: whatever is not written shows.
  Results got{std::vector<Real>(big.size(), NAN), std::vector<Real>(small.size(), NAN),
              std::vector<Real>(weight.size(), NAN)};
  kernels::conv2d(machine.tag(), d, big.data(), weight.data(), got.small.data());
  kernels::conv_transpose2d(machine.tag(), d, small.data(), weight.data(), got.big.data());
  kernels::conv2d_weight(machine.tag(), d, big.data(), small.data(), got.weight.data());
  return got;
}

std::string describe(const ConvDims& d) {
  std::string text;
  for (const int value : {d.batch, d.big_channels, d.big_h, d.big_w, d.small_channels, d.small_h, d.small_w, d.kernel_h,
                          d.kernel_w, d.stride_h, d.stride_w, d.pad_top, d.pad_left, d.dilation_h, d.dilation_w}) {
    text += std::to_string(value) + " ";
  }
  return text;
}

bool same_bits(const std::vector<Real>& a, const std::vector<Real>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(Real)) == 0;
}

void check_case(const ConvDims& d) {
  INFO("batch big c h w, small c h w, kernel, stride, pad, dilation: " << describe(d));
  const auto big = random_values(big_size(d), 1), small = random_values(small_size(d), 2);
  const auto weight = random_values(weight_size(d), 3);
  const Wanted wanted = by_plain_loops(d, big, small, weight);
  CpuMachine one(1), three(3);
  const Results got = run(one, d, big, small, weight), again = run(three, d, big, small, weight);
  CHECK(distance(got.small, wanted.small) < kSumTolerance);
  CHECK(distance(got.big, wanted.big) < kSumTolerance);
  CHECK(distance(got.weight, wanted.weight) < kSumTolerance);
  CHECK(same_bits(got.small, again.small));
  CHECK(same_bits(got.big, again.big));
  CHECK(same_bits(got.weight, again.weight));
  CHECK(one.pool.bytes_in_use() == 0);
}

// The inner product, in double, of two lists of numbers.
double inner(const std::vector<Real>& a, const std::vector<Real>& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += static_cast<double>(a[i]) * b[i];
  return sum;
}

TEST_CASE("geometries: strides, dilations, asymmetric padding, rectangular and oversized kernels") {
  const ConvDims geometries[] = {
      // 5x5 SAME on 7x7; 5x5 stride 2 SAME 14 -> 7 (padding 1 before, 2 after); 4x4 stride 2 padding 1.
      {.big_h = 7, .big_w = 7, .small_h = 7, .small_w = 7, .kernel_h = 5, .kernel_w = 5, .pad_top = 2, .pad_left = 2},
      {.big_h = 14,
       .big_w = 14,
       .small_h = 7,
       .small_w = 7,
       .kernel_h = 5,
       .kernel_w = 5,
       .stride_h = 2,
       .stride_w = 2,
       .pad_top = 1,
       .pad_left = 1},
      {.big_h = 8,
       .big_w = 6,
       .small_h = 4,
       .small_w = 3,
       .kernel_h = 4,
       .kernel_w = 4,
       .stride_h = 2,
       .stride_w = 2,
       .pad_top = 1,
       .pad_left = 1},
      // Rectangular everything.
      {.big_h = 9,
       .big_w = 5,
       .small_h = 3,
       .small_w = 4,
       .kernel_h = 3,
       .kernel_w = 2,
       .stride_h = 3,
       .stride_w = 1,
       .pad_top = 0,
       .pad_left = 0},
      // Dilated, with padding that reaches far outside.
      {.big_h = 9,
       .big_w = 10,
       .small_h = 6,
       .small_w = 5,
       .kernel_h = 3,
       .kernel_w = 3,
       .stride_h = 1,
       .stride_w = 2,
       .pad_top = 3,
       .pad_left = 1,
       .dilation_h = 2,
       .dilation_w = 2},
      // A kernel larger than the image.
      {.big_h = 3, .big_w = 3, .small_h = 4, .small_w = 4, .kernel_h = 7, .kernel_w = 7, .pad_top = 3, .pad_left = 3},
      // Dense layers: an image to one pixel, one pixel to an image, one to one.
      {.big_h = 7, .big_w = 7, .small_h = 1, .small_w = 1, .kernel_h = 7, .kernel_w = 7},
      {.big_h = 1, .big_w = 1, .small_h = 1, .small_w = 1, .kernel_h = 1, .kernel_w = 1},
      // Stride beyond the kernel: pixels that nothing meets.
      {.big_h = 7, .big_w = 8, .small_h = 3, .small_w = 3, .kernel_h = 1, .kernel_w = 2, .stride_h = 3, .stride_w = 3},
      // The small side sticks out beyond the padding: small pixels that meet nothing.
      {.big_h = 2, .big_w = 2, .small_h = 6, .small_w = 6, .kernel_h = 2, .kernel_w = 2, .pad_top = 2, .pad_left = 1},
  };
  for (ConvDims d : geometries) {
    for (const auto& [big, small] : {std::pair{5, 7}, {1, 6}, {3, 16}, {16, 1}, {33, 3}, {24, 17}}) {
      for (const int batch : {1, 2, 7}) {
        d.batch = batch;
        d.big_channels = big;
        d.small_channels = small;
        check_case(d);
      }
    }
  }
}

TEST_CASE("channels: around every width of tile") {
  for (const int big : {1, 2, 4, 5, 8, 15, 31, 33, 47, 49, 65}) {
    for (const int small : {1, 2, 3, 4, 5, 7, 9, 16, 17, 25, 40, 64}) {
      check_case({.batch = 5,
                  .big_channels = big,
                  .big_h = 5,
                  .big_w = 5,
                  .small_channels = small,
                  .small_h = 3,
                  .small_w = 3,
                  .kernel_h = 3,
                  .kernel_w = 3,
                  .stride_h = 2,
                  .stride_w = 2,
                  .pad_top = 1,
                  .pad_left = 1});
    }
  }
}

TEST_CASE("batches: around every height of tile") {
  for (const int batch : {1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 36, 50, 64, 65}) {
    for (const auto& [big, small] : {std::pair{1, 8}, {8, 1}, {20, 12}}) {
      check_case({.batch = batch,
                  .big_channels = big,
                  .big_h = 6,
                  .big_w = 6,
                  .small_channels = small,
                  .small_h = 6,
                  .small_w = 6,
                  .kernel_h = 3,
                  .kernel_w = 3,
                  .pad_top = 1,
                  .pad_left = 1});
    }
  }
}

TEST_CASE("long sums: several blocks of depth, lines and splits") {
  check_case({.batch = 64,
              .big_channels = 2,
              .big_h = 28,
              .big_w = 28,
              .small_channels = 9,
              .small_h = 14,
              .small_w = 14,
              .kernel_h = 5,
              .kernel_w = 5,
              .stride_h = 2,
              .stride_w = 2,
              .pad_top = 1,
              .pad_left = 1});
  check_case({.batch = 33,
              .big_channels = 17,
              .big_h = 16,
              .big_w = 16,
              .small_channels = 8,
              .small_h = 16,
              .small_w = 16,
              .kernel_h = 3,
              .kernel_w = 3,
              .pad_top = 1,
              .pad_left = 1});
  check_case({.batch = 3,
              .big_channels = 1100,
              .big_h = 3,
              .big_w = 3,
              .small_channels = 8,
              .small_h = 1,
              .small_w = 1,
              .kernel_h = 3,
              .kernel_w = 3});
  check_case({.batch = 3,
              .big_channels = 8,
              .big_h = 3,
              .big_w = 3,
              .small_channels = 1100,
              .small_h = 1,
              .small_w = 1,
              .kernel_h = 3,
              .kernel_w = 3});
}

TEST_CASE("an empty batch gives empty images and a zero weight gradient") {
  const ConvDims d{.batch = 0,
                   .big_channels = 6,
                   .big_h = 4,
                   .big_w = 4,
                   .small_channels = 5,
                   .small_h = 4,
                   .small_w = 4,
                   .kernel_h = 3,
                   .kernel_w = 3,
                   .pad_top = 1,
                   .pad_left = 1};
  CpuMachine machine(2);
  const std::vector<Real> weight = random_values(weight_size(d), 1);
  const Results got = run(machine, d, {}, {}, weight);
  CHECK(got.weight == std::vector<Real>(weight.size(), 0));
}

TEST_CASE("each convolution is the adjoint of the others") {
  const ConvDims d{.batch = 6,
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
                   .pad_left = 1};
  const auto x = random_values(big_size(d), 4), y = random_values(small_size(d), 5),
             w = random_values(weight_size(d), 6);
  CpuMachine machine(2);
  const Results got = run(machine, d, x, y, w);
  const double product = inner(got.small, y);
  REQUIRE(std::abs(product) > 1);
  CHECK(inner(got.big, x) == Approx(product).epsilon(sizeof(Real) == 4 ? 1e-5 : 1e-12));
  CHECK(inner(got.weight, w) == Approx(product).epsilon(sizeof(Real) == 4 ? 1e-5 : 1e-12));
}

}  // namespace
}  // namespace tobogan
