// From tiles to products: which micro-kernels run, how columns are cut into panels, and how rows and sums are cut so
// that what is used again is still in the caches.
#pragma once
#include <vector>

#include "kernels/cpu/gemm_tile.h"

namespace tobogan::kernels {

// The fastest micro-kernels this processor can run.
const MicroKernels& micro_kernels();

// A cut of `size` things into pieces of nearly equal size, none larger than `largest`.
struct EvenCut {
  int size, pieces;
  EvenCut(int size, int largest) : size(size), pieces((size + largest - 1) / largest) {}
  int begin(int piece) const { return static_cast<int>(int64_t{size} * piece / pieces); }
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

// packed[k][j] = b[k * k_step + j * column_step] for k < depth, j < columns; zeros for j = columns..width-1.
void pack_panel(const Real* b, int64_t k_step, int64_t column_step, int depth, int columns, int width, Real* packed);

// Appends the pair, cut into pieces of which a panel of b stays in the caches.
void append_pair(std::vector<Pair>& pairs, Pair pair);

// One panel of `rows` rows of a result.  tile.c points at the panel's first column; tile.a_row and tile.c_row have
// `rows` entries; tile.columns is the panel's.
void multiply_rows(const MicroKernels& kernels, const Panel& panel, int rows, Tile tile);

// `rows` rows of a result of 1..4 columns (tile.columns), through the dot kernels.
void dot_rows(const MicroKernels& kernels, int rows, Tile tile);

}  // namespace tobogan::kernels
