// From tiles to products: which micro-kernels run, how columns are cut into panels, and how rows and sums are cut so
// that what is used again is still in the caches.
#pragma once
#include <span>
#include <vector>

#include "kernels/cpu/gemm_tile.h"
#include "kernels/cpu/threads.h"

namespace tobogan::kernels {

// The fastest micro-kernels this processor can run.
const MicroKernels& micro_kernels();

// A cut of `size` things into pieces of nearly equal size, none larger than `largest`.
struct EvenCut {
  int size, pieces;
  EvenCut(int size, int largest) : size(size), pieces((size + largest - 1) / largest) {}
  int begin(int piece) const { return static_cast<int>(int64_t{size} * piece / pieces); }
  // The part of `list` (of that size) that is the piece.
  template <class T>
  std::span<const T> slice(const std::vector<T>& list, int piece) const {
    return {list.data() + begin(piece), list.data() + begin(piece + 1)};
  }
};

// Columns of a result that one tile covers.
struct Panel {
  int begin, columns;  // the valid ones
  int vectors, width;  // width = vectors * lanes >= columns
};

// All columns of a result.
struct Panels {
  std::vector<Panel> list;
  int padded = 0;    // the sum of the widths
  int max_rows = 0;  // rows that a tile of any of these panels can have

  Panels(const MicroKernels& kernels, int columns);
  int count() const { return static_cast<int>(list.size()); }
};

// How many rows and panels of a product make one chunk of work.  Results do not depend on it.
struct ChunkSize {
  static constexpr int kMaxRows = 96;
  int rows, panels;
  ChunkSize(int threads, int64_t rows, int64_t depth, const Panels& panels);
};

// Runs body(chunk) for all chunks, several at a time where one is little `work` (in multiply-adds).
template <class Body>
void run_chunks(Threads& threads, int64_t chunks, int64_t work, const Body& body) {
  constexpr int64_t kWorth = 1 << 18;  // about 5 microseconds: worth handing to another thread
  threads.for_range(chunks, kWorth / (work + 1) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t chunk = begin; chunk < end; ++chunk) body(chunk);
  });
}

// The right side of a product as it lies in memory: step k of tap t, column j is
// data[t * tap_step + k * k_step + j * column_step].  Pairs count its steps through all taps: t * depth + k.
struct RightSide {
  const Real* data;
  int64_t taps, depth;
  int64_t tap_step, k_step, column_step;
};

// packed[k][j] = b[k * k_step + j * column_step] for k < depth, j < columns; zeros for j = columns..width-1.
void pack_panel(const Real* b, int64_t k_step, int64_t column_step, int64_t depth, int columns, int width,
                Real* packed);

// Packs the whole right side: the panel that begins at column j lies at packed + j * taps * depth.
void pack_right(Threads& threads, const RightSide& right, const Panels& panels, Real* packed);

// Appends the pair, cut into pieces of which a panel of b stays in the caches.
void append_pair(std::vector<Pair>& pairs, Pair pair);

// `rows` rows of one panel: tile.b and tile.c are where the panel begins, tile.columns its valid columns.  tile.a_row
// and tile.c_row have `rows` entries.
void multiply_panel(const MicroKernels& kernels, const Panel& panel, int rows, Tile tile);

// `rows` rows of a result, all columns of `panels`.  tile.a_row and tile.c_row have `rows` entries; tile.b is the
// packed right side of `packed_depth` steps; tile.c is column 0 of the result.
void multiply_rows(const MicroKernels& kernels, std::span<const Panel> panels, int64_t packed_depth, int rows,
                   Tile tile);

// The same from a right side that is not packed: each part of a panel is packed just before it is used, which is better
// where these rows are the only ones to use it.  REQUIRES: no pair reaches into the next tap.
void pack_and_multiply_rows(const MicroKernels& kernels, std::span<const Panel> panels, const RightSide& right,
                            int rows, Tile tile);

// `rows` rows of a result of 1..4 columns (tile.columns), through the dot kernels.
void dot_rows(const MicroKernels& kernels, int rows, Tile tile);

}  // namespace tobogan::kernels
