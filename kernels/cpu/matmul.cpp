// A matrix product is a batch-reduce product with one pair: panels of b are packed, rows of a are read where they lie.
#include "kernels/matmul.h"

#include <algorithm>
#include <numeric>

#include "kernels/cpu/gemm.h"
#include "kernels/cpu/memory_pool.h"
#include "kernels/cpu/threads.h"

namespace tobogan::kernels {
namespace {

// Work in one chunk, in multiply-adds: about 10 microseconds.
constexpr int64_t kChunkWork = 1 << 19;
constexpr int kMaxChunkRows = 192;

// Few columns whose b lies along k: rows of dot products.
bool is_dot(const MatmulDims& dims) {
  return dims.columns <= MicroKernels::kMaxDotColumns && !dims.transpose_a && (dims.transpose_b || dims.columns == 1);
}

}  // namespace

void matmul(Cpu on, const MatmulDims& dims, const Real* a, const Real* b, Real* c) {
  if (dims.rows == 0 || dims.columns == 0) return;
  const MicroKernels& kernels = micro_kernels();
  const Panels panels(kernels, dims.columns);
  const bool dot = is_dot(dims);
  std::vector<Pair> pairs;
  if (dot) {
    pairs.push_back({0, 0, dims.inner});
  } else {
    append_pair(pairs, {0, 0, dims.inner});
  }

  const size_t packed_size = dot ? 0 : static_cast<size_t>(panels.padded) * dims.inner;
  Scratch<Real> packed(*on.pool, packed_size);
  if (!dot) {
    constexpr int kPackDepth = 256;
    const int pieces = (dims.inner + kPackDepth - 1) / kPackDepth;
    const int64_t k_step = dims.transpose_b ? 1 : dims.columns, column_step = dims.transpose_b ? dims.inner : 1;
    const auto pack = [&](int64_t chunk, int) {
      const Panel& panel = panels.list[chunk / pieces];
      const int k = static_cast<int>(chunk % pieces) * kPackDepth, depth = std::min(kPackDepth, dims.inner - k);
      pack_panel(b + k * k_step + panel.begin * column_step, k_step, column_step, depth, panel.columns, panel.width,
                 packed.data() + int64_t{panel.begin} * dims.inner + int64_t{k} * panel.width);
    };
    const int64_t chunks = int64_t{panels.count()} * pieces;
    on.threads->for_range(chunks, std::max<int64_t>(1, chunks * (1 << 15) / (static_cast<int64_t>(packed_size) + 1)),
                          [&](int64_t begin, int64_t end) {
                            for (int64_t chunk = begin; chunk < end; ++chunk) pack(chunk, 0);
                          });
  }

  const int64_t row_work = int64_t{dims.inner} * (dot ? dims.columns : panels.list[0].width);
  const int64_t wanted = kChunkWork / std::max<int64_t>(1, row_work);
  const EvenCut blocks(dims.rows, static_cast<int>(std::clamp<int64_t>(wanted, 24, kMaxChunkRows)));
  const auto multiply = [&](int64_t chunk) {
    const Panel& panel = panels.list[chunk / blocks.pieces];
    const int piece = static_cast<int>(chunk % blocks.pieces), first = blocks.begin(piece);
    const int rows = blocks.begin(piece + 1) - first;
    int64_t a_row[kMaxChunkRows], c_row[kMaxChunkRows];
    for (int row = 0; row < rows; ++row) {
      a_row[row] = (first + row) * (dims.transpose_a ? 1 : int64_t{dims.inner});
      c_row[row] = int64_t{first + row} * dims.columns;
    }
    Tile tile{.pairs = pairs.data(),
              .pair_count = static_cast<int64_t>(pairs.size()),
              .a = a,
              .a_step = dims.transpose_a ? dims.rows : 1,
              .a_row = a_row,
              .b = b,
              .b_step = dims.inner,
              .c = c + panel.begin,
              .c_row = c_row,
              .columns = panel.columns,
              .accumulate = false};
    if (dot) return dot_rows(kernels, rows, tile);
    tile.b = packed.data() + int64_t{panel.begin} * dims.inner;
    tile.b_step = panel.width;
    multiply_rows(kernels, panel, rows, tile);
  };
  const int64_t chunks = int64_t{panels.count()} * blocks.pieces;
  const int64_t chunk_work = row_work * blocks.begin(1);
  on.threads->for_range(chunks, std::max<int64_t>(1, kChunkWork / 2 / std::max<int64_t>(1, chunk_work)),
                        [&](int64_t begin, int64_t end) {
                          for (int64_t chunk = begin; chunk < end; ++chunk) multiply(chunk);
                        });
}

}  // namespace tobogan::kernels
