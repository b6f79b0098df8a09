// A matrix product is a batch-reduce product with one pair: panels of b are packed, rows of a are read where they lie.
#include "kernels/matmul.h"

#include <algorithm>
#include <numeric>

#include "kernels/cpu/gemm.h"
#include "kernels/cpu/memory_pool.h"
#include "kernels/cpu/threads.h"

namespace tobogan::kernels {
namespace {

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

  const RightSide right{.data = b,
                        .taps = 1,
                        .depth = dims.inner,
                        .tap_step = 0,
                        .k_step = dims.transpose_b ? 1 : dims.columns,
                        .column_step = dims.transpose_b ? dims.inner : 1};
  const ChunkSize size(on.threads->count(), dims.rows, dims.inner, panels);
  const bool pack = !dot && dims.rows > size.rows;  // else every panel is used by one chunk only, which packs it
  Scratch<Real> packed(*on.pool, pack ? static_cast<size_t>(panels.padded) * dims.inner : 0);
  if (pack) pack_right(*on.threads, right, panels, packed.data());

  const EvenCut rows_cut(dims.rows, size.rows), panel_cut(panels.count(), size.panels);
  const int64_t chunk_work =
      int64_t{dims.inner} * rows_cut.begin(1) * (dot ? dims.columns : panels.padded / panel_cut.pieces);
  run_chunks(*on.threads, int64_t{rows_cut.pieces} * panel_cut.pieces, chunk_work, [&](int64_t chunk) {
    const int first = rows_cut.begin(static_cast<int>(chunk / panel_cut.pieces));
    const int rows = rows_cut.begin(static_cast<int>(chunk / panel_cut.pieces) + 1) - first;
    int64_t a_row[ChunkSize::kMaxRows], c_row[ChunkSize::kMaxRows];
    for (int row = 0; row < rows; ++row) {
      a_row[row] = (first + row) * (dims.transpose_a ? 1 : int64_t{dims.inner});
      c_row[row] = int64_t{first + row} * dims.columns;
    }
    const Tile tile{.pairs = pairs.data(),
                    .pair_count = static_cast<int64_t>(pairs.size()),
                    .a = a,
                    .a_step = dims.transpose_a ? dims.rows : 1,
                    .a_row = a_row,
                    .b = dot ? b : packed.data(),
                    .b_step = dims.inner,
                    .c = c,
                    .c_row = c_row,
                    .columns = dims.columns,
                    .accumulate = false};
    const std::span<const Panel> part = panel_cut.slice(panels.list, static_cast<int>(chunk % panel_cut.pieces));
    if (dot) {
      dot_rows(kernels, rows, tile);
    } else if (pack) {
      multiply_rows(kernels, part, dims.inner, rows, tile);
    } else {
      pack_and_multiply_rows(kernels, part, right, rows, tile);
    }
  });
}

}  // namespace tobogan::kernels
