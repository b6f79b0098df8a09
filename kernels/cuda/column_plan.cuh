// How the columns of tall matrices are shared out among threads, by the sizes alone.
//
// Threads of a block are lanes (each owns 4 neighbouring columns, or 1) times groups (each takes every groups-th row),
// so that a warp reads whole stretches of memory however few columns there are.  A matrix of 3 columns whose rows are a
// multiple of 4 is read as one of 12.  Where there are few columns the rows are split among blocks.
#pragma once
#include <algorithm>

#include "kernels/cuda/device.cuh"

namespace tobogan::kernels {

inline constexpr int kColumnBlock = 256;
inline constexpr int kColumnLanes = 32;  // at most, so 128 columns

// How `outer` matrices of rows x columns are shared out; `fold` rows of the caller's matrix are one row here.
struct ColumnPlan {
  int64_t caller_columns, rows, columns;
  int fold, lanes, groups;
  unsigned tiles, splits;
  int64_t split_rows;
  bool vector;

  // rows_at_once: how many rows a thread should get at least, where there are so many.
  ColumnPlan(int64_t outer, int64_t rows_, int64_t columns_, bool is_aligned, int rows_at_once)
      : caller_columns(columns_), rows(rows_), columns(columns_), fold(1), vector(is_aligned && columns_ % 4 == 0) {
    constexpr int64_t kBlocks = 128;  // about one for each multiprocessor; no more than CudaMachine::kCounters
    if (!vector && is_aligned && columns <= kColumnLanes) {
      fold = columns % 2 == 0 && rows % 2 == 0 ? 2 : rows % 4 == 0 ? 4 : 1;
      vector = fold > 1;
      rows /= fold;
      columns *= fold;
    }
    const int64_t wide = vector ? columns / 4 : columns;
    tiles = ceil_div(size_t(wide), kColumnLanes);
    lanes = int(ceil_div(size_t(wide), tiles));
    groups = kColumnBlock / lanes;
    const int64_t most = std::max<int64_t>(1, rows / (int64_t{groups} * rows_at_once));
    const int64_t wanted = std::min(most, (kBlocks + outer * tiles - 1) / (outer * tiles));
    split_rows = ((rows + wanted - 1) / wanted + groups - 1) / groups * groups;
    splits = split_rows > 0 ? ceil_div(size_t(rows), size_t(split_rows)) : 1;
  }
};

}  // namespace tobogan::kernels
