#include "kernels/cpu/gemm.h"

#include <algorithm>

namespace tobogan::kernels {
namespace {

// How deep a block of a sum is: so many rows of a panel (64 bytes each on AVX2) stay in the first level cache while the
// rows of a chunk pass over them, and so many columns of those rows in the second while the panels pass over them.
// Adding a block to the result costs little beside computing it.
constexpr int64_t kBlockDepth = 512;

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

ChunkSize::ChunkSize(int threads, int64_t all_rows, int64_t depth, const Panels& all_panels) {
  constexpr int64_t kLeast = 1 << 18;
  const int64_t width = all_panels.list.empty() ? 1 : all_panels.list[0].width;
  const auto row_pieces = [&] { return (all_rows + rows - 1) / rows; };
  rows = kMaxRows;
  while (rows > 24 && row_pieces() * all_panels.count() < 8 * threads && rows * depth * width > kLeast) rows /= 2;
  const int64_t share = all_rows * depth * all_panels.padded / (32 * threads);
  panels =
      static_cast<int>(std::clamp<int64_t>(share / (rows * depth * width + 1), 1, std::max(1, all_panels.count())));
  // A product too small for many chunks: every chunk takes all panels, for the sake of the rows it has read.
  if (int64_t{rows} * depth * all_panels.padded <= kLeast) panels = std::max(1, all_panels.count());
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

void multiply_rows(const MicroKernels& kernels, std::span<const Panel> panels, int64_t packed_depth, int rows,
                   Tile tile) {
  const Tile whole = tile;
  int64_t begin = 0;
  do {
    const int64_t end = block_end(whole, begin);
    tile.pairs = whole.pairs + begin;
    tile.pair_count = end - begin;
    for (const Panel& panel : panels) {
      tile.b = whole.b + panel.begin * packed_depth;
      tile.b_step = panel.width;
      tile.c = whole.c + panel.begin;
      tile.columns = panel.columns;
      const EvenCut cut(rows, kernels.max_rows[panel.vectors]);
      for (int piece = 0; piece < cut.pieces; ++piece) {
        const int first = cut.begin(piece), last = cut.begin(piece + 1);
        tile.a_row = whole.a_row + first;
        tile.c_row = whole.c_row + first;
        kernels.multiply[last - first][panel.vectors](tile);
      }
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
