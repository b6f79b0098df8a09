// The kernel behind conv2d and conv_transpose2d: a tile of rows (pixel, image) x channels, summed over taps and
// channels of the input, in every precision and for every way the operands lie in memory.
#pragma once
#include "kernels/conv_epilogue.h"
#include "kernels/cuda/activation_piece.cuh"
#include "kernels/cuda/conv_columns.cuh"
#include "kernels/cuda/conv_load.cuh"
#include "kernels/cuda/conv_split.cuh"

namespace tobogan::kernels {

using Square = TileShape<64, 64, 32, 32, 4, 3>;
using Wide = TileShape<64, 128, 64, 32, 4, 2>;    // reads a quarter less for each product than Square
using Large = TileShape<128, 128, 64, 32, 3, 1>;  // half of Square, but rows of two pixels share few taps at borders
using Huge = TileShape<128, 256, 64, 64, 3, 1>;   // a quarter less than Large, with all registers; for tensor cores

// Whether a block has the shared memory for this tile's stages and, beside them, its static variables.  The smallest
// limit of the GPUs that we support is 99 KiB, that of compute capability 8.6, 8.9 and 12.0.
template <class Shape>
constexpr bool fits(size_t shared_bytes) {
  return Shape::kSharedBytes + 1024 <= shared_bytes;
}
static_assert(fits<Square>(99 << 10) && fits<Wide>(99 << 10) && fits<Large>(99 << 10));

// Calls launch(tile) with the tile that should take the least time, for a product of more columns than Square has;
// product_of(tile) is the Product in such tiles.
template <Precision kPrecision, class ProductOf, class LaunchWith>
void with_large_tile(Cuda on, int columns, const ProductOf& product_of, const LaunchWith& launch) {
  const auto clocks = [&]<class Shape>(Shape tile) { return best_parts<Shape>(on, product_of(tile)).clocks; };
  const double wide = clocks(Wide{}), large = clocks(Large{});
  if constexpr (kPrecision != Precision::kFp32) {
    const bool can_be_huge = columns > Large::kN && fits<Huge>(on.machine->shared_bytes());
    if (can_be_huge && clocks(Huge{}) < std::min(wide, large)) return launch(Huge{});
  }
  if (large < wide) return launch(Large{});
  launch(Wide{});
}

// How a gathering product is written: as the rows of an image batch, with an epilogue, or, for the second half of a
// transposed convolution to few channels (conv_narrow.cu), column by column as it is.
enum class GatherResult { kImages, kColumns };

// What a ConvEpilogue does to each sum, as a kernel parameter.
struct Epilogue {
  const float *bias, *activated;
  bool is_identity;
  ActivationParams activation;
  ActivationDerivative derivative;

  explicit Epilogue(const ConvEpilogue& epilogue)
      : bias(epilogue.bias),
        activated(epilogue.activated),
        is_identity(epilogue.activated == nullptr && !epilogue.changes_sums()),
        activation(epilogue.activation),
        derivative(epilogue.activation) {}

  // For the element `at` of the images, which is of channel n.
  __device__ __forceinline__ float one(float sum, size_t at, int n) const {
    if (is_identity) return sum;
    if (activated != nullptr) return derivative(activated[at]) * sum;
    return activate_one(activation, at, bias == nullptr ? sum : sum + bias[n]);
  }
  // For `count` (at most 4) neighbours; `vector`: all rows of channels are multiples of 4.
  __device__ __forceinline__ float4 four(float4 sums, size_t at, int n, int count, bool vector) const {
    if (is_identity) return sums;
    if (!vector) {
      return make_float4(one(sums.x, at, n), count > 1 ? one(sums.y, at + 1, n + 1) : 0,
                         count > 2 ? one(sums.z, at + 2, n + 2) : 0, count > 3 ? one(sums.w, at + 3, n + 3) : 0);
    }
    if (activated != nullptr) {
      const float4 y = load_vector<float4>(activated + at);
      return make_float4(derivative(y.x) * sums.x, derivative(y.y) * sums.y, derivative(y.z) * sums.z,
                         derivative(y.w) * sums.w);
    }
    if (bias != nullptr) {
      const float4 shift = load_vector<float4>(bias + n);
      sums = make_float4(sums.x + shift.x, sums.y + shift.y, sums.z + shift.z, sums.w + shift.w);
    }
    return activate_four(activation, at, sums);
  }
};

template <Precision kPrecision, class Shape, class In, class Weight, GatherResult kResult>
__global__ void __launch_bounds__(Shape::kThreads, Shape::kBlocks)
    gather_kernel(float* __restrict__ result, SplitSums split, const float* __restrict__ in,
                  const float* __restrict__ weight, const GatherPhase* phases, const GatherTile* tiles,
                  unsigned columns_of_tiles, GatherSizes s, Epilogue epilogue, TileStatistics statistics) {
  const GatherTile* tile = tiles + blockIdx.x / columns_of_tiles;
  const int first_column = int(blockIdx.x % columns_of_tiles) * Shape::kN;
  const Seat<Shape> seat;
  Sums<Shape> sums;
  {
    const GatherPhase phase = phases[tile->phase];
    const Span taps{s.in_channels, tile->x_begin, tile->x_end, tile->y_begin, tile->y_end};
    const Share share(taps.depth(), int(blockIdx.y), int(gridDim.y));
    In load_in(in, s, phase, taps, tile->first_row, share.begin);
    Weight load_weight(weight, s, phase, taps, first_column, share.begin);
    multiply<kPrecision, Shape>(sums, seat, load_in, load_weight, share.depth);
  }
  if (!join_parts(sums, split, blockIdx.x, int(blockIdx.y), int(gridDim.y))) return;
  // Read again, rather than kept in registers all the time.
  const GatherPhase phase = phases[tile->phase];
  const int first_row = tile->first_row, rows = phase.y.count * phase.x.count * s.batch;
  if constexpr (kResult == GatherResult::kColumns) {
    store_columns(sums, seat, [&](int row, int column, float4 values) {
      const int r = first_row + row, n = first_column + column;
      if (n < s.columns) store_four(result + size_t(n) * size_t(rows) + r, values, rows - r, rows % 4 == 0);
    });
  } else {
    const SharedTile<Shape> shared(sums, seat);
    const int n = first_column + 4 * shared.four, count = s.columns - n, rows_here = min(Shape::kM, rows - first_row);
    const bool vector = s.columns % 4 == 0;
    ColumnParts columns(statistics, n, count);
    for (int row = count > 0 ? shared.group : rows_here; row < rows_here; row += shared.kGroups) {
      const int r = first_row + row, pixel = r / s.batch;
      const int y = phase.y.out_first + pixel / phase.x.count * phase.y.out_step;
      const int x = phase.x.out_first + pixel % phase.x.count * phase.x.out_step;
      const size_t at = ((size_t(y) * s.out_w + x) * s.batch + r % s.batch) * s.columns + n;
      const float4 out = epilogue.four(shared.row(row), at, n, count, vector);
      store_four(result + at, out, count, vector);
      if (statistics.kind != TileStatistics::Kind::kNone) columns.add(out, at, vector);
    }
    if (statistics.kind == TileStatistics::Kind::kNone) return;
    tell_columns<Shape>(statistics, columns, shared, int(blockIdx.x / columns_of_tiles),
                        int(blockIdx.x % columns_of_tiles), s.columns);
  }
}

// A gathering product on the host: sizes, operands, where its result goes and how much that is.
struct Gathering {
  GatherSizes sizes;
  const float *in, *weight;
  float* result;
  size_t rows;  // of the result
  ConvEpilogue epilogue = {};
};

// The statistics that an epilogue asks for, with scratch memory that lives as long as this does; none where the
// counters are too few for so many tiles.
class AskedStatistics {
 public:
  AskedStatistics(Cuda on, const Gathering& g, size_t tile_rows, size_t column_blocks)
      : fits_(column_blocks * (ceil_div(tile_rows, kTileTeam) + 1) <= CudaMachine::kCounters / 2),
        is_asked_(!std::holds_alternative<std::monostate>(g.epilogue.statistics)),
        parts_(*on.pool, fits_ && is_asked_ ? tile_rows * size_t(g.sizes.columns) : 0) {
    if (!fits_) return;
    parameter.parts = parts_.data();
    parameter.counters = on.machine->counters() + CudaMachine::kCounters / 2;
    parameter.tile_rows = int(tile_rows);
    parameter.share = 1 / double(g.rows);
    if (const auto* sums = std::get_if<ConvEpilogue::Sums>(&g.epilogue.statistics)) {
      parameter.kind = TileStatistics::Kind::kSums;
      parameter.sums = sums->sums;
    } else if (const auto* moments = std::get_if<ColumnMoments>(&g.epilogue.statistics)) {
      parameter.kind = TileStatistics::Kind::kMoments;
      parameter.moments = *moments;
    } else if (const auto* normal = std::get_if<NormalizeSums>(&g.epilogue.statistics)) {
      parameter.kind = TileStatistics::Kind::kNormal;
      parameter.normal = *normal;
    }
  }
  bool is_missing() const { return is_asked_ && !fits_; }

  TileStatistics parameter;

 private:
  bool fits_, is_asked_;
  CudaScratch<float4> parts_;
};

template <class Shape>
Product product_of(const GatherPlan& plan, const Gathering& g) {
  return {.tiles = plan.tiles.size() * ceil_div(size_t(g.sizes.columns), Shape::kN),
          .depth = plan.mean_taps * g.sizes.in_channels};
}

template <Precision kPrecision, class Shape, class In, class Weight, GatherResult kResult = GatherResult::kImages>
void launch_gather(Cuda on, const GatherPlan& plan, const Gathering& g) {
  const GatherPhase* phases = on.machine->table(std::span(plan.phases));
  const GatherTile* tiles = on.machine->table(std::span(plan.tiles));
  const unsigned columns = ceil_div(size_t(g.sizes.columns), Shape::kN);
  const AskedStatistics statistics(on, g, plan.tiles.size(), columns);
  const Product product = product_of<Shape>(plan, g);
  launch_in_parts<Shape>(on, product, [&](unsigned parts, const SplitSums& split) {
    Launch<Shape::kThreads>{
        .grid = dim3(unsigned(product.tiles), parts), .shared_bytes = Shape::kSharedBytes, .stream = on.stream}(
        gather_kernel<kPrecision, Shape, In, Weight, kResult>, g.result, split, g.in, g.weight, phases, tiles, columns,
        g.sizes, Epilogue(g.epilogue), statistics.parameter);
  });
  if (statistics.is_missing())
    apply_epilogue(on, {.statistics = g.epilogue.statistics}, int64_t(g.rows), g.sizes.columns, g.result);
}

// Calls f with the precision as a template argument: f.template operator()<Precision::kTf32>().
template <class F>
void with_precision(Precision precision, const F& f) {
  switch (precision) {
    case Precision::kFp32:
      return f.template operator()<Precision::kFp32>();
    case Precision::kTf32:
      return f.template operator()<Precision::kTf32>();
    case Precision::kBf16:
      return f.template operator()<Precision::kBf16>();
  }
}

}  // namespace tobogan::kernels
