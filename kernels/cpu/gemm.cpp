// The choice of micro-kernel is the processor's and made once; the cuts depend on sizes and threads, never on results.
#include "kernels/cpu/gemm.h"

#include <algorithm>
#include <cstring>

#include "kernels/cpu/transpose.h"

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
  constexpr int64_t kLeast = 1 << 19;
  const int64_t width = all_panels.list.empty() ? 1 : all_panels.list[0].width;
  const auto chunks = [&] { return (all_rows + rows - 1) / rows * all_panels.count(); };
  rows = kMaxRows;
  while (threads > 1 && rows > 24 && chunks() < 8 * threads && rows * depth * width > kLeast) rows /= 2;
  const int64_t share = all_rows * depth * all_panels.padded / (32 * threads);
  panels =
      static_cast<int>(std::clamp<int64_t>(share / (rows * depth * width + 1), 1, std::max(1, all_panels.count())));
  // Where all panels together are little work, a chunk takes them all, for the sake of the rows it has read.
  if (int64_t{rows} * depth * all_panels.padded <= kLeast) panels = std::max(1, all_panels.count());
}

namespace {

template <int kColumns, int kZeros = 0>
void copy_columns(const Real* from, int64_t step, int64_t depth, Real* to, int width) {
  for (int64_t k = 0; k < depth; ++k) {
    std::memcpy(to + k * width, from + k * step, kColumns * sizeof(Real));
    std::memset(to + k * width + kColumns, 0, kZeros * sizeof(Real));
  }
}

// Rows of `columns` elements, with zeros up to `width`.  Sizes that the compiler knows are several times faster.
void copy_columns(const Real* from, int64_t step, int64_t depth, int columns, Real* to, int width) {
  if (columns == 6 && width == 8) return copy_columns<6, 2>(from, step, depth, to, width);  // LeNet-5's first layer
  if (columns < width) std::fill_n(to, depth * width, Real{0});
  switch (columns) {
    case 4:
      return copy_columns<4>(from, step, depth, to, width);
    case 5:
      return copy_columns<5>(from, step, depth, to, width);
    case 6:
      return copy_columns<6>(from, step, depth, to, width);
    case 7:
      return copy_columns<7>(from, step, depth, to, width);
    case 8:
      return copy_columns<8>(from, step, depth, to, width);
    case 16:
      return copy_columns<16>(from, step, depth, to, width);
    case 24:
      return copy_columns<24>(from, step, depth, to, width);
    case 32:
      return copy_columns<32>(from, step, depth, to, width);
    case 48:
      return copy_columns<48>(from, step, depth, to, width);
    case 64:
      return copy_columns<64>(from, step, depth, to, width);
    default:
      break;
  }
  for (int64_t k = 0; k < depth; ++k) std::copy(from + k * step, from + k * step + columns, to + k * width);
}

}  // namespace

void pack_panel(const Real* b, int64_t k_step, int64_t column_step, int64_t depth, int columns, int width,
                Real* packed) {
  if (column_step == 1) return copy_columns(b, k_step, depth, columns, packed, width);
  if (columns < width) std::fill_n(packed, depth * width, Real{0});
  if (k_step == 1) {
    transpose_tile(depth, columns, b, column_step, packed, width);
  } else {
    for (int64_t k = 0; k < depth; ++k) {
      for (int j = 0; j < columns; ++j) packed[k * width + j] = b[k * k_step + j * column_step];
    }
  }
}

void pack_right(Threads& threads, const RightSide& right, const Panels& panels, Real* packed) {
  constexpr int64_t kDepth = 256;
  const int64_t pieces = (right.depth + kDepth - 1) / kDepth;
  run_chunks(threads, panels.count() * right.taps * pieces, std::min(kDepth, right.depth) * 64, [&](int64_t chunk) {
    const Panel& panel = panels.list[chunk / pieces / right.taps];
    const int64_t tap = chunk / pieces % right.taps, k = chunk % pieces * kDepth;
    pack_panel(right.data + tap * right.tap_step + k * right.k_step + panel.begin * right.column_step, right.k_step,
               right.column_step, std::min(kDepth, right.depth - k), panel.columns, panel.width,
               packed + panel.begin * right.taps * right.depth + (tap * right.depth + k) * panel.width);
  });
}

void append_pair(std::vector<Pair>& pairs, Pair pair) {
  for (int64_t k = 0; k < pair.depth; k += kBlockDepth) {
    pairs.push_back({pair.a + k, pair.b + k, std::min(kBlockDepth, pair.depth - k)});
  }
}

namespace {

// All rows of one panel and one block of pairs.
void multiply_block(const MicroKernels& kernels, const Panel& panel, int rows, const Tile& whole) {
  const EvenCut cut(rows, kernels.max_rows[panel.vectors]);
  Tile tile = whole;
  for (int piece = 0; piece < cut.pieces; ++piece) {
    const int first = cut.begin(piece), last = cut.begin(piece + 1);
    tile.a_row = whole.a_row + first;
    tile.c_row = whole.c_row + first;
    kernels.multiply[last - first][panel.vectors](tile);
  }
}

// Calls body(tile) with the tile's pairs one block after the other; at least once.
template <class Body>
void for_blocks(const Tile& whole, const Body& body) {
  Tile tile = whole;
  int64_t begin = 0;
  do {
    const int64_t end = block_end(whole, begin);
    tile.pairs = whole.pairs + begin;
    tile.pair_count = end - begin;
    body(tile);
    tile.accumulate = true;
    begin = end;
  } while (begin < whole.pair_count);
}

}  // namespace

void multiply_panel(const MicroKernels& kernels, const Panel& panel, int rows, Tile tile) {
  for_blocks(tile, [&](const Tile& block) { multiply_block(kernels, panel, rows, block); });
}

void multiply_rows(const MicroKernels& kernels, std::span<const Panel> panels, int64_t packed_depth, int rows,
                   Tile tile) {
  for_blocks(tile, [&](const Tile& block) {
    for (const Panel& panel : panels) {
      Tile part = block;
      part.b += panel.begin * packed_depth;
      part.b_step = panel.width;
      part.c += panel.begin;
      part.columns = panel.columns;
      multiply_block(kernels, panel, rows, part);
    }
  });
}

void pack_and_multiply_rows(const MicroKernels& kernels, std::span<const Panel> panels, const RightSide& right,
                            int rows, Tile tile) {
  constexpr int64_t kMaxWidth = MicroKernels::kMaxVectors * 64 / static_cast<int64_t>(sizeof(Real));
  alignas(64) Real packed[kBlockDepth * kMaxWidth];
  Pair packed_pairs[kBlockDepth];
  for_blocks(tile, [&](const Tile& block) {
    for (const Panel& panel : panels) {
      int64_t at = 0;
      for (int64_t p = 0; p < block.pair_count; ++p) {
        const Pair& pair = block.pairs[p];
        const Real* from = right.data + pair.b / right.depth * right.tap_step + pair.b % right.depth * right.k_step +
                           panel.begin * right.column_step;
        pack_panel(from, right.k_step, right.column_step, pair.depth, panel.columns, panel.width,
                   packed + at * panel.width);
        packed_pairs[p] = {pair.a, at, pair.depth};
        at += pair.depth;
      }
      Tile part = block;
      part.pairs = packed_pairs;
      part.b = packed;
      part.b_step = panel.width;
      part.c += panel.begin;
      part.columns = panel.columns;
      multiply_block(kernels, panel, rows, part);
    }
  });
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
