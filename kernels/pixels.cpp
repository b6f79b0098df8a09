// Builds the lists of pixels.h.  Nothing here knows a machine: every backend uses the same lists.
#include "kernels/pixels.h"

namespace tobogan::kernels {

AxisPairs AxisPairs::of_small(int big, int small, int kernel, int stride, int pad, int dilation) {
  AxisPairs axis;
  axis.first_.reserve(static_cast<size_t>(small) + 1);
  axis.first_.push_back(0);
  for (int position = 0; position < small; ++position) {
    for (int tap = 0; tap < kernel; ++tap) {
      const int64_t other = int64_t{position} * stride + int64_t{tap} * dilation - pad;
      if (other >= 0 && other < big) axis.pairs_.push_back({static_cast<int>(other), tap});
    }
    axis.first_.push_back(static_cast<int>(axis.pairs_.size()));
  }
  return axis;
}

AxisPairs AxisPairs::of_big(int big, int small, int kernel, int stride, int pad, int dilation) {
  AxisPairs axis;
  axis.first_.reserve(static_cast<size_t>(big) + 1);
  axis.first_.push_back(0);
  for (int position = 0; position < big; ++position) {
    for (int tap = 0; tap < kernel; ++tap) {
      const int64_t scaled = int64_t{position} + pad - int64_t{tap} * dilation;
      if (scaled < 0 || scaled % stride != 0 || scaled / stride >= small) continue;
      axis.pairs_.push_back({static_cast<int>(scaled / stride), tap});
    }
    axis.first_.push_back(static_cast<int>(axis.pairs_.size()));
  }
  return axis;
}

PixelPairs PixelPairs::of_small(const ConvDims& d) {
  return {AxisPairs::of_small(d.big_h, d.small_h, d.kernel_h, d.stride_h, d.pad_top, d.dilation_h),
          AxisPairs::of_small(d.big_w, d.small_w, d.kernel_w, d.stride_w, d.pad_left, d.dilation_w)};
}

PixelPairs PixelPairs::of_big(const ConvDims& d) {
  return {AxisPairs::of_big(d.big_h, d.small_h, d.kernel_h, d.stride_h, d.pad_top, d.dilation_h),
          AxisPairs::of_big(d.big_w, d.small_w, d.kernel_w, d.stride_w, d.pad_left, d.dilation_w)};
}

AxisMap AxisMap::transposed() const {
  AxisMap map;
  map.in = out();
  map.first.assign(static_cast<size_t>(in) + 1, 0);
  for (const Term& term : terms) ++map.first[static_cast<size_t>(term.source) + 1];
  for (size_t i = 1; i < map.first.size(); ++i) map.first[i] += map.first[i - 1];
  map.terms.resize(terms.size());
  std::vector<int> next = map.first;
  for (int output = 0; output < out(); ++output) {
    for (int t = first[output]; t < first[output + 1]; ++t) {
      map.terms[next[terms[t].source]++] = {output, terms[t].weight};
    }
  }
  return map;
}

}  // namespace tobogan::kernels
