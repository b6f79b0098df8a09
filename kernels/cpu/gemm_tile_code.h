// The micro-kernel of gemm_tile.h, for any vector width: c's tile stays in registers, each step multiplies one row of b
// with one element of each row of a.
//
// Included once by each translation unit that is compiled for an instruction set; hence the unnamed namespace.
#pragma once
#include "kernels/cpu/gemm_tile.h"

namespace tobogan::kernels {
namespace {

// kBytes: the vector's width.  kAhead: how many rows of b are fetched ahead (0: none).
template <int kBytes, int kAhead>
struct TileCode {
  static constexpr int kLanes = kBytes / static_cast<int>(sizeof(Real));
  typedef Real Vector __attribute__((vector_size(kBytes)));
  typedef Real Loose __attribute__((vector_size(kBytes), aligned(sizeof(Real)), may_alias));  // in memory, unaligned

  static const Loose& load(const Real* from) { return *reinterpret_cast<const Loose*>(from); }
  static Loose& place(Real* to) { return *reinterpret_cast<Loose*>(to); }

  // Copies `count` < 2 * kSize elements in pieces whose sizes are known: a loop over elements becomes a call of memcpy,
  // which takes longer than some tiles.
  template <int kSize = kLanes / 2>
  static void copy_part(const Real* from, Real* to, int count) {
    const bool whole = (count & kSize) != 0;
    if (whole) __builtin_memcpy(to, from, kSize * sizeof(Real));
    if constexpr (kSize > 1) copy_part<kSize / 2>(whole ? from + kSize : from, whole ? to + kSize : to, count);
  }

  template <int kRows, int kVectors>
  static void multiply(const Tile& tile) {
    Vector sum[kRows][kVectors] = {};
    int64_t row[kRows];
    for (int i = 0; i < kRows; ++i) row[i] = tile.a_row[i];
    const int64_t a_step = tile.a_step, b_step = tile.b_step;
    for (const Pair *pair = tile.pairs, *end = pair + tile.pair_count; pair != end; ++pair) {
      const Real* a = tile.a + pair->a * a_step;
      const Real* b = tile.b + pair->b * b_step;
      for (int64_t k = pair->depth; k > 0; --k) {
        if constexpr (kAhead > 0) {
          constexpr int kLine = 64 / static_cast<int>(sizeof(Real));
#pragma GCC unroll 8
          for (int j = 0; j < kVectors * kLanes; j += kLine) {
            __builtin_prefetch(b + kAhead * kVectors * kLanes + j);
          }
        }
        Vector right[kVectors];
#pragma GCC unroll 8
        for (int j = 0; j < kVectors; ++j) right[j] = load(b + j * kLanes);
#pragma GCC unroll 8
        for (int i = 0; i < kRows; ++i) {
          const Real left = a[row[i]];
#pragma GCC unroll 8
          for (int j = 0; j < kVectors; ++j) sum[i][j] += right[j] * left;
        }
        a += a_step;
        b += b_step;
      }
    }
    if (tile.columns == kVectors * kLanes) {
#pragma GCC unroll 8
      for (int i = 0; i < kRows; ++i) {
        Real* c = tile.c + tile.c_row[i];
#pragma GCC unroll 8
        for (int j = 0; j < kVectors; ++j) {
          if (tile.accumulate) sum[i][j] += load(c + j * kLanes);
          place(c + j * kLanes) = sum[i][j];
        }
      }
    } else {
      alignas(kBytes) Real part[kLanes] = {};
      const int last = tile.columns / kLanes, rest = tile.columns % kLanes;  // the vector that is not full
#pragma GCC unroll 8
      for (int i = 0; i < kRows; ++i) {
        Real* c = tile.c + tile.c_row[i];
#pragma GCC unroll 8
        for (int j = 0; j < kVectors; ++j) {
          if (j < last) {
            if (tile.accumulate) sum[i][j] += load(c + j * kLanes);
            place(c + j * kLanes) = sum[i][j];
          } else if (j == last) {
            if (tile.accumulate) {
              copy_part(c + j * kLanes, part, rest);
              sum[i][j] += load(part);
            }
            place(part) = sum[i][j];
            copy_part(part, c + j * kLanes, rest);
          }
        }
      }
    }
  }

  template <int kRows, int kColumns>
  static void dot(const Tile& tile) {
    Vector sum[kRows][kColumns] = {};
    Real rest[kRows][kColumns] = {};
    for (const Pair *pair = tile.pairs, *end = pair + tile.pair_count; pair != end; ++pair) {
      const Real* a = tile.a + pair->a;
      const Real* b = tile.b + pair->b * tile.b_step;
      int64_t k = 0;
      for (; k + kLanes <= pair->depth; k += kLanes) {
#pragma GCC unroll 8
        for (int j = 0; j < kColumns; ++j) {
          const Vector right = load(b + j * tile.b_step + k);
#pragma GCC unroll 8
          for (int i = 0; i < kRows; ++i) sum[i][j] += right * load(a + tile.a_row[i] + k);
        }
      }
      for (; k < pair->depth; ++k) {
        for (int i = 0; i < kRows; ++i) {
          for (int j = 0; j < kColumns; ++j) rest[i][j] += a[tile.a_row[i] + k] * b[j * tile.b_step + k];
        }
      }
    }
#pragma GCC unroll 8
    for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 8
      for (int j = 0; j < kColumns; ++j) {
        Real total = rest[i][j];
        for (int lane = 0; lane < kLanes; ++lane) total += sum[i][j][lane];
        Real& c = tile.c[tile.c_row[i] + j];
        c = tile.accumulate ? c + total : total;
      }
    }
  }

  // Fills in the kernels of kVectors vectors (dot: kColumns columns) with 1..kRows rows.
  template <int kVectors, int kRows>
  static constexpr void add_multiply(MicroKernels& table) {
    if constexpr (kRows > 0) {
      table.multiply[kRows][kVectors] = multiply<kRows, kVectors>;
      if (table.max_rows[kVectors] < kRows) table.max_rows[kVectors] = kRows;
      add_multiply<kVectors, kRows - 1>(table);
    }
  }
  template <int kColumns, int kRows>
  static constexpr void add_dot(MicroKernels& table) {
    if constexpr (kRows > 0) {
      table.dot[kRows][kColumns] = dot<kRows, kColumns>;
      if (table.max_dot_rows[kColumns] < kRows) table.max_dot_rows[kColumns] = kRows;
      add_dot<kColumns, kRows - 1>(table);
    }
  }

  // kRowsV: the tallest tile of V vectors; 0 leaves that width out.
  template <int kRows1, int kRows2, int kRows3, int kRows4>
  static constexpr MicroKernels table(const char* name, int wide_vectors) {
    MicroKernels table{};
    table.name = name;
    table.lanes = kLanes;
    table.wide_vectors = wide_vectors;
    add_multiply<1, kRows1>(table);
    add_multiply<2, kRows2>(table);
    add_multiply<3, kRows3>(table);
    add_multiply<4, kRows4>(table);
    add_dot<1, 4>(table);
    add_dot<2, 4>(table);
    add_dot<3, 2>(table);
    add_dot<4, 2>(table);
    return table;
  }
};

}  // namespace
}  // namespace tobogan::kernels
