// Results of one to four channels.
#include "kernels/cuda/conv_gather.cuh"
#include "kernels/cuda/conv_narrow.h"

namespace tobogan::kernels {
namespace {

constexpr int kBlock = 256;

template <class Shape>
using WeightScalars = WeightFlat<Shape, 1>;

// sent[tap, channel][pixel of small, image] = small * weight: a convolution with one tap to taps * channels columns.
void send(Cuda on, const ConvDims& d, const float* small, const float* weight, float* sent) {
  ConvDims point = d;
  point.big_h = d.small_h, point.big_w = d.small_w;
  point.kernel_h = point.kernel_w = point.stride_h = point.stride_w = 1;
  point.pad_top = point.pad_left = 0;
  const int columns = d.kernel_h * d.kernel_w * d.big_channels;
  const Gathering g{.sizes = {.batch = d.batch,
                              .in_h = d.small_h,
                              .in_w = d.small_w,
                              .in_channels = d.small_channels,
                              .out_w = d.small_w,
                              .columns = columns,
                              .kernel_w = 1,
                              .tap_step = d.small_channels * d.big_channels,
                              .k_step = d.big_channels,
                              .n_step = d.big_channels == 1 ? d.small_channels : 1,
                              .columns_of_tap = d.big_channels == 1 ? columns : d.big_channels},
                    .in = small,
                    .weight = weight,
                    .result = sent,
                    .rows = size_t(d.small_h) * d.small_w * d.batch};
  const GatherPlan plan = plan_gather(point, true, Square::kM);
  with_precision(on.precision, [&]<Precision kPrecision>() {
    if (d.big_channels == 1) {  // a column is a tap, whose depth is contiguous
      launch_gather<kPrecision, Square, GatherDeep<Square>, WeightDeep<Square>, GatherResult::kColumns>(on, plan, g);
    } else {
      launch_gather<kPrecision, Square, GatherDeep<Square>, WeightScalars<Square>, GatherResult::kColumns>(on, plan, g);
    }
  });
}

// A thread adds up one number of big; neighbouring threads are neighbouring images, whose numbers lie together in sent.
__global__ void __launch_bounds__(kBlock)
    collect_kernel(float* __restrict__ big, const float* __restrict__ sent, ConvDims d, Epilogue epilogue) {
  const size_t i = size_t(blockIdx.x) * kBlock + threadIdx.x;
  const size_t of_line = size_t(d.batch) * d.big_channels, rows = size_t(d.small_h) * d.small_w * d.batch;
  if (i >= of_line * d.big_w * d.big_h) return;
  const int image = int(i % d.batch), channel = int(i / d.batch % d.big_channels), pixel = int(i / of_line);
  const int y = pixel / d.big_w, x = pixel % d.big_w;
  float sum = 0;
  for (int u = 0; u < d.kernel_h; ++u) {
    const int line = y + d.pad_top - u * d.dilation_h;
    if (line < 0 || line % d.stride_h != 0 || line / d.stride_h >= d.small_h) continue;
    for (int v = 0; v < d.kernel_w; ++v) {
      const int place = x + d.pad_left - v * d.dilation_w;
      if (place < 0 || place % d.stride_w != 0 || place / d.stride_w >= d.small_w) continue;
      const size_t from = (size_t(line / d.stride_h) * d.small_w + place / d.stride_w) * d.batch + image;
      sum += sent[(size_t(u * d.kernel_w + v) * d.big_channels + channel) * rows + from];
    }
  }
  const size_t at = (size_t(pixel) * d.batch + image) * d.big_channels + channel;
  big[at] = epilogue.one(sum, at, channel);
}

// A block makes the results of one pixel of one image: its threads walk along taps and channels, four at a time.
__global__ void __launch_bounds__(kBlock)
    conv_to_few_kernel(float* __restrict__ small, const float* __restrict__ big, const float* __restrict__ weight,
                       ConvDims d, Epilogue epilogue) {
  SHARED(float, of_warps, [kFewChannels][kBlock / 32]);
  const int image = int(blockIdx.x) % d.batch, pixel = int(blockIdx.x) / d.batch, t = int(threadIdx.x);
  const int y0 = pixel / d.small_w * d.stride_h - d.pad_top, x0 = pixel % d.small_w * d.stride_w - d.pad_left;
  const Span taps{d.big_channels, 0, d.kernel_w, 0, d.kernel_h};
  float sums[kFewChannels] = {};
  for (Cursor at(taps, 4 * t); at.there(taps); at.advance(taps, 4 * kBlock)) {
    const int y = y0 + at.y * d.dilation_h, x = x0 + at.x * d.dilation_w;
    if (unsigned(y) >= unsigned(d.big_h) || unsigned(x) >= unsigned(d.big_w)) continue;
    const float* from = big + ((size_t(y) * d.big_w + x) * d.batch + image) * d.big_channels + at.inner;
    const float* w = weight + size_t(at.y * d.kernel_w + at.x) * d.small_channels * d.big_channels + at.inner;
    const float4 a = load_vector<float4>(from);
#pragma unroll
    for (int s = 0; s < kFewChannels; ++s) {
      if (s >= d.small_channels) break;
      const float4 b = load_vector<float4>(w + size_t(s) * d.big_channels);
      sums[s] = fmaf(a.x, b.x, fmaf(a.y, b.y, fmaf(a.z, b.z, fmaf(a.w, b.w, sums[s]))));
    }
  }
#pragma unroll
  for (int s = 0; s < kFewChannels; ++s) {
    for (int step = 16; step > 0; step /= 2) sums[s] += __shfl_down_sync(kFullWarp, sums[s], unsigned(step));
    if (t % 32 == 0) of_warps[s][t / 32] = sums[s];
  }
  __syncthreads();
  if (t < d.small_channels) {
    float sum = 0;
    for (int warp = 0; warp < kBlock / 32; ++warp) sum += of_warps[t][warp];
    const size_t at = size_t(blockIdx.x) * d.small_channels + t;
    small[at] = epilogue.one(sum, at, t);
  }
}

}  // namespace

void transpose_to_few(Cuda on, const ConvDims& d, const float* small, const float* weight, float* big,
                      const ConvEpilogue& epilogue) {
  const size_t rows = size_t(d.small_h) * d.small_w * d.batch,
               size = size_t(d.big_h) * d.big_w * d.batch * d.big_channels;
  if (size == 0) return;
  const CudaScratch<float> sent(*on.pool, rows * d.kernel_h * d.kernel_w * d.big_channels);
  send(on, d, small, weight, sent.data());
  Launch<kBlock>{.grid = ceil_div(size, kBlock), .stream = on.stream}(collect_kernel, big, sent.data(), d,
                                                                      Epilogue(epilogue));
}

void conv_to_few(Cuda on, const ConvDims& d, const float* big, const float* weight, float* small,
                 const ConvEpilogue& epilogue) {
  const unsigned rows = unsigned(d.small_h) * d.small_w * d.batch;
  if (rows == 0) return;
  Launch<kBlock>{.grid = rows, .stream = on.stream}(conv_to_few_kernel, small, big, weight, d, Epilogue(epilogue));
}

}  // namespace tobogan::kernels
