// Sums and the places of the largest on the GPU against the CPU's: every pattern of kept and summed axes.
#include "kernels/cuda/graph.h"
#include "kernels/elementwise.h"
#include "kernels/loss.h"
#include "kernels/reduce.h"
#include "tests/support/cuda_kernels.h"

namespace tobogan::kernels {
namespace {

// Terms of both signs: an error is measured against their number.
double room(int64_t terms) {
  return 1 + 0.05 * static_cast<double>(terms);
}

TEST_CASE("sums over every pattern of axes") {
  BothMachines on;
  const std::vector<std::array<int64_t, 4>> sizes = {{1, 1, 1, 1},   {1, 1, 1, 3},    {2, 3, 5, 4},    {3, 7, 11, 33},
                                                     {1, 1, 600, 3}, {1, 1, 2500, 1}, {1, 1, 257, 64}, {2, 0, 3, 4}};
  for (const auto& size : sizes) {
    const Extents extents{size};
    const Reals x = test_values(extents.count(), 11);
    for (int pattern = 0; pattern < 16; ++pattern) {
      std::array<bool, 4> keep;
      int64_t kept = 1;
      for (int axis = 0; axis < 4; ++axis) {
        keep[axis] = (pattern >> axis & 1) != 0;
        kept *= keep[axis] ? size[axis] : 1;
      }
      Reals want(static_cast<size_t>(kept));
      sum(on.cpu.tag(), extents, keep, x.data(), want.data());
      for (const int64_t offset : {0, 1}) {
        const Shifted<Real> in(on.cuda, x, offset);
        INFO("sizes " << size[0] << ", " << size[1] << ", " << size[2] << ", " << size[3] << ", pattern " << pattern);
        const auto run = [&](Cuda cuda, Real* y) { sum(cuda, extents, keep, in.data(), y); };
        CHECK(apart(on.repeat(kept, run), want, room(extents.count())) < 8 * kRounding);
      }
    }
  }
}

// Tall and wide matrices, so that columns are split among blocks and into tiles, in fours and one by one.
TEST_CASE("column sums of tall and wide matrices") {
  BothMachines on;
  struct Size {
    int64_t rows, columns;
  };
  for (const Size& size : {Size{9001, 1}, Size{8192, 1}, Size{4000, 3}, Size{3001, 3}, Size{2000, 6}, Size{1500, 10},
                           Size{700, 33}, Size{130, 132}, Size{40, 516}, Size{3, 259}}) {
    const Extents extents{{1, 1, size.rows, size.columns}};
    const Reals x = test_values(size.rows * size.columns, 12, 0, 1);
    Reals want(static_cast<size_t>(size.columns));
    sum(on.cpu.tag(), extents, {false, false, false, true}, x.data(), want.data());
    for (const int64_t offset : {0, 1}) {
      const Shifted<Real> in(on.cuda, x, offset);
      const auto run = [&](Cuda cuda, Real* y) { sum(cuda, extents, {false, false, false, true}, in.data(), y); };
      INFO(size.rows << " x " << size.columns << ", offset " << offset);
      CHECK(apart(on.repeat(size.columns, run), want) < 4 * kRounding);
    }
  }
}

TEST_CASE("row sums, short and long") {
  BothMachines on;
  for (const int64_t columns : {2, 5, 31, 33, 784, 2049, 4100}) {
    const int64_t rows = columns > 2000 ? 3 : 70;
    const Extents extents{{1, 1, rows, columns}};
    const Reals x = test_values(rows * columns, 13);
    Reals want(static_cast<size_t>(rows));
    sum(on.cpu.tag(), extents, {false, false, true, false}, x.data(), want.data());
    const OnGpu<Real> in(on.cuda, x);
    const auto run = [&](Cuda cuda, Real* y) { sum(cuda, extents, {false, false, true, false}, in.data(), y); };
    INFO(rows << " x " << columns);
    CHECK(apart(on.repeat(rows, run), want, room(columns)) < 8 * kRounding);
  }
}

TEST_CASE("binary cross-entropy and its way back") {
  BothMachines on;
  const Real target = Real(0.9);
  for (const int64_t count : {1, 3, 33, 1000}) {
    const Reals x = test_values(count, 17, -30, 30);
    const OnGpu<Real> gpu_x(on.cuda, x);
    Reals want(1), want_gradient(x.size());
    binary_cross_entropy(on.cpu.tag(), count, target, x.data(), want.data(), want_gradient.data());
    const OnGpu<Real> other(on.cuda, count);
    const auto loss = [&](Cuda cuda, Real* y) {
      binary_cross_entropy(cuda, count, target, gpu_x.data(), y, other.data());
    };
    const auto gradient = [&](Cuda cuda, Real* y) {
      binary_cross_entropy(cuda, count, target, gpu_x.data(), other.data(), y);
    };
    const auto alone = [&](Cuda cuda, Real* y) { binary_cross_entropy(cuda, count, target, gpu_x.data(), y, nullptr); };
    INFO(count << " logits");
    CHECK(apart(on.repeat(1, loss), want) < 4 * kRounding);
    CHECK(apart(on.repeat(count, gradient), want_gradient, 1 / static_cast<double>(count)) < 8 * kRounding);
    CHECK(apart(on.repeat(1, alone), want) < 4 * kRounding);
  }
}

TEST_CASE("both losses of a GAN, their derivatives, and the factor between them") {
  BothMachines on;
  for (const int64_t pairs : {1, 33, 300}) {
    Reals logits = test_values(2 * pairs, 17, -30, 30);
    logits.back() = -60;  // beyond the bound
    const OnGpu<Real> gpu_logits(on.cuda, logits);
    const auto run = [&](auto tag, const Real* in, Real* all) {
      gan_losses(tag, pairs, in, {all, all + 2, all + 1, all + 2 + 2 * pairs});
    };
    Reals want(static_cast<size_t>(2 + 3 * pairs));
    run(on.cpu.tag(), logits.data(), want.data());
    const Reals got = on.repeat(2 + 3 * pairs, [&](Cuda cuda, Real* all) { run(cuda, gpu_logits.data(), all); });
    INFO(pairs << " pairs");
    CHECK(apart(got, want, 1e-4) < 64 * kRounding);
    for (int64_t i = 0; i < pairs; ++i) {  // the derivative of the generator's loss, below the bound too
      const double l = static_cast<double>(logits[static_cast<size_t>(pairs + i)]);
      const double product = static_cast<double>(want[static_cast<size_t>(2 + pairs + i)]) *
                             static_cast<double>(want[static_cast<size_t>(2 + 2 * pairs + i)]);
      CHECK(product * static_cast<double>(pairs) == Approx(1 / (1 + std::exp(-l)) - 1).margin(1e-6));
    }
    CHECK(want.back() == Approx(-2 * std::exp(40.0)));
  }
}

TEST_CASE("the first of the largest, with NaN as on the CPU") {
  BothMachines on;
  for (const int64_t columns : {1, 2, 7, 10, 33, 300}) {
    const int64_t rows = 41;
    Reals x = test_values(rows * columns, 15);
    for (Real& v : x) v = std::round(2 * v);  // many equals
    x[0] = std::nanf("");
    x[x.size() - 1] = std::nanf("");
    std::vector<int32_t> want(static_cast<size_t>(rows));
    argmax_rows(on.cpu.tag(), rows, columns, x.data(), want.data());
    const OnGpu<Real> in(on.cuda, x);
    const auto run = [&](Cuda cuda, int32_t* y) { argmax_rows(cuda, rows, columns, in.data(), y); };
    CHECK(on.repeat<int32_t>(rows, run) == want);
  }
}

TEST_CASE("captured and eager sums have the same bits, and a replay finds the counters at zero") {
  BothMachines on;
  const int64_t rows = 4000, columns = 64;
  const Extents extents{{1, 1, rows, columns}};
  const OnGpu<Real> x(on.cuda, test_values(rows * columns, 16));
  const OnGpu<Real> eager(on.cuda, columns), captured(on.cuda, columns);
  sum(on.cuda.tag(), extents, {false, false, false, true}, x.data(), eager.data());
  CudaGraph graph(on.cuda.tag(), [&] {
    sum(on.cuda.tag(), extents, {false, false, false, true}, x.data(), captured.data());
  });
  CHECK(graph.launches() == 1);
  for (int turn = 0; turn < 2; ++turn) {
    fill(on.cuda.tag(), columns, 0, captured.data());
    graph.replay();
    CHECK(captured.host() == eager.host());
  }
}

}  // namespace
}  // namespace tobogan::kernels
