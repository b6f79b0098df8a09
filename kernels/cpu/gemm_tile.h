// The batch-reduce product, one tile at a time: the interface between the loops that cut a product into tiles and the
// micro-kernels that compute them.
//
//   c[row i][j] = sum over pairs p, over k < p.depth, of  a[row i + (p.a + k) * a_step] * b[(p.b + k) * b_step + j]
//
// A convolution's pixel is such a sum over the taps that exist, a weight gradient one over the pixels that meet under a
// tap, a plain matrix product one with a single pair.  Pairs count in steps, so one list serves every tile.
//
// The micro-kernel is written once (gemm_tile_code.h) and compiled for several instruction sets.  This header is all
// they see of the rest of the house: no standard templates, so that no function compiled for one processor can be taken
// by the linker for another.
#pragma once
#include <cstdint>

#include "kernels/device.h"

namespace tobogan::kernels {

// One term: `depth` steps of a from step `a` on meet as many steps of b from step `b` on.
struct Pair {
  int64_t a, b, depth;
};

// Offsets are in elements.
struct Tile {
  const Pair* pairs;
  int64_t pair_count;
  const Real* a;
  int64_t a_step;
  const int64_t* a_row;  // offset of each row in a
  const Real* b;
  int64_t b_step;
  Real* c;
  const int64_t* c_row;  // offset of each row in c
  int columns;           // valid columns: the last vector of a tile may be part empty (but b is readable there)
  bool accumulate;       // c += instead of c =
};

using TileKernel = void (*)(const Tile& tile);

// The micro-kernels of one instruction set.
struct MicroKernels {
  static constexpr int kMaxRows = 8, kMaxVectors = 4, kMaxDotRows = 4, kMaxDotColumns = 4;
  const char* name;
  int lanes;                                           // elements of a vector
  int wide_vectors;                                    // the panel, in vectors, that wide results are best cut into
  int max_rows[kMaxVectors + 1];                       // the tallest tile for each width; 0: no kernel of that width
  TileKernel multiply[kMaxRows + 1][kMaxVectors + 1];  // [rows][vectors]
  // For results of very few columns, b being read along k: b[(p.b * b_step + j * b_step) + k].  a_step is 1.
  int max_dot_rows[kMaxDotColumns + 1];
  TileKernel dot[kMaxDotRows + 1][kMaxDotColumns + 1];  // [rows][columns]
};

const MicroKernels& avx512_kernels();
const MicroKernels& avx2_kernels();
const MicroKernels& portable_kernels();

}  // namespace tobogan::kernels
