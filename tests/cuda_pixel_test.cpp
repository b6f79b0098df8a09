// Pooling, resampling, gathering and softmax on the GPU against the CPU's.
#include "kernels/gather.h"
#include "kernels/pool.h"
#include "kernels/resample.h"
#include "kernels/softmax.h"
#include "tests/support/cuda_kernels.h"
#include "tests/support/pool_cases.h"

namespace tobogan::kernels {
namespace {

TEST_CASE("max pooling and the maps along its choices") {
  BothMachines on;
  const PoolDims dense = two_by_two(70);
  const PoolDims crossing = overlapping(3);
  const PoolDims with_gaps{.block = 5,
                           .in_h = 9,
                           .in_w = 4,
                           .out_h = 3,
                           .out_w = 2,
                           .kernel_h = 1,
                           .kernel_w = 2,
                           .stride_h = 3,
                           .stride_w = 2};
  PoolDims empty = dense;
  empty.block = 0;
  for (const PoolDims& d : {dense, crossing, with_gaps, empty}) {
    const int64_t in = d.block * d.in_h * d.in_w, out = d.block * d.out_h * d.out_w;
    Reals x = test_values(in, 31);
    for (Real& v : x) v = std::round(4 * v) / 4;  // many equals
    const Reals dy = test_values(out, 32);
    Reals want(dy.size()), want_dx(x.size());
    std::vector<int32_t> want_choice(dy.size());
    max_pool2d(on.cpu.tag(), d, x.data(), want.data(), want_choice.data());
    pool_scatter(on.cpu.tag(), d, dy.data(), want_choice.data(), want_dx.data());

    const OnGpu<Real> gpu_x(on.cuda, x), gpu_dy(on.cuda, dy);
    const OnGpu<int32_t> choice(on.cuda, out);
    const auto pool = [&](Cuda cuda, Real* y) { max_pool2d(cuda, d, gpu_x.data(), y, choice.data()); };
    CHECK(on.repeat(out, pool) == want);
    CHECK(choice.host() == want_choice);
    const auto gather = [&](Cuda cuda, Real* y) { pool_gather(cuda, d, gpu_x.data(), choice.data(), y); };
    CHECK(on.repeat(out, gather) == want);
    const auto scatter = [&](Cuda cuda, Real* dx) { pool_scatter(cuda, d, gpu_dy.data(), choice.data(), dx); };
    CHECK(on.repeat(in, scatter) == want_dx);
  }
}

TEST_CASE("a maximum that is not a number shows") {
  BothMachines on;
  const PoolDims d{.block = 1, .in_h = 1, .in_w = 4, .out_h = 1, .out_w = 1, .kernel_h = 1, .kernel_w = 4};
  const OnGpu<Real> x(on.cuda, Reals{1, std::nanf(""), 3, 2}), y(on.cuda, 1);
  const OnGpu<int32_t> choice(on.cuda, 1);
  max_pool2d(on.cuda.tag(), d, x.data(), y.data(), choice.data());
  CHECK(std::isnan(y.host()[0]));
  CHECK(choice.host()[0] == 1);
}

// An axis map of 0 to 3 terms per output.
AxisMap axis_map(int in, int out, uint64_t seed) {
  AxisMap map{.in = in, .first = {0}, .terms = {}};
  for (int i = 0; i < out; ++i) {
    const PhiloxWords w = random_block(seed, 0, 0, static_cast<uint64_t>(i));
    for (uint32_t k = 0; k < w.word[0] % 4; ++k) {
      map.terms.push_back({static_cast<int>((w.word[3] + k) % static_cast<uint32_t>(in)),
                           static_cast<Real>(uniform_from(w.word[2] + k))});
    }
    map.first.push_back(static_cast<int>(map.terms.size()));
  }
  return map;
}

TEST_CASE("resampling") {
  BothMachines on;
  const AxisMap rows = axis_map(5, 11, 1), columns = axis_map(7, 9, 2);
  for (const int64_t block : {0, 1, 3, 4, 33, 64}) {
    const Reals x = test_values(rows.in * columns.in * block, 33);
    const int64_t count = rows.out() * columns.out() * block;
    Reals want(static_cast<size_t>(count));
    resample(on.cpu.tag(), rows, columns, block, x.data(), want.data());
    for (const int64_t offset : {0, 1}) {
      const Shifted<Real> in(on.cuda, x, offset);
      const auto run = [&](Cuda cuda, Real* y) { resample(cuda, rows, columns, block, in.data(), y); };
      INFO("block " << block << ", offset " << offset);
      CHECK(apart(on.repeat(count, run), want) < 8 * kRounding);
    }
  }
}

std::vector<int32_t> indices(int64_t count, uint32_t bound, uint64_t seed) {
  std::vector<int32_t> index(static_cast<size_t>(count));
  for (size_t i = 0; i < index.size(); ++i)
    index[i] = static_cast<int32_t>(random_block(seed, 0, 0, i).word[0] % bound);
  return index;
}

TEST_CASE("rows by index, and back in order") {
  BothMachines on;
  const int64_t entries = 17;
  for (const int64_t rows : {0, 1, 33, 500}) {
    for (const int64_t columns : {1, 3, 36, 130}) {
      const Reals table = test_values(entries * columns, 34), y = test_values(rows * columns, 35);
      const std::vector<int32_t> index = indices(rows, entries, 1);
      Reals picked(y.size()), added(table.size());
      gather_rows(on.cpu.tag(), rows, columns, table.data(), index.data(), picked.data());
      scatter_add_rows(on.cpu.tag(), rows, columns, entries, y.data(), index.data(), added.data());
      const OnGpu<Real> gpu_table(on.cuda, table), gpu_y(on.cuda, y);
      const OnGpu<int32_t> gpu_index(on.cuda, index);
      INFO(rows << " x " << columns);
      CHECK(on.repeat(rows * columns, [&](Cuda cuda, Real* out) {
        gather_rows(cuda, rows, columns, gpu_table.data(), gpu_index.data(), out);
      }) == picked);
      CHECK(on.repeat(entries * columns, [&](Cuda cuda, Real* out) {
        scatter_add_rows(cuda, rows, columns, entries, gpu_y.data(), gpu_index.data(), out);
      }) == added);
    }
  }
}

TEST_CASE("one column of each row, its adjoint, and labels") {
  BothMachines on;
  for (const int64_t rows : {0, 1, 33, 700}) {
    for (const int64_t columns : {1, 10, 12}) {
      const Reals x = test_values(rows * columns, 36), y = test_values(rows, 37);
      const std::vector<int32_t> index = indices(rows, static_cast<uint32_t>(columns), 2);
      const std::vector<int32_t> labels = indices(columns, 1000, 3);
      Reals picked(y.size()), placed(x.size());
      std::vector<int32_t> named(index.size());
      pick_columns(on.cpu.tag(), rows, columns, x.data(), index.data(), picked.data());
      place_columns(on.cpu.tag(), rows, columns, y.data(), index.data(), placed.data());
      gather_labels(on.cpu.tag(), rows, labels.data(), index.data(), named.data());
      const OnGpu<Real> gpu_x(on.cuda, x), gpu_y(on.cuda, y);
      const OnGpu<int32_t> gpu_index(on.cuda, index), gpu_labels(on.cuda, labels);
      CHECK(on.repeat(rows, [&](Cuda cuda, Real* out) {
        pick_columns(cuda, rows, columns, gpu_x.data(), gpu_index.data(), out);
      }) == picked);
      CHECK(on.repeat(rows * columns, [&](Cuda cuda, Real* out) {
        place_columns(cuda, rows, columns, gpu_y.data(), gpu_index.data(), out);
      }) == placed);
      CHECK(on.repeat<int32_t>(rows, [&](Cuda cuda, int32_t* out) {
        gather_labels(cuda, rows, gpu_labels.data(), gpu_index.data(), out);
      }) == named);
    }
  }
}

TEST_CASE("images from bytes to pixel-major numbers") {
  BothMachines on;
  for (const ImageDims& d : {ImageDims{1, 1, 1, 1}, ImageDims{33, 1, 12, 10}, ImageDims{11, 3, 7, 5},
                             ImageDims{2, 3, 6, 6}, ImageDims{0, 3, 6, 6}}) {
    const int64_t images = 40, area = d.height * d.width, count = d.count * d.channels * area;
    std::vector<uint8_t> pixels(static_cast<size_t>(images * d.channels * area));
    for (size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<uint8_t>(random_block(3, 0, 0, i).word[0]);
    const std::vector<int32_t> index = indices(d.count, images, 4);
    Reals want(static_cast<size_t>(count));
    gather_images(on.cpu.tag(), d, Real(2.0 / 255), -1, pixels.data(), index.data(), want.data());
    const OnGpu<int32_t> gpu_index(on.cuda, index);
    for (const int64_t offset : {0, 1}) {
      const Shifted<uint8_t> bytes(on.cuda, pixels, offset);
      INFO(d.height << " x " << d.width << ", offset " << offset);
      CHECK(apart(on.repeat(count,
                            [&](Cuda cuda, Real* y) {
                              gather_images(cuda, d, Real(2.0 / 255), -1, bytes.data(), gpu_index.data(), y);
                            }),
                  want) < 2 * kRounding);
    }
  }
}

TEST_CASE("log-softmax of short and long rows, large values included") {
  BothMachines on;
  for (const int64_t columns : {1, 2, 10, 33, 300}) {
    for (const int64_t rows : {1, 3, 65}) {
      const Reals x = test_values(rows * columns, 38, -200, 200);
      Reals want(x.size());
      log_softmax(on.cpu.tag(), rows, columns, x.data(), want.data());
      const OnGpu<Real> in(on.cuda, x);
      const auto run = [&](Cuda cuda, Real* y) { log_softmax(cuda, rows, columns, in.data(), y); };
      INFO(rows << " x " << columns);
      CHECK(apart(on.repeat(rows * columns, run), want) < 8 * kRounding);
    }
  }
}

}  // namespace
}  // namespace tobogan::kernels
