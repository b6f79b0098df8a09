// The kernel behind conv2d and conv_transpose2d: a tile of rows (pixel, image) x channels, summed over taps and
// channels of the input, in every precision and for every way the operands lie in memory.
#pragma once
#include "kernels/cuda/conv_load.cuh"
#include "kernels/cuda/conv_split.cuh"

namespace tobogan::kernels {

using Square = TileShape<64, 64, 32, 32, 4, 3>;
using Wide = TileShape<64, 128, 64, 32, 4, 2>;    // reads a quarter less for each product than Square
using Large = TileShape<128, 128, 64, 32, 3, 1>;  // half of Square, but rows of two pixels share few taps at borders

// How a gathering product is written: as the rows of an image batch, or, for the second half of a transposed
// convolution to few channels (conv_narrow.cu), column by column.
enum class GatherResult { kImages, kColumns };

template <Precision kPrecision, class Shape, class In, class Weight, GatherResult kResult>
__global__ void __launch_bounds__(Shape::kThreads, Shape::kBlocks)
    gather_kernel(float* __restrict__ result, size_t part_size, const float* __restrict__ in,
                  const float* __restrict__ weight, const GatherPhase* phases, const GatherTile* tiles,
                  unsigned columns_of_tiles, GatherSizes s) {
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
  // Read again, rather than kept in registers all the time.
  const GatherPhase phase = phases[tile->phase];
  const int first_row = tile->first_row, rows = phase.y.count * phase.x.count * s.batch;
  result += blockIdx.y * part_size;
  if constexpr (kResult == GatherResult::kColumns) {
    store_columns(sums, seat, [&](int row, int column, float4 values) {
      const int r = first_row + row, n = first_column + column;
      if (n < s.columns) store_four(result + size_t(n) * size_t(rows) + r, values, rows - r, rows % 4 == 0);
    });
  } else {
    store_rows(sums, seat, [&](int row, int column, float4 values) {
      const int r = first_row + row, n = first_column + column, pixel = r / s.batch;
      if (r >= rows) return;
      const int y = phase.y.out_first + pixel / phase.x.count * phase.y.out_step;
      const int x = phase.x.out_first + pixel % phase.x.count * phase.x.out_step;
      const size_t at = ((size_t(y) * s.out_w + x) * s.batch + r % s.batch) * s.columns + n;
      store_four(result + at, values, s.columns - n, s.columns % 4 == 0);
    });
  }
}

// A gathering product on the host: sizes, operands, where its result goes and how much that is.
struct Gathering {
  GatherSizes sizes;
  const float *in, *weight;
  float* result;
  size_t result_size;
};

template <class Shape>
Product product_of(const GatherPlan& plan, const Gathering& g) {
  return {.tiles = plan.tiles.size() * ceil_div(size_t(g.sizes.columns), Shape::kN),
          .depth = plan.mean_taps * g.sizes.in_channels,
          .results = g.result_size};
}

template <Precision kPrecision, class Shape, class In, class Weight, GatherResult kResult = GatherResult::kImages>
void launch_gather(Cuda on, const GatherPlan& plan, const Gathering& g) {
  const GatherPhase* phases = on.machine->table(std::span(plan.phases));
  const GatherTile* tiles = on.machine->table(std::span(plan.tiles));
  const unsigned columns = ceil_div(size_t(g.sizes.columns), Shape::kN);
  const Product product = product_of<Shape>(plan, g);
  const int parts = best_parts<Shape>(on, product).count;
  make_in_parts(on, g.result_size, parts, g.result, [&](float* result, size_t part_size, int count) {
    Launch<Shape::kThreads>{.grid = dim3(unsigned(product.tiles), unsigned(count)),
                            .shared_bytes = Shape::kSharedBytes,
                            .stream = on.stream}(gather_kernel<kPrecision, Shape, In, Weight, kResult>, result,
                                                 part_size, g.in, g.weight, phases, tiles, columns, g.sizes);
  });
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
