// Sums over the rows of a tall matrix, a pair of tricks away from memory speed and from double precision.
//
// A few rows are added up as a tree in Real, then go into an accumulator in double: one conversion for all of them.
// A matrix of few columns is read as one of more columns and fewer rows, and the sums are folded at the end.  The
// matrix is cut into tiles by its sizes alone; sums of tiles are added in order.
#pragma once
#include "kernels/cpu/loops.h"
#include "kernels/cpu/memory_pool.h"

namespace tobogan::kernels {

// Two terms that are summed side by side.
struct TwoTerms {
  Real first, second;
};
inline TwoTerms operator+(TwoTerms a, TwoTerms b) {
  return {a.first + b.first, a.second + b.second};
}

// A part of a matrix: rows x width elements from (row, column) on; either all columns or at most kPiece of them.
struct ColumnTile {
  int64_t row, rows, column, width;
  int64_t columns;  // of the whole matrix: the distance of two rows

  int64_t flat() const { return row * columns + column; }
  // How many rows are read as one.
  int64_t folds() const { return width == columns && width < 64 ? 8 * ((7 + width) / width) : 1; }
};

// Accumulators of a tile: kSums rows of them.
template <int kSums>
using TileSums = double[kSums][kPiece];

namespace detail {

inline void accumulate(TileSums<1>& sums, int64_t j, Real term) {
  sums[0][j] += static_cast<double>(term);
}
inline void accumulate(TileSums<2>& sums, int64_t j, TwoTerms term) {
  sums[0][j] += static_cast<double>(term.first);
  sums[1][j] += static_cast<double>(term.second);
}

}  // namespace detail

// Rows that are added up before they go into an accumulator; fewer where a term reads several streams.
template <int kSums>
constexpr int64_t kRowsAtOnce = kSums == 1 ? 8 : 4;

// sums[k][j] = the sum over the tile's rows of term(i, j), where i is the flat index of the element and j its column
// within the tile.  The term may be asked with j up to folds() * width: a row of parameters has to be repeated so far.
template <int kSums, class Term>
void sum_tile(const ColumnTile& tile, const Term& shared_term, TileSums<kSums>& sums) {
  const Term term = shared_term;  // a copy stays in registers: see for_chunks
  const int64_t folds = tile.folds(), width = tile.width * folds, stride = tile.columns * folds;
  const int64_t rows = tile.rows / folds;
  for (int k = 0; k < kSums; ++k) std::fill_n(sums[k], width, 0.0);
  int64_t row = 0, i = tile.flat();
  for (; row + kRowsAtOnce<kSums> <= rows; row += kRowsAtOnce<kSums>, i += kRowsAtOnce<kSums> * stride) {
#pragma GCC ivdep
    for (int64_t j = 0; j < width; ++j) {
      const auto four = [=, &term](int64_t at) {
        return (term(at, j) + term(at + stride, j)) + (term(at + 2 * stride, j) + term(at + 3 * stride, j));
      };
      if constexpr (kSums == 1) {
        detail::accumulate(sums, j, four(i + j) + four(i + j + 4 * stride));
      } else {
        detail::accumulate(sums, j, four(i + j));
      }
    }
  }
  for (; row <= rows; ++row, i += stride) {  // the last turn takes the rows that do not fill a fold
    const int64_t size = row < rows ? width : (tile.rows % folds) * tile.width;
#pragma GCC ivdep
    for (int64_t j = 0; j < size; ++j) detail::accumulate(sums, j, term(i + j, j));
  }
  for (int k = 0; k < kSums; ++k) {
    for (int64_t j = tile.width; j < width; ++j) sums[k][j % tile.width] += sums[k][j];
  }
}

// How a matrix is cut into tiles.
struct ColumnTiling {
  int64_t rows, columns;
  int64_t tile_width, tile_rows;
  int64_t row_tiles, column_tiles;

  ColumnTiling(int64_t rows, int64_t columns) : rows(rows), columns(columns) {
    constexpr int64_t kMostRowTiles = 256;
    column_tiles = (columns + kPiece - 1) / kPiece;
    tile_width = (columns + column_tiles - 1) / column_tiles;
    if (column_tiles > 1) tile_width = (tile_width + 7) / 8 * 8;
    column_tiles = (columns + tile_width - 1) / tile_width;
    tile_rows = std::max(kGrain / tile_width, (rows + kMostRowTiles - 1) / kMostRowTiles);
    row_tiles = std::max<int64_t>(1, (rows + tile_rows - 1) / tile_rows);
  }

  ColumnTile tile(int64_t row_tile, int64_t column_tile) const {
    const int64_t row = row_tile * tile_rows, column = column_tile * tile_width;
    return {row, std::min(tile_rows, rows - row), column, std::min(tile_width, columns - column), columns};
  }
};

// What the tiles of one column gave: value(k, t) for the row tiles t in order.
struct ColumnParts {
  const double* base;
  int64_t sum_stride, tile_stride;
  int64_t count;      // row tiles
  int64_t tile_rows;  // rows of all but the last
  int64_t rows;       // of the matrix

  double value(int k, int64_t t) const { return base[k * sum_stride + t * tile_stride]; }
  int64_t rows_of(int64_t t) const { return t + 1 < count ? tile_rows : rows - t * tile_rows; }
  double total(int k) const {
    double sum = 0;
    for (int64_t t = 0; t < count; ++t) sum += value(k, t);
    return sum;
  }
};

// Runs tile_sums(tile, sums) for every tile of a (rows x columns) matrix, then finish(column, parts) for every column.
// REQUIRES: columns > 0.
template <int kSums, class TileBody, class Finish>
void over_columns(Cpu on, int64_t rows, int64_t columns, const TileBody& tile_sums, const Finish& finish) {
  const ColumnTiling tiling(rows, columns);
  if (tiling.row_tiles == 1) {
    on.threads->run(tiling.column_tiles, [&](int64_t index, int) {
      TileSums<kSums> sums;
      const ColumnTile tile = tiling.tile(0, index);
      tile_sums(tile, sums);
      for (int64_t j = 0; j < tile.width; ++j) {
        finish(tile.column + j, ColumnParts{sums[0] + j, kPiece, 0, 1, tiling.tile_rows, rows});
      }
    });
    return;
  }
  const Scratch<double> parts(*on.pool, static_cast<size_t>(tiling.row_tiles * kSums * columns));
  on.threads->run(tiling.row_tiles * tiling.column_tiles, [&](int64_t index, int) {
    TileSums<kSums> sums;
    const int64_t row_tile = index / tiling.column_tiles;
    const ColumnTile tile = tiling.tile(row_tile, index % tiling.column_tiles);
    tile_sums(tile, sums);
    for (int k = 0; k < kSums; ++k) {
      std::copy_n(sums[k], tile.width, parts.data() + (row_tile * kSums + k) * columns + tile.column);
    }
  });
  for_rows(on, columns, tiling.row_tiles * kSums, [&](int64_t begin, int64_t end) {
    for (int64_t c = begin; c < end; ++c) {
      finish(c, ColumnParts{parts.data() + c, columns, kSums * columns, tiling.row_tiles, tiling.tile_rows, rows});
    }
  });
}

}  // namespace tobogan::kernels
