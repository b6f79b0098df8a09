// What the depth of a convolution's product is, and how a slab of it comes into shared memory.
//
// The depth runs over two axes of pixels or taps, and innermost over channels (or images, for the weight gradient), as
// one flat sequence: where a tap has only a few channels, a slab holds many taps.  Each thread copies the same lanes of
// every slab and walks along the depth with a cursor, so that there is no division in the loop.
#pragma once
#include "kernels/cuda/conv_plan.h"
#include "kernels/cuda/conv_tile.cuh"

namespace tobogan::kernels {

// A rectangle of pixels or taps, each with `inner` steps of depth.
struct Span {
  int inner, x_begin, x_end, y_begin, y_end;
  __host__ __device__ int depth() const { return (y_end - y_begin) * (x_end - x_begin) * inner; }
};

struct Cursor {
  int inner, x, y;
  __device__ __forceinline__ Cursor(const Span& span, int at) {
    const int width = max(1, span.x_end - span.x_begin), point = at / span.inner;
    inner = at % span.inner;
    x = span.x_begin + point % width;
    y = span.y_begin + point / width;
  }
  // To the next point that has this many steps; false where it is the same point.
  __device__ __forceinline__ bool advance(const Span& span, int by) {
    inner += by;
    if (inner < span.inner) return false;
    do {
      inner -= span.inner;
      if (++x < span.x_end) continue;
      x = span.x_begin;
      if (++y >= span.y_end) break;  // the end; what follows is not read
    } while (inner >= span.inner);
    return true;
  }
  __device__ __forceinline__ bool there(const Span& span) const { return y < span.y_end; }
};

inline constexpr int kNothing = -1;  // instead of a place: zeros

// A matrix of points x lanes whose lanes are kept as they come: kVector neighbours at a time (4 or 1).  from(cursor) is
// where a point's first inner step is in `data`, or kNothing; it is asked only where a point begins.
template <class Shape, int kLanes, int kVector>
struct FlatWalk {
  using Layout = Flat<kLanes>;
  static constexpr int kPieces = kLanes / kVector, kStep = Shape::kThreads / kPieces;
  static_assert(kStep > 0 && kDepth % kStep == 0);
  int lane, first;
  __device__ __forceinline__ FlatWalk()
      : lane(int(threadIdx.x) % kPieces * kVector), first(int(threadIdx.x) / kPieces) {}

  // inner_step: from one inner step to the next.
  template <class From>
  __device__ __forceinline__ void load(float* operand, const Span& span, Cursor& cursor, int& point, const float* data,
                                       int inner_step, const From& from) const {
    const auto copy = [&](int k, int inner) {
      const bool there = point != kNothing;
      ptx::cp_async<4 * kVector>(operand + Layout::at(lane, first + k), data + (there ? point + inner * inner_step : 0),
                                 there ? 4 * kVector : 0);
    };
    const auto advance = [&](int by) {
      if (cursor.advance(span, by)) point = cursor.there(span) ? from(cursor) : kNothing;
    };
    if (span.inner % unsigned(kDepth) == 0) {  // the slab is a part of one point
#pragma unroll
      for (int k = 0; k < kDepth; k += kStep) copy(k, cursor.inner + k);
      return advance(kDepth);
    }
#pragma unroll
    for (int k = 0; k < kDepth; k += kStep) {
      copy(k, cursor.inner);
      advance(kStep);
    }
  }
};

// Rows of a pixel matrix whose depth is contiguous: eight threads copy the 32 steps of a row.
template <class Shape, int kLanes>
struct DeepWalk {
  using Layout = Deep<kLanes>;
  static constexpr int kPieces = kDepth / 4, kStep = Shape::kThreads / kPieces, kEach = kLanes / kStep;
  static_assert(kEach > 0 && kLanes % kStep == 0);
  int first, chunk;
  __device__ __forceinline__ DeepWalk() : first(int(threadIdx.x) / kPieces), chunk(int(threadIdx.x) % kPieces) {}
  __device__ __forceinline__ int lane(int i) const { return first + i * kStep; }
  __device__ __forceinline__ void copy(float* operand, int i, const float* at, const float* valid) const {
    ptx::cp_async<16>(operand + Layout::at(lane(i), 4 * chunk), at ? at : valid, at ? 16 : 0);
  }
};

// What is gathered from, and to.  The weight of (tap, channel k of the input, column n) is at tap_step * tap
// + k_step * k + n_step * (n % columns_of_tap) + tap_step * (n / columns_of_tap).
struct GatherSizes {
  int batch;
  int in_h, in_w, in_channels;
  int out_w, columns;
  int kernel_w;
  int tap_step;
  int k_step, n_step, columns_of_tap;
};

// A row of the result: where its pixel's input begins.
struct GatherRow {
  static constexpr int kNone = -(1 << 30);
  int y, x, image;
  __device__ __forceinline__ GatherRow(const GatherPhase& phase, int batch, int row) {
    const int pixel = row / batch, line = pixel / phase.x.count;
    image = row % batch;
    // Rows beyond the end read nothing.
    y = line < phase.y.count ? phase.y.in_first + line * phase.y.in_step : kNone;
    x = phase.x.in_first + pixel % phase.x.count * phase.x.in_step;
  }
};

// The input, channels contiguous (a multiple of 4).
template <class Shape>
struct GatherDeep : DeepWalk<Shape, Shape::kM> {
  using Walk = DeepWalk<Shape, Shape::kM>;
  const float* in;
  const GatherSizes& s;
  const Span& taps;
  Cursor cursor;
  int tap_y, tap_x, y[Walk::kEach], x[Walk::kEach];
  int row_at[Walk::kEach];

  __device__ __forceinline__ GatherDeep(const float* in_, const GatherSizes& sizes, const GatherPhase& phase,
                                        const Span& span, int first_row, int begin)
      : in(in_),
        s(sizes),
        taps(span),
        cursor(span, begin + 4 * this->chunk),
        tap_y(phase.y.in_tap),
        tap_x(phase.x.in_tap) {
#pragma unroll
    for (int i = 0; i < Walk::kEach; ++i) {
      const GatherRow row(phase, s.batch, first_row + this->lane(i));
      y[i] = row.y;
      x[i] = row.x;
      row_at[i] = row.y == GatherRow::kNone ? 0 : ((row.y * s.in_w + row.x) * s.batch + row.image) * s.in_channels;
    }
  }
  __device__ __forceinline__ void operator()(float* operand) {
    const int dy = cursor.y * tap_y, dx = cursor.x * tap_x;
    const int tap_at = (dy * s.in_w + dx) * s.batch * s.in_channels + cursor.inner;
    const bool more = cursor.there(taps);
#pragma unroll
    for (int i = 0; i < Walk::kEach; ++i) {
      const bool there = more && unsigned(y[i] + dy) < unsigned(s.in_h) && unsigned(x[i] + dx) < unsigned(s.in_w);
      this->copy(operand, i, there ? in + (row_at[i] + tap_at) : nullptr, in);
    }
    cursor.advance(taps, kDepth);
  }
};

// The same for any number of channels: neighbouring rows together.
template <class Shape>
struct GatherFlat : FlatWalk<Shape, Shape::kM, 1> {
  const float* in;
  const GatherSizes& s;
  const Span& taps;
  Cursor cursor;
  int tap_y, tap_x;
  GatherRow row;
  int point;

  __device__ __forceinline__ GatherFlat(const float* in_, const GatherSizes& sizes, const GatherPhase& phase,
                                        const Span& span, int first_row, int begin)
      : in(in_),
        s(sizes),
        taps(span),
        cursor(span, begin + this->first),
        tap_y(phase.y.in_tap),
        tap_x(phase.x.in_tap),
        row(phase, sizes.batch, first_row + this->lane),
        point(cursor.there(taps) ? at(cursor) : kNothing) {}
  __device__ __forceinline__ int at(const Cursor& tap) const {
    const int iy = row.y + tap.y * tap_y, ix = row.x + tap.x * tap_x;
    if (unsigned(iy) >= unsigned(s.in_h) || unsigned(ix) >= unsigned(s.in_w)) return kNothing;
    return ((iy * s.in_w + ix) * s.batch + row.image) * s.in_channels;
  }
  __device__ __forceinline__ void operator()(float* operand) {
    this->load(operand, taps, cursor, point, in, 1, [&](const Cursor& tap) { return at(tap); });
  }
};

// Which tap of the weight a phase's taps are.
struct WeightTaps {
  int first, step_y, step_x;
  __device__ __forceinline__ WeightTaps(const GatherPhase& phase, int kernel_w)
      : first(phase.y.tap_first * kernel_w + phase.x.tap_first),
        step_y(phase.y.tap_step * kernel_w),
        step_x(phase.x.tap_step) {}
  __device__ __forceinline__ int at(const Cursor& c) const { return first + c.y * step_y + c.x * step_x; }
};

// The weight of conv2d, whose depth is contiguous (k_step is 1, n_step a multiple of 4).
template <class Shape>
struct WeightDeep : DeepWalk<Shape, Shape::kN> {
  using Walk = DeepWalk<Shape, Shape::kN>;
  const float* weight;
  const GatherSizes& s;
  const Span& taps;
  Cursor cursor;
  WeightTaps tap;
  int columns_left, column_at;  // from this thread's first one

  __device__ __forceinline__ WeightDeep(const float* weight_, const GatherSizes& sizes, const GatherPhase& phase,
                                        const Span& span, int first_column, int begin)
      : weight(weight_),
        s(sizes),
        taps(span),
        cursor(span, begin + 4 * this->chunk),
        tap(phase, sizes.kernel_w),
        columns_left(s.columns - first_column - this->first),
        column_at((first_column + this->first) * s.n_step) {}
  __device__ __forceinline__ void operator()(float* operand) {
    const int at = s.tap_step * tap.at(cursor) + cursor.inner + column_at;
    const int left = cursor.there(taps) ? columns_left : 0;
#pragma unroll
    for (int i = 0; i < Walk::kEach; ++i) {
      const int step = i * Walk::kStep;
      this->copy(operand, i, step < left ? weight + (at + step * s.n_step) : nullptr, weight);
    }
    cursor.advance(taps, kDepth);
  }
};

// Any weight, kVector neighbouring columns together (4: n_step is 1, k_step and columns are multiples of 4).
template <class Shape, int kVector>
struct WeightFlat : FlatWalk<Shape, Shape::kN, kVector> {
  const float* weight;
  const GatherSizes& s;
  const Span& taps;
  Cursor cursor;
  WeightTaps tap;
  int column_at;  // negative: beyond the last column
  int point;

  __device__ __forceinline__ WeightFlat(const float* weight_, const GatherSizes& sizes, const GatherPhase& phase,
                                        const Span& span, int first_column, int begin)
      : weight(weight_), s(sizes), taps(span), cursor(span, begin + this->first), tap(phase, sizes.kernel_w) {
    const int n = first_column + this->lane;
    column_at = n < s.columns ? s.tap_step * (n / s.columns_of_tap) + n % s.columns_of_tap * s.n_step : -1;
    point = cursor.there(taps) ? at(cursor) : kNothing;
  }
  __device__ __forceinline__ int at(const Cursor& of_tap) const {
    return column_at < 0 ? kNothing : s.tap_step * tap.at(of_tap) + column_at;
  }
  __device__ __forceinline__ void operator()(float* operand) {
    this->load(operand, taps, cursor, point, weight, s.k_step, [&](const Cursor& of_tap) { return at(of_tap); });
  }
};

}  // namespace tobogan::kernels
