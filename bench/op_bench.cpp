// Every kernel at the sizes that training uses: first whether it is right, then how fast it is.
//
// A row is one kernel at one size.  It is checked at some places against sums in double, then timed on one thread
// (processor time) and on several (wall time), beside the machine's peak measured in the same rounds.  "useful" flops
// leave out multiplications by padding zeros, so "nominal" may exceed the peak.  To add a kernel, add rows to the list
// in main().
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "bench/machine.h"
#include "bench/timing.h"
#include "kernels/conv.h"
#include "kernels/matmul.h"
#include "kernels/pixels.h"
#include "tests/support/kernel_inputs.h"

namespace tobogan::bench {
namespace {

using kernels::ConvDims;
using kernels::Cpu;
using kernels::MatmulDims;
using kernels::PixelPairs;
using Values = std::vector<Real>;

struct Case {
  std::function<void(Cpu)> run;
  std::function<double()> error;  // after a run: the largest relative error at the places looked at
};

struct Row {
  std::string name;
  double nominal_flops, useful_flops, bytes;
  std::function<Case()> set_up;
};

// Places of a result that are looked at.
constexpr int kPlaces = 200;
uint64_t place(int i, size_t size) {
  return kernels::random_block(99, 0, 0, i).word[0] % size;
}

double relative_error(const std::vector<double>& wanted, const std::vector<double>& got) {
  double apart = 0, largest = 1e-30;
  for (size_t i = 0; i < wanted.size(); ++i) {
    apart = std::max(apart, std::abs(wanted[i] - got[i]));
    largest = std::max(largest, std::abs(wanted[i]));
  }
  return apart / largest;
}

struct ConvCase {
  ConvDims dims;
  Values big, small, weight, result;
  explicit ConvCase(const ConvDims& d)
      : dims(d),
        big(random_values(int64_t{d.batch} * d.big_channels * d.big_h * d.big_w, 1)),
        small(random_values(int64_t{d.batch} * d.small_channels * d.small_h * d.small_w, 2)),
        weight(random_values(int64_t{d.kernel_h} * d.kernel_w * d.small_channels * d.big_channels, 3)) {}
};

int64_t meetings(const ConvDims& d) {
  const PixelPairs list = PixelPairs::of_small(d);
  int64_t rows = 0, columns = 0;
  for (int i = 0; i < d.small_h; ++i) rows += list.rows.size(i);
  for (int j = 0; j < d.small_w; ++j) columns += list.columns.size(j);
  return rows * columns;
}

double conv_error(const ConvCase& c) {
  const ConvDims& d = c.dims;
  const PixelPairs list = PixelPairs::of_small(d);
  std::vector<double> wanted, got;
  for (int i = 0; i < kPlaces; ++i) {
    const size_t at = place(i, c.result.size());
    const int s = static_cast<int>(at % d.small_channels);
    const int64_t image = at / d.small_channels % d.batch, pixel = at / d.small_channels / d.batch;
    const int row = static_cast<int>(pixel / d.small_w), column = static_cast<int>(pixel % d.small_w);
    double sum = 0;
    for (auto* u = list.rows.begin(row); u != list.rows.end(row); ++u) {
      for (auto* v = list.columns.begin(column); v != list.columns.end(column); ++v) {
        const Real* x = &c.big[((int64_t{u->other} * d.big_w + v->other) * d.batch + image) * d.big_channels];
        const Real* w = &c.weight[((int64_t{u->tap} * d.kernel_w + v->tap) * d.small_channels + s) * d.big_channels];
        for (int b = 0; b < d.big_channels; ++b) sum += static_cast<double>(x[b]) * w[b];
      }
    }
    wanted.push_back(sum);
    got.push_back(c.result[at]);
  }
  return relative_error(wanted, got);
}

double conv_transpose_error(const ConvCase& c) {
  const ConvDims& d = c.dims;
  const PixelPairs list = PixelPairs::of_big(d);
  std::vector<double> wanted, got;
  for (int i = 0; i < kPlaces; ++i) {
    const size_t at = place(i, c.result.size());
    const int b = static_cast<int>(at % d.big_channels);
    const int64_t image = at / d.big_channels % d.batch, pixel = at / d.big_channels / d.batch;
    const int row = static_cast<int>(pixel / d.big_w), column = static_cast<int>(pixel % d.big_w);
    double sum = 0;
    for (auto* u = list.rows.begin(row); u != list.rows.end(row); ++u) {
      for (auto* v = list.columns.begin(column); v != list.columns.end(column); ++v) {
        const Real* x = &c.small[((int64_t{u->other} * d.small_w + v->other) * d.batch + image) * d.small_channels];
        const Real* w = &c.weight[(int64_t{u->tap} * d.kernel_w + v->tap) * d.small_channels * d.big_channels + b];
        for (int s = 0; s < d.small_channels; ++s) sum += static_cast<double>(x[s]) * w[int64_t{s} * d.big_channels];
      }
    }
    wanted.push_back(sum);
    got.push_back(c.result[at]);
  }
  return relative_error(wanted, got);
}

double conv_weight_error(const ConvCase& c) {
  const ConvDims& d = c.dims;
  const PixelPairs list = PixelPairs::of_small(d);
  std::vector<double> wanted, got;
  for (int i = 0; i < kPlaces / 10; ++i) {
    const size_t at = place(i, c.result.size());
    const int b = static_cast<int>(at % d.big_channels), s = static_cast<int>(at / d.big_channels % d.small_channels);
    const int tap = static_cast<int>(at / d.big_channels / d.small_channels);
    double sum = 0;
    for (int row = 0; row < d.small_h; ++row) {
      for (int column = 0; column < d.small_w; ++column) {
        for (auto* u = list.rows.begin(row); u != list.rows.end(row); ++u) {
          for (auto* v = list.columns.begin(column); v != list.columns.end(column); ++v) {
            if (u->tap * d.kernel_w + v->tap != tap) continue;
            const Real* x = &c.big[(int64_t{u->other} * d.big_w + v->other) * d.batch * d.big_channels + b];
            const Real* y = &c.small[(int64_t{row} * d.small_w + column) * d.batch * d.small_channels + s];
            for (int64_t image = 0; image < d.batch; ++image) {
              sum += static_cast<double>(x[image * d.big_channels]) * y[image * d.small_channels];
            }
          }
        }
      }
    }
    wanted.push_back(sum);
    got.push_back(c.result[at]);
  }
  return relative_error(wanted, got);
}

// The three convolutions of one layer.
void add_conv(std::vector<Row>& rows, const std::string& name, const ConvDims& d) {
  const double channels = 2.0 * d.batch * d.big_channels * d.small_channels;
  const double nominal = channels * d.kernel_h * d.kernel_w * d.small_h * d.small_w;
  const double useful = channels * static_cast<double>(meetings(d));
  const double bytes = sizeof(Real) * (1.0 * d.batch * d.big_channels * d.big_h * d.big_w +
                                       1.0 * d.batch * d.small_channels * d.small_h * d.small_w +
                                       1.0 * d.kernel_h * d.kernel_w * d.small_channels * d.big_channels);
  using Kernel = void (*)(Cpu, const ConvDims&, const Real*, const Real*, Real*);
  const auto add = [&](const char* what, Kernel kernel, Values ConvCase::*x, Values ConvCase::*y,
                       Values ConvCase::*result, double (*error)(const ConvCase&)) {
    rows.push_back({name + " " + what, nominal, useful, bytes, [=] {
                      auto c = std::make_shared<ConvCase>(d);
                      c->result.resize(((*c).*result).size());
                      return Case{
                          [=](Cpu on) { kernel(on, c->dims, ((*c).*x).data(), ((*c).*y).data(), c->result.data()); },
                          [=] { return error(*c); }};
                    }});
  };
  add("conv", kernels::conv2d, &ConvCase::big, &ConvCase::weight, &ConvCase::small, conv_error);
  add("transpose", kernels::conv_transpose2d, &ConvCase::small, &ConvCase::weight, &ConvCase::big,
      conv_transpose_error);
  add("weight", kernels::conv2d_weight, &ConvCase::big, &ConvCase::small, &ConvCase::weight, conv_weight_error);
}

void add_matmul(std::vector<Row>& rows, const std::string& name, const MatmulDims& d) {
  const double flops = 2.0 * d.rows * d.columns * d.inner;
  const double bytes = sizeof(Real) * (1.0 * d.rows * d.inner + 1.0 * d.inner * d.columns + 1.0 * d.rows * d.columns);
  rows.push_back({name, flops, flops, bytes, [=] {
                    auto a = std::make_shared<Values>(random_values(int64_t{d.rows} * d.inner, 1));
                    auto b = std::make_shared<Values>(random_values(int64_t{d.inner} * d.columns, 2));
                    auto c = std::make_shared<Values>(static_cast<size_t>(d.rows) * d.columns);
                    const auto error = [=] {
                      std::vector<double> wanted, got;
                      for (int i = 0; i < kPlaces; ++i) {
                        const size_t at = place(i, c->size());
                        const int64_t row = at / d.columns, column = at % d.columns;
                        double sum = 0;
                        for (int64_t k = 0; k < d.inner; ++k) {
                          const double left = (*a)[d.transpose_a ? k * d.rows + row : row * d.inner + k];
                          sum += left * (*b)[d.transpose_b ? column * d.inner + k : k * d.columns + column];
                        }
                        wanted.push_back(sum);
                        got.push_back((*c)[at]);
                      }
                      return relative_error(wanted, got);
                    };
                    return Case{[=](Cpu on) { kernels::matmul(on, d, a->data(), b->data(), c->data()); }, error};
                  }});
}

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

std::vector<Row> all_rows() {
  std::vector<Row> rows;
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
  // ResNet18, and images of one.
  add_conv(rows, "resnet 64-64 3x3 32", layer(64, 64, 32, 64, 32, 3, 1, 1));
  add_conv(rows, "resnet 128-128 3x3 16", layer(64, 128, 16, 128, 16, 3, 1, 1));
  add_conv(rows, "resnet 256-256 3x3 8", layer(64, 256, 8, 256, 8, 3, 1, 1));
  add_conv(rows, "resnet 512-512 3x3 4", layer(64, 512, 4, 512, 4, 3, 1, 1));
  add_conv(rows, "one image 64-64 3x3 64", layer(1, 64, 64, 64, 64, 3, 1, 1));
  // LeNet-5.
  add_conv(rows, "lenet 1-6 5x5 28", layer(64, 1, 28, 6, 28, 5, 1, 2));
  add_conv(rows, "lenet 6-16 5x5 14-10", layer(64, 6, 14, 16, 10, 5, 1, 0));
  // Dense layers: forward, input gradient, weight gradient.
  add_matmul(rows, "mlp 64x300x784", {.rows = 64, .columns = 300, .inner = 784, .transpose_b = true});
  add_matmul(rows, "mlp input gradient", {.rows = 64, .columns = 784, .inner = 300});
  add_matmul(rows, "mlp weight gradient", {.rows = 300, .columns = 784, .inner = 64, .transpose_a = true});
  add_matmul(rows, "mlp 64x10x300", {.rows = 64, .columns = 10, .inner = 300, .transpose_b = true});
  add_matmul(rows, "mlp 10 weight gradient", {.rows = 10, .columns = 300, .inner = 64, .transpose_a = true});
  add_matmul(rows, "square 512", {.rows = 512, .columns = 512, .inner = 512});
  add_matmul(rows, "square 1024", {.rows = 1024, .columns = 1024, .inner = 1024});
  add_matmul(rows, "square 1024 a^T", {.rows = 1024, .columns = 1024, .inner = 1024, .transpose_a = true});
  add_matmul(rows, "square 1024 b^T", {.rows = 1024, .columns = 1024, .inner = 1024, .transpose_b = true});
  return rows;
}

// Sets the row up, checks it, measures it with the peak beside it, prints a line.
bool run_row(const Row& row, CpuMachine& one, CpuMachine& many, const Rounds& rounds) {
  const Case test = row.set_up();
  test.run(many.tag());
  const double error = test.error();
  const double peak_flops = run_multiply_adds(one.threads), peak_flops_many = run_multiply_adds(many.threads);
  std::vector<Subject> subjects{{[&] { run_multiply_adds(one.threads); }, 1}, {[&] { test.run(one.tag()); }, 1}};
  if (many.threads.count() > 1) {
    subjects.push_back({[&] { run_multiply_adds(many.threads); }, many.threads.count()});
    subjects.push_back({[&] { test.run(many.tag()); }, many.threads.count()});
  }
  const std::vector<Timing> timings = measure(subjects, rounds);
  std::printf("%-34s", row.name.c_str());
  for (size_t i = 1; i < timings.size(); i += 2) {
    const Timing& t = timings[i];
    const Timing& peak = timings[i - 1];
    const double share = row.useful_flops / (i == 1 ? peak_flops : peak_flops_many);
    std::printf(" | %9.1f us +-%4.1f%% %6.1f %6.1f GF/s %5.1f%% (best %5.1f%%) %5.1f GB/s", t.median * 1e6,
                50 * (t.high - t.low) / t.median, row.nominal_flops / t.median * 1e-9,
                row.useful_flops / t.median * 1e-9, 100 * share * peak.median / t.median,
                100 * share * peak.best / t.best, row.bytes / t.median * 1e-9);
    if (i == 3) std::printf(" (%d/%d quiet)", t.quiet_rounds, t.rounds);
  }
  const bool right = error < 1e-5;
  std::printf(" | error %.0e%s\n", error, right ? "" : " WRONG");
  std::fflush(stdout);
  return right;
}

int run(int threads, const std::string& filter, const Rounds& rounds) {
  CpuMachine one(1), many(threads);
  std::printf(
      "%s\n1 thread: processor time; %d threads: wall time.  us, half spread, nominal and useful GFLOP/s,\n"
      "useful flops in percent of the multiply-add peak measured in the same rounds (median to median and best to\n"
      "best: where neighbours share the machine only the latter tells of the kernel), GB/s of operands\n",
      processor_name().c_str(), threads);
  bool right = true;
  for (const Row& row : all_rows()) {
    if (row.name.find(filter) != std::string::npos) right = run_row(row, one, many, rounds) && right;
  }
  return right ? 0 : 1;
}

}  // namespace
}  // namespace tobogan::bench

int main(int argc, char** argv) {
  CLI::App app("Checks and times kernels at the sizes that training uses");
  int threads = 2;
  std::string filter;
  tobogan::bench::Rounds rounds;
  app.add_option("--threads", threads, "threads of the second column")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  app.add_option("--filter", filter, "only rows whose name contains this");
  app.add_option("--rounds", rounds.count, "rounds")->check(CLI::Range(1, 1000))->capture_default_str();
  app.add_option("--seconds", rounds.seconds, "per subject and round")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  return tobogan::bench::run(threads, filter, rounds);
}
