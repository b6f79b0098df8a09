#include "kernels/cpu/gemm.h"

#include <algorithm>

namespace tobogan::kernels {
namespace {

// How deep a block of a sum is.  So many rows of a panel stay in the second level cache while all rows of a chunk pass
// over them, and adding a block to the result costs little beside computing it.
constexpr int64_t kBlockDepth = 1024;

const MicroKernels& best_kernels() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl")) return avx512_kernels();
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return avx2_kernels();
#endif
  return portable_kernels();
}

// The end of the block of pairs that starts at `begin`: together about kBlockDepth deep, at least one pair.
int64_t block_end(const Tile& tile, int64_t begin) {
  int64_t end = begin, depth = 0;
  while (end < tile.pair_count && (end == begin || depth + tile.pairs[end].depth <= kBlockDepth)) {
    depth += tile.pairs[end++].depth;
  }
  return end;
}

}  // namespace

const MicroKernels& micro_kernels() {
  static const MicroKernels& chosen = best_kernels();
  return chosen;
}

Panels::Panels(const MicroKernels& kernels, int columns) {
  const int vectors = (columns + kernels.lanes - 1) / kernels.lanes, widest = kernels.wide_vectors;
  int pieces = (vectors + widest - 1) / widest;
  // One panel that is a vector wider is better than a last one of a single vector.
  if (vectors > widest && vectors % widest == 1 && kernels.max_rows[widest + 1] > 0) --pieces;
  max_rows = MicroKernels::kMaxRows;
  for (int piece = 0; piece < pieces; ++piece) {
    const int first = vectors * piece / pieces, last = vectors * (piece + 1) / pieces;
    const int begin = first * kernels.lanes, width = (last - first) * kernels.lanes;
    list.push_back({begin, std::min(width, columns - begin), last - first, width});
    max_rows = std::min(max_rows, kernels.max_rows[last - first]);
  }
  padded = vectors * kernels.lanes;
}

void pack_panel(const Real* b, int64_t k_step, int64_t column_step, int depth, int columns, int width, Real* packed) {
  for (int k = 0; k < depth; ++k) {
    const Real* from = b + k * k_step;
    Real* to = packed + int64_t{k} * width;
    if (column_step == 1) {
      std::copy(from, from + columns, to);
    } else {
      for (int j = 0; j < columns; ++j) to[j] = from[j * column_step];
    }
    std::fill(to + columns, to + width, Real{0});
  }
}

void append_pair(std::vector<Pair>& pairs, Pair pair) {
  for (int64_t k = 0; k < pair.depth; k += kBlockDepth) {
    pairs.push_back({pair.a + k, pair.b + k, std::min(kBlockDepth, pair.depth - k)});
  }
}

void multiply_rows(const MicroKernels& kernels, const Panel& panel, int rows, Tile tile) {
  const EvenCut cut(rows, kernels.max_rows[panel.vectors]);
  const Tile whole = tile;
  int64_t begin = 0;
  do {
    const int64_t end = block_end(whole, begin);
    tile.pairs = whole.pairs + begin;
    tile.pair_count = end - begin;
    for (int piece = 0; piece < cut.pieces; ++piece) {
      const int first = cut.begin(piece), last = cut.begin(piece + 1);
      tile.a_row = whole.a_row + first;
      tile.c_row = whole.c_row + first;
      kernels.multiply[last - first][panel.vectors](tile);
    }
    tile.accumulate = true;
    begin = end;
  } while (begin < whole.pair_count);
}

void dot_rows(const MicroKernels& kernels, int rows, Tile tile) {
  const EvenCut cut(rows, kernels.max_dot_rows[tile.columns]);
  const Tile whole = tile;
  for (int piece = 0; piece < cut.pieces; ++piece) {
    const int first = cut.begin(piece), last = cut.begin(piece + 1);
    tile.a_row = whole.a_row + first;
    tile.c_row = whole.c_row + first;
    kernels.dot[last - first][tile.columns](tile);
  }
}

}  // namespace tobogan::kernels
