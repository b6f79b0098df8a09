// Every micro-kernel of every instruction set this processor has, against plain loops in double.
//
// The 64-byte kernels meant for AVX-512 are also compiled here for what the rest of the house is compiled for (the
// compiler splits their vectors), so that all but its choice of instructions is tested on any machine.
#include "kernels/cpu/gemm.h"

#include "kernels/cpu/gemm_tile_code.h"
#include "tests/support/catch.h"
#include "tests/support/kernel_inputs.h"

namespace tobogan {
namespace {

using namespace kernels;

std::vector<MicroKernels> tables() {
  std::vector<MicroKernels> list{portable_kernels(), TileCode<64, 8>::table<8, 8, 8, 4>("AVX-512, split", 3),
                                 TileCode<32, 0>::table<8, 6, 4, 0>("32 bytes, anywhere", 2)};
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) list.push_back(avx2_kernels());
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl")) list.push_back(avx512_kernels());
#endif
  return list;
}

// A tile with rows and pairs scattered about.
struct Scene {
  std::vector<Pair> pairs{{3, 0, 5}, {0, 5, 1}, {40, 6, 0}, {17, 6, 12}, {9, 2, 7}};  // in steps
  std::vector<int64_t> a_row, c_row;
  std::vector<Real> a, b, c;

  Scene(int rows, int a_step, int b_step) {
    for (int i = 0; i < rows; ++i) {
      a_row.push_back((i * 61) % 97 + 100 * i);
      c_row.push_back((rows - 1 - i) * 70 + i % 3);
    }
    a = random_values(60 * a_step + 1000, 1);
    b = random_values(20 * b_step + 64, 2);
    c = random_values(rows * 70 + 100, 3);
  }

  Tile tile(int a_step, int b_step, int columns, bool accumulate) {
    return {.pairs = pairs.data(),
            .pair_count = static_cast<int64_t>(pairs.size()),
            .a = a.data(),
            .a_step = a_step,
            .a_row = a_row.data(),
            .b = b.data(),
            .b_step = b_step,
            .c = c.data(),
            .c_row = c_row.data(),
            .columns = columns,
            .accumulate = accumulate};
  }
};

// What the tile should leave in c: everything outside of it untouched.  b is read along j with step 1 and along k with
// b_step, or for dot products the other way round.
std::vector<double> by_plain_loops(const Tile& t, int rows, const std::vector<Real>& c, bool dot) {
  std::vector<double> wanted(c.begin(), c.end());
  for (int i = 0; i < rows; ++i) {
    for (int j = 0; j < t.columns; ++j) {
      double sum = t.accumulate ? static_cast<double>(c[t.c_row[i] + j]) : 0;
      for (int64_t p = 0; p < t.pair_count; ++p) {
        for (int64_t k = 0; k < t.pairs[p].depth; ++k) {
          const double left = t.a[t.a_row[i] + (t.pairs[p].a + k) * t.a_step];
          sum += left * (dot ? t.b[(t.pairs[p].b + j) * t.b_step + k] : t.b[(t.pairs[p].b + k) * t.b_step + j]);
        }
      }
      wanted[t.c_row[i] + j] = sum;
    }
  }
  return wanted;
}

TEST_CASE("multiply: every height and width, whole and part columns, stored and added") {
  for (const MicroKernels& table : tables()) {
    int kernels = 0;
    for (int vectors = 1; vectors <= MicroKernels::kMaxVectors; ++vectors) {
      for (int rows = 1; rows <= table.max_rows[vectors]; ++rows) {
        ++kernels;
        const int width = vectors * table.lanes;
        for (const int columns : {width, width - 1, width - table.lanes + 1}) {
          for (const int a_step : {1, 3}) {
            for (const bool accumulate : {false, true}) {
              Scene scene(rows, a_step, width + 2);
              const Tile tile = scene.tile(a_step, width + 2, columns, accumulate);
              const std::vector<double> wanted = by_plain_loops(tile, rows, scene.c, false);
              table.multiply[rows][vectors](tile);
              INFO(table.name << " rows " << rows << " vectors " << vectors << " columns " << columns);
              REQUIRE(distance(scene.c, wanted) < kSumTolerance);
            }
          }
        }
      }
    }
    CHECK(kernels >= 18);
    CHECK(table.max_rows[table.wide_vectors] > 0);
  }
}

TEST_CASE("dot: every height and width") {
  for (const MicroKernels& table : tables()) {
    for (int columns = 1; columns <= MicroKernels::kMaxDotColumns; ++columns) {
      REQUIRE(table.max_dot_rows[columns] > 0);
      for (int rows = 1; rows <= table.max_dot_rows[columns]; ++rows) {
        for (const bool accumulate : {false, true}) {
          Scene scene(rows, 1, 40);
          scene.pairs = {{3, 0, 35}, {40, 6, 0}, {17, 6, 16}, {9, 2, 7}};
          const Tile tile = scene.tile(1, 40, columns, accumulate);
          const std::vector<double> wanted = by_plain_loops(tile, rows, scene.c, true);
          table.dot[rows][columns](tile);
          INFO(table.name << " rows " << rows << " columns " << columns);
          REQUIRE(distance(scene.c, wanted) < kSumTolerance);
        }
      }
    }
  }
}

TEST_CASE("a sum of no pairs is zero") {
  for (const MicroKernels& table : tables()) {
    Scene scene(2, 1, table.lanes);
    Tile tile = scene.tile(1, table.lanes, table.lanes, false);
    tile.pair_count = 0;
    table.multiply[2][1](tile);
    CHECK(scene.c[scene.c_row[0]] == 0);
    CHECK(scene.c[scene.c_row[1] + table.lanes - 1] == 0);
  }
}

TEST_CASE("panels cover all columns, in widths there are kernels for") {
  for (const MicroKernels& table : tables()) {
    for (int columns = 1; columns <= 400; ++columns) {
      const Panels panels(table, columns);
      int next = 0, width = 0;
      for (const Panel& panel : panels.list) {
        REQUIRE(panel.begin == next);
        REQUIRE(panel.columns > panel.width - table.lanes);
        REQUIRE(panel.columns <= panel.width);
        REQUIRE(table.max_rows[panel.vectors] >= panels.max_rows);
        REQUIRE(panels.max_rows > 0);
        next += panel.columns;
        width += panel.width;
      }
      REQUIRE(next == columns);
      REQUIRE(width == panels.padded);
    }
  }
}

TEST_CASE("multiply_rows: all panels and blocks of depth, with every table") {
  constexpr int kRows = 29, kColumns = 83, kInner = 2100;
  const std::vector<Real> a = random_values(kRows * kInner, 4), b = random_values(kInner * kColumns, 5);
  for (const MicroKernels& table : tables()) {
    const Panels panels(table, kColumns);
    for (const bool transposed : {false, true}) {  // how b lies: packing undoes it
      std::vector<Real> packed(static_cast<size_t>(panels.padded) * kInner, NAN), c(kRows * kColumns, NAN);
      for (const Panel& panel : panels.list) {
        pack_panel(b.data() + panel.begin * (transposed ? kInner : 1), transposed ? 1 : kColumns,
                   transposed ? kInner : 1, kInner, panel.columns, panel.width, packed.data() + panel.begin * kInner);
      }
      std::vector<Pair> pairs;
      append_pair(pairs, {0, 0, kInner});
      REQUIRE(pairs.size() > 1);
      std::vector<int64_t> a_row, c_row;
      for (int i = 0; i < kRows; ++i) {
        a_row.push_back(i * kInner);
        c_row.push_back(i * kColumns);
      }
      multiply_rows(table, panels.list, kInner, kRows,
                    {.pairs = pairs.data(),
                     .pair_count = static_cast<int64_t>(pairs.size()),
                     .a = a.data(),
                     .a_step = 1,
                     .a_row = a_row.data(),
                     .b = packed.data(),
                     .b_step = 0,
                     .c = c.data(),
                     .c_row = c_row.data(),
                     .columns = kColumns,
                     .accumulate = false});
      std::vector<double> wanted(kRows * kColumns);
      for (int i = 0; i < kRows; ++i) {
        for (int k = 0; k < kInner; ++k) {
          for (int j = 0; j < kColumns; ++j) {
            const double right = transposed ? b[j * kInner + k] : b[k * kColumns + j];
            wanted[i * kColumns + j] += static_cast<double>(a[i * kInner + k]) * right;
          }
        }
      }
      INFO(table.name << (transposed ? " transposed" : ""));
      CHECK(distance(c, wanted) < kSumTolerance);
    }
  }
}

}  // namespace
}  // namespace tobogan
