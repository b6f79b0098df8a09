// The layers of the papers' networks, and sums in double at some places of their results.
#include "bench/op_rows.h"

#include <algorithm>
#include <cmath>

#include "kernels/conv.h"
#include "kernels/matmul.h"
#include "kernels/philox.h"
#include "kernels/pixels.h"
#include "tests/support/conv_cases.h"
#ifdef TOBOGAN_WITH_CUDNN
#include "kernels/cudnn/library.h"
#endif

namespace tobogan::bench {

std::vector<size_t> places(int count, size_t size) {
  std::vector<size_t> chosen;
  for (int i = 0; i < count; ++i) chosen.push_back(kernels::random_block(99, 0, 0, i).word[0] % size);
  return chosen;
}

double relative_error(const std::vector<double>& wanted, const std::vector<double>& got) {
  double apart = 0, largest = 1e-30;
  for (size_t i = 0; i < wanted.size(); ++i) {
    apart = std::max(apart, std::abs(wanted[i] - got[i]));
    largest = std::max(largest, std::abs(wanted[i]));
  }
  return apart / largest;
}

namespace {

using kernels::ConvDims;
using kernels::MatmulDims;
using kernels::PixelPairs;

constexpr int kPlaces = 200;

int64_t meetings(const ConvDims& d) {
  const PixelPairs list = PixelPairs::of_small(d);
  int64_t rows = 0, columns = 0;
  for (int i = 0; i < d.small_h; ++i) rows += list.rows.size(i);
  for (int j = 0; j < d.small_w; ++j) columns += list.columns.size(j);
  return rows * columns;
}

double conv_error(const ConvDims& d, const Values& big, const Values& weight, const Values& result) {
  const PixelPairs list = PixelPairs::of_small(d);
  std::vector<double> wanted, got;
  for (const size_t at : places(kPlaces, result.size())) {
    const int s = static_cast<int>(at % d.small_channels);
    const int64_t image = at / d.small_channels % d.batch, pixel = at / d.small_channels / d.batch;
    const int row = static_cast<int>(pixel / d.small_w), column = static_cast<int>(pixel % d.small_w);
    double sum = 0;
    for (auto* u = list.rows.begin(row); u != list.rows.end(row); ++u) {
      for (auto* v = list.columns.begin(column); v != list.columns.end(column); ++v) {
        const Real* x = &big[((int64_t{u->other} * d.big_w + v->other) * d.batch + image) * d.big_channels];
        const Real* w = &weight[((int64_t{u->tap} * d.kernel_w + v->tap) * d.small_channels + s) * d.big_channels];
        for (int b = 0; b < d.big_channels; ++b) sum += static_cast<double>(x[b]) * w[b];
      }
    }
    wanted.push_back(sum);
    got.push_back(result[at]);
  }
  return relative_error(wanted, got);
}

double conv_transpose_error(const ConvDims& d, const Values& small, const Values& weight, const Values& result) {
  const PixelPairs list = PixelPairs::of_big(d);
  std::vector<double> wanted, got;
  for (const size_t at : places(kPlaces, result.size())) {
    const int b = static_cast<int>(at % d.big_channels);
    const int64_t image = at / d.big_channels % d.batch, pixel = at / d.big_channels / d.batch;
    const int row = static_cast<int>(pixel / d.big_w), column = static_cast<int>(pixel % d.big_w);
    double sum = 0;
    for (auto* u = list.rows.begin(row); u != list.rows.end(row); ++u) {
      for (auto* v = list.columns.begin(column); v != list.columns.end(column); ++v) {
        const Real* x = &small[((int64_t{u->other} * d.small_w + v->other) * d.batch + image) * d.small_channels];
        const Real* w = &weight[(int64_t{u->tap} * d.kernel_w + v->tap) * d.small_channels * d.big_channels + b];
        for (int s = 0; s < d.small_channels; ++s) sum += static_cast<double>(x[s]) * w[int64_t{s} * d.big_channels];
      }
    }
    wanted.push_back(sum);
    got.push_back(result[at]);
  }
  return relative_error(wanted, got);
}

double conv_weight_error(const ConvDims& d, const Values& big, const Values& small, const Values& result) {
  const PixelPairs list = PixelPairs::of_small(d);
  std::vector<double> wanted, got;
  for (const size_t at : places(kPlaces / 10, result.size())) {
    const int b = static_cast<int>(at % d.big_channels), s = static_cast<int>(at / d.big_channels % d.small_channels);
    const int tap = static_cast<int>(at / d.big_channels / d.small_channels);
    double sum = 0;
    for (int row = 0; row < d.small_h; ++row) {
      for (int column = 0; column < d.small_w; ++column) {
        for (auto* u = list.rows.begin(row); u != list.rows.end(row); ++u) {
          for (auto* v = list.columns.begin(column); v != list.columns.end(column); ++v) {
            if (u->tap * d.kernel_w + v->tap != tap) continue;
            const Real* x = &big[(int64_t{u->other} * d.big_w + v->other) * d.batch * d.big_channels + b];
            const Real* y = &small[(int64_t{row} * d.small_w + column) * d.batch * d.small_channels + s];
            for (int64_t image = 0; image < d.batch; ++image) {
              sum += static_cast<double>(x[image * d.big_channels]) * y[image * d.small_channels];
            }
          }
        }
      }
    }
    wanted.push_back(sum);
    got.push_back(result[at]);
  }
  return relative_error(wanted, got);
}

// The three convolutions of one layer.
void add_conv(std::vector<OpRow>& rows, const std::string& name, const ConvDims& d) {
  const double channels = 2.0 * d.batch * d.big_channels * d.small_channels;
  const double nominal = channels * d.kernel_h * d.kernel_w * d.small_h * d.small_w;
  const double useful = channels * static_cast<double>(meetings(d));
  const int64_t big = big_size(d), small = small_size(d), weight = weight_size(d);
  const double bytes = sizeof(Real) * static_cast<double>(big + small + weight);
  const auto add = [&](const char* what, int64_t x, int64_t y, int64_t result, const auto& kernel, auto error,
                       InLibraryLayout library) {
    rows.push_back({.name = name + " " + what,
                    .nominal_flops = nominal,
                    .useful_flops = useful,
                    .bytes = bytes,
                    .counts = {x, y, result},
                    .kernel = on_machines(kernel),
                    .error = [=](const Values& a, const Values& b, const Values& c) { return error(d, a, b, c); },
                    .library = std::move(library)});
  };
  InLibraryLayout conv, transpose, of_weight;
#ifdef TOBOGAN_WITH_CUDNN
  const ConvDims l = kernels::library_dims(d);
  const int64_t library_big = big_size(l);
  conv = {{library_big, weight, small},
          [l](auto on, auto* x, auto* w, auto* y) { kernels::library_conv2d(on, l, x, w, y); }};
  transpose = {{small, weight, library_big},
               [l](auto on, auto* y, auto* w, auto* x) { kernels::library_conv_transpose2d(on, l, y, w, x); }};
  of_weight = {{library_big, small, weight},
               [l](auto on, auto* x, auto* y, auto* w) { kernels::library_conv2d_weight(on, l, x, y, w); }};
#endif
  add(
      "conv", big, weight, small, [d](auto on, auto* x, auto* w, auto* y) { kernels::conv2d(on, d, x, w, y); },
      conv_error, conv);
  add(
      "transpose", small, weight, big,
      [d](auto on, auto* y, auto* w, auto* x) { kernels::conv_transpose2d(on, d, y, w, x); }, conv_transpose_error,
      transpose);
  add(
      "weight", big, small, weight, [d](auto on, auto* x, auto* y, auto* w) { kernels::conv2d_weight(on, d, x, y, w); },
      conv_weight_error, of_weight);
}

double matmul_error(const MatmulDims& d, const Values& a, const Values& b, const Values& c) {
  std::vector<double> wanted, got;
  for (const size_t at : places(kPlaces, c.size())) {
    const int64_t row = at / d.columns, column = at % d.columns;
    double sum = 0;
    for (int64_t k = 0; k < d.inner; ++k) {
      const double left = a[d.transpose_a ? k * d.rows + row : row * d.inner + k];
      sum += left * b[d.transpose_b ? column * d.inner + k : k * d.columns + column];
    }
    wanted.push_back(sum);
    got.push_back(c[at]);
  }
  return relative_error(wanted, got);
}

void add_matmul(std::vector<OpRow>& rows, const std::string& name, const MatmulDims& d) {
  const double flops = 2.0 * d.rows * d.columns * d.inner;
  const int64_t a = int64_t{d.rows} * d.inner, b = int64_t{d.inner} * d.columns, c = int64_t{d.rows} * d.columns;
  rows.push_back(
      {.name = name,
       .nominal_flops = flops,
       .useful_flops = flops,
       .bytes = sizeof(Real) * static_cast<double>(a + b + c),
       .counts = {a, b, c},
       .kernel = on_machines([d](auto on, auto* x, auto* y, auto* z) { kernels::matmul(on, d, x, y, z); }),
       .error = [d](const Values& x, const Values& y, const Values& z) { return matmul_error(d, x, y, z); }});
}

}  // namespace

std::vector<OpRow> op_rows() {
  std::vector<OpRow> rows;
  // MNIST DCGAN of Abadi et al. with alpha 2, batch 64: a transposed layer's "small" side is its input.
  add_conv(rows, "mnist G 256-256 5x5 7", layer(64, 256, 7, 256, 7, 5, 1, 2));
  add_conv(rows, "mnist G 256-128 5x5/2 7-14", layer(64, 128, 14, 256, 7, 5, 2, 1));
  add_conv(rows, "mnist G 128-1 5x5/2 14-28", layer(64, 1, 28, 128, 14, 5, 2, 1));
  add_conv(rows, "mnist D 1-64 5x5/2 28-14", layer(64, 1, 28, 64, 14, 5, 2, 1));
  add_conv(rows, "mnist D 64-128 5x5/2 14-7", layer(64, 64, 14, 128, 7, 5, 2, 1));
  add_conv(rows, "mnist D dense 6272-1", layer(64, 128, 7, 1, 1, 7, 1, 0));
  add_conv(rows, "mnist G dense 100-12544", layer(64, 256, 7, 100, 1, 7, 1, 0));
  // The same at the batch sizes of 500 images cut by 10 classes, and with smaller alpha.
  add_conv(rows, "batch 50 256-256 5x5 7", layer(50, 256, 7, 256, 7, 5, 1, 2));
  add_conv(rows, "batch 36 256-128 5x5/2 7-14", layer(36, 128, 14, 256, 7, 5, 2, 1));
  add_conv(rows, "batch 50 64-64 5x5 7", layer(50, 64, 7, 64, 7, 5, 1, 2));
  add_conv(rows, "batch 50 16-32 5x5/2 14-7", layer(50, 16, 14, 32, 7, 5, 2, 1));
  // CIFAR DCGAN 512-256-128, batch 64.
  add_conv(rows, "cifar G 512-256 4x4/2 4-8", layer(64, 256, 8, 512, 4, 4, 2, 1));
  add_conv(rows, "cifar G 256-128 4x4/2 8-16", layer(64, 128, 16, 256, 8, 4, 2, 1));
  add_conv(rows, "cifar 128-3 4x4/2 16-32", layer(64, 3, 32, 128, 16, 4, 2, 1));
  // ClusterGAN, batch 64.
  add_conv(rows, "cluster G 128-64 4x4/2 7-14", layer(64, 64, 14, 128, 7, 4, 2, 1));
  add_conv(rows, "cluster 64-1 4x4/2 14-28", layer(64, 1, 28, 64, 14, 4, 2, 1));
  add_conv(rows, "cluster D 64-128 4x4/2 14-7", layer(64, 64, 14, 128, 7, 4, 2, 1));
  add_conv(rows, "cluster D dense 6272-1024", layer(64, 128, 7, 1024, 1, 7, 1, 0));
  // ResNet18 of 32 x 32 images, and a larger one: of 64 pixels' side, one at a time.
  add_conv(rows, "resnet 3-64 7x7/2 32-16", layer(64, 3, 32, 64, 16, 7, 2, 3));
  add_conv(rows, "resnet 64-64 3x3 8", layer(64, 64, 8, 64, 8, 3, 1, 1));
  add_conv(rows, "resnet 64-128 3x3/2 8-4", layer(64, 64, 8, 128, 4, 3, 2, 1));
  add_conv(rows, "resnet 128-128 3x3 4", layer(64, 128, 4, 128, 4, 3, 1, 1));
  add_conv(rows, "resnet 256-256 3x3 2", layer(64, 256, 2, 256, 2, 3, 1, 1));
  add_conv(rows, "resnet 512-512 3x3 1", layer(64, 512, 1, 512, 1, 3, 1, 1));
  add_conv(rows, "one image 64-64 3x3 64", layer(1, 64, 64, 64, 64, 3, 1, 1));
  // LeNet-5 of 32 x 32 colour images.
  add_conv(rows, "lenet 3-6 5x5 32-28", layer(64, 3, 32, 6, 28, 5, 1, 0));
  add_conv(rows, "lenet 6-16 5x5 14-10", layer(64, 6, 14, 16, 10, 5, 1, 0));
  // Dense layers: forward, input gradient, weight gradient.
  add_matmul(rows, "cluster 64x6272x1024", {.rows = 64, .columns = 6272, .inner = 1024, .transpose_b = true});
  add_matmul(rows, "cluster input gradient", {.rows = 64, .columns = 1024, .inner = 6272});
  add_matmul(rows, "cluster weight gradient", {.rows = 6272, .columns = 1024, .inner = 64, .transpose_a = true});
  add_matmul(rows, "mlp 64x300x784", {.rows = 64, .columns = 300, .inner = 784, .transpose_b = true});
  add_matmul(rows, "mlp input gradient", {.rows = 64, .columns = 784, .inner = 300});
  add_matmul(rows, "mlp weight gradient", {.rows = 300, .columns = 784, .inner = 64, .transpose_a = true});
  add_matmul(rows, "mlp 64x10x300", {.rows = 64, .columns = 10, .inner = 300, .transpose_b = true});
  add_matmul(rows, "mlp 10 weight gradient", {.rows = 10, .columns = 300, .inner = 64, .transpose_a = true});
  add_matmul(rows, "square 512", {.rows = 512, .columns = 512, .inner = 512});
  add_matmul(rows, "square 1024", {.rows = 1024, .columns = 1024, .inner = 1024});
  add_matmul(rows, "square 1024 a^T", {.rows = 1024, .columns = 1024, .inner = 1024, .transpose_a = true});
  add_matmul(rows, "square 1024 b^T", {.rows = 1024, .columns = 1024, .inner = 1024, .transpose_b = true});
  for (OpRow& row : memory_rows()) rows.push_back(std::move(row));
  return rows;
}

}  // namespace tobogan::bench
