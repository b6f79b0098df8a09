// conv2d_weight: for each tap a product of small channels x big channels, summed over the pixels that meet under it and
// their images.  The depth is a rectangle of small's pixels, images innermost; both sides are read channel by channel.
#include <algorithm>

#include "kernels/conv.h"
#include "kernels/cuda/conv_gather.cuh"

namespace tobogan::kernels {
namespace {

// Where the pixel of a side lies that belongs to a pixel of small.
struct PixelMap {
  int step_y, shift_y, step_x, shift_x, width, batch, channels;
};

// kVector channels of a side at a time.
template <class Shape, int kLanes, int kVector>
struct Side : FlatWalk<Shape, kLanes, kVector> {
  const float* side;
  const PixelMap map;
  const Span& pixels;
  Cursor cursor;
  int channel;
  int point;

  __device__ __forceinline__ Side(const float* side_, const PixelMap& map_, const Span& span, int first_channel,
                                  int begin)
      : side(side_),
        map(map_),
        pixels(span),
        cursor(span, begin + this->first),
        channel(first_channel + this->lane),
        point(cursor.there(pixels) ? at(cursor) : kNothing) {}
  __device__ __forceinline__ int at(const Cursor& pixel) const {
    if (channel >= map.channels) return kNothing;
    const int y = pixel.y * map.step_y + map.shift_y, x = pixel.x * map.step_x + map.shift_x;
    return (y * map.width + x) * map.batch * map.channels + channel;
  }
  __device__ __forceinline__ void operator()(float* operand) {
    this->load(operand, pixels, cursor, point, side, map.channels, [&](const Cursor& pixel) { return at(pixel); });
  }
};

// The small positions that meet big ones, shifted by `shift`: those that are between 0 and `big`.
struct Meeting {
  int begin, end;
  __device__ __forceinline__ Meeting(int big, int small, int stride, int shift) {
    begin = min(small, shift >= 0 ? 0 : (-shift + stride - 1) / stride);
    end = max(begin, min(small, big - shift <= 0 ? 0 : (big - shift + stride - 1) / stride));
  }
};

// A block makes kM small x kN big channels of one tap; blocks of a tap are neighbours.  One number counts tiles and
// taps: a grid's second is too small for the taps of large kernels.
template <Precision kPrecision, class Shape, int kVector>
__global__ void __launch_bounds__(Shape::kThreads, Shape::kBlocks)
    weight_kernel(float* __restrict__ result, SplitSums split, const float* __restrict__ big,
                  const float* __restrict__ small, ConvDims d) {
  const unsigned across = ceil_div(size_t(d.big_channels), Shape::kN);
  const unsigned down = ceil_div(size_t(d.small_channels), Shape::kM);
  const unsigned of_tap = blockIdx.x % (across * down);
  const int tap = int(blockIdx.x / (across * down)), row0 = int(of_tap % down) * Shape::kM,
            column0 = int(of_tap / down) * Shape::kN;
  const int shift_y = tap / d.kernel_w * d.dilation_h - d.pad_top;
  const int shift_x = tap % d.kernel_w * d.dilation_w - d.pad_left;
  const Meeting y(d.big_h, d.small_h, d.stride_h, shift_y), x(d.big_w, d.small_w, d.stride_w, shift_x);
  const Span pixels{d.batch, x.begin, x.end, y.begin, y.end};
  const Share share(pixels.depth(), int(blockIdx.y), int(gridDim.y));
  const PixelMap of_small{1, 0, 1, 0, d.small_w, d.batch, d.small_channels};
  const PixelMap of_big{d.stride_h, shift_y, d.stride_w, shift_x, d.big_w, d.batch, d.big_channels};
  const Seat<Shape> seat;
  Sums<Shape> sums;
  Side<Shape, Shape::kM, kVector> load_small(small, of_small, pixels, row0, share.begin);
  Side<Shape, Shape::kN, kVector> load_big(big, of_big, pixels, column0, share.begin);
  multiply<kPrecision, Shape>(sums, seat, load_small, load_big, share.depth);

  if (!join_parts(sums, split, blockIdx.x, int(blockIdx.y), int(gridDim.y))) return;
  result += size_t(tap) * d.small_channels * d.big_channels;
  store_rows(sums, seat, [&](int row, int column, float4 values) {
    const int s = row0 + row, b = column0 + column;
    if (s < d.small_channels)
      store_four(result + size_t(s) * d.big_channels + b, values, d.big_channels - b, d.big_channels % 4 == 0);
  });
}

template <class Shape>
Product product_of(const ConvDims& d) {
  const size_t taps = size_t(d.kernel_h) * d.kernel_w;
  return {.tiles = taps * ceil_div(size_t(d.small_channels), Shape::kM) * ceil_div(size_t(d.big_channels), Shape::kN),
          .depth = double(d.small_h) * d.small_w * d.batch};
}

template <Precision kPrecision, class Shape, int kVector>
void launch_weight(Cuda on, const ConvDims& d, const float* big, const float* small, float* weight) {
  const Product product = product_of<Shape>(d);
  launch_in_parts<Shape>(on, product, [&](unsigned parts, const SplitSums& split) {
    Launch<Shape::kThreads>{
        .grid = dim3(unsigned(product.tiles), parts), .shared_bytes = Shape::kSharedBytes, .stream = on.stream}(
        weight_kernel<kPrecision, Shape, kVector>, weight, split, big, small, d);
  });
}

// One side has few channels: its columns are (tap, channel), the depth all pixels of the other side, the "wide" one,
// whose channels are the rows.  Lanes walk along the depth, so that neighbours read neighbouring images.
struct FewSide {
  bool is_big;
  int channels, wide_channels;
};

// The position of one side that meets position `at` of the other under a tap, or negative.
__device__ __forceinline__ int met(bool of_small, int at, int tap, int stride, int pad, int dilation) {
  if (of_small) return at * stride + tap * dilation - pad;
  const int sent = at + pad - tap * dilation;
  return sent >= 0 && sent % stride == 0 ? sent / stride : -1;
}

template <class Shape>
struct TapColumns {
  using Layout = Deep<Shape::kN>;
  static constexpr int kWarps = Shape::kThreads / 32;
  const float* side;
  const ConvDims& d;
  const FewSide& few;
  const Span& pixels;
  Cursor cursor;
  int column;

  __device__ __forceinline__ TapColumns(const float* side_, const ConvDims& dims, const FewSide& few_, const Span& span,
                                        int first_column, int begin)
      : side(side_),
        d(dims),
        few(few_),
        pixels(span),
        cursor(span, begin + int(threadIdx.x) % 32),
        column(first_column + int(threadIdx.x) / 32) {}
  __device__ __forceinline__ void operator()(float* operand) {
    const int lane = int(threadIdx.x) % 32, warp = int(threadIdx.x) / 32;
    const int height = few.is_big ? d.big_h : d.small_h, width = few.is_big ? d.big_w : d.small_w;
    const Span taps{few.channels, 0, d.kernel_w, 0, d.kernel_h};
    Cursor tap(taps, column);
    for (int i = warp; i < Shape::kN; i += kWarps) {
      const int y = met(few.is_big, cursor.y, tap.y, d.stride_h, d.pad_top, d.dilation_h);
      const int x = met(few.is_big, cursor.x, tap.x, d.stride_w, d.pad_left, d.dilation_w);
      const bool there =
          cursor.there(pixels) && tap.there(taps) && unsigned(y) < unsigned(height) && unsigned(x) < unsigned(width);
      const size_t at = ((size_t(y) * width + x) * d.batch + cursor.inner) * few.channels + tap.inner;
      ptx::cp_async<4>(operand + Layout::at(i, lane), there ? side + at : side, there ? 4 : 0);
      tap.advance(taps, kWarps);
    }
    cursor.advance(pixels, kDepth);
  }
};

template <Precision kPrecision, class Shape, int kVector>
__global__ void __launch_bounds__(Shape::kThreads, Shape::kBlocks)
    few_weight_kernel(float* __restrict__ result, SplitSums split, const float* __restrict__ wide,
                      const float* __restrict__ side, ConvDims d, FewSide few) {
  const unsigned down = ceil_div(size_t(few.wide_channels), Shape::kM);
  const int row0 = int(blockIdx.x % down) * Shape::kM, column0 = int(blockIdx.x / down) * Shape::kN;
  const int height = few.is_big ? d.small_h : d.big_h, width = few.is_big ? d.small_w : d.big_w;
  const Span pixels{d.batch, 0, width, 0, height};
  const Share share(pixels.depth(), int(blockIdx.y), int(gridDim.y));
  const PixelMap of_wide{1, 0, 1, 0, width, d.batch, few.wide_channels};
  const Seat<Shape> seat;
  Sums<Shape> sums;
  Side<Shape, Shape::kM, kVector> load_wide(wide, of_wide, pixels, row0, share.begin);
  TapColumns<Shape> load_few(side, d, few, pixels, column0, share.begin);
  multiply<kPrecision, Shape>(sums, seat, load_wide, load_few, share.depth);

  if (!join_parts(sums, split, blockIdx.x, int(blockIdx.y), int(gridDim.y))) return;
  const int columns = d.kernel_h * d.kernel_w * few.channels;
  const size_t wide_step = few.is_big ? d.big_channels : 1, few_step = few.is_big ? 1 : d.big_channels;
  store_columns(sums, seat, [&](int row, int column, float4 values) {
    const int w = row0 + row, n = column0 + column, tap = n / few.channels;
    if (n >= columns) return;
    float* to = result + size_t(tap) * d.small_channels * d.big_channels + size_t(n % few.channels) * few_step;
    const float each[4] = {values.x, values.y, values.z, values.w};
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      if (w + i < few.wide_channels) to[size_t(w + i) * wide_step] = each[i];
    }
  });
}

template <Precision kPrecision, class Shape, int kVector>
void launch_few(Cuda on, const ConvDims& d, bool big_is_few, const float* big, const float* small, float* weight) {
  const FewSide few =
      big_is_few ? FewSide{true, d.big_channels, d.small_channels} : FewSide{false, d.small_channels, d.big_channels};
  const int columns = d.kernel_h * d.kernel_w * few.channels;
  const unsigned tiles = ceil_div(size_t(few.wide_channels), Shape::kM) * ceil_div(size_t(columns), Shape::kN);
  const int depth = (big_is_few ? d.small_h * d.small_w : d.big_h * d.big_w) * d.batch;
  launch_in_parts<Shape>(on, {tiles, double(depth)}, [&](unsigned parts, const SplitSums& split) {
    Launch<Shape::kThreads>{.grid = dim3(tiles, parts), .shared_bytes = Shape::kSharedBytes, .stream = on.stream}(
        few_weight_kernel<kPrecision, Shape, kVector>, weight, split, big_is_few ? small : big,
        big_is_few ? big : small, d, few);
  });
}

template <Precision kPrecision>
void choose(Cuda on, const ConvDims& d, const float* big, const float* small, float* weight) {
  // A tile of one tap with as few channels would be nearly empty.
  constexpr int kNarrow = 8;
  if (const bool big_is_few = d.big_channels <= d.small_channels;
      std::min(d.big_channels, d.small_channels) <= kNarrow) {
    const bool by_four = (big_is_few ? d.small_channels : d.big_channels) % 4 == 0;
    return by_four ? launch_few<kPrecision, Square, 4>(on, d, big_is_few, big, small, weight)
                   : launch_few<kPrecision, Square, 1>(on, d, big_is_few, big, small, weight);
  }
  if (d.big_channels % 4 != 0 || d.small_channels % 4 != 0)
    return launch_weight<kPrecision, Square, 1>(on, d, big, small, weight);
  if (d.big_channels <= Square::kN) return launch_weight<kPrecision, Square, 4>(on, d, big, small, weight);
  with_large_tile<kPrecision>(
      on, d.big_channels, [&]<class Shape>(Shape) { return product_of<Shape>(d); },
      [&]<class Shape>(Shape) { launch_weight<kPrecision, Shape, 4>(on, d, big, small, weight); });
}

}  // namespace

void conv2d_weight(Cuda on, const ConvDims& d, const Real* big, const Real* small, Real* weight) {
  const size_t size = size_t(d.kernel_h) * d.kernel_w * d.small_channels * d.big_channels;
  if (size == 0) return;
  check_countable(d);
  if (d.batch == 0) {
    check_cuda(cudaMemsetAsync(weight, 0, size * sizeof(float), on.stream), "clearing a weight gradient");
    return;
  }
  with_precision(on.precision, [&]<Precision kPrecision>() { choose<kPrecision>(on, d, big, small, weight); });
}

}  // namespace tobogan::kernels
