// Phases and tiles.  Nothing here depends on values, so a captured step finds the same plan each time.
#include "kernels/cuda/conv_plan.h"

#include <algorithm>
#include <climits>
#include <numeric>
#include <stdexcept>

namespace tobogan::kernels {
namespace {

struct Side {
  int big, small, kernel, stride, pad, dilation;
};

// The phase of big positions first, first + stride, ...: position p meets (p + pad - tap * dilation) / stride.
GatherAxis axis_of_big(const Side& s, int first) {
  const int tap_step = s.stride / std::gcd(s.stride, s.dilation);
  int tap = 0;
  const auto sent = [&] { return first + s.pad - tap * s.dilation; };
  while (tap < s.kernel && sent() % s.stride != 0) ++tap;
  return {.out_first = first,
          .out_step = s.stride,
          .count = (s.big - first + s.stride - 1) / s.stride,
          .in_first = tap < s.kernel ? sent() / s.stride : 0,
          .in_step = 1,
          .in_tap = -(tap_step * s.dilation / s.stride),
          .tap_first = tap,
          .tap_step = tap_step,
          .taps = tap < s.kernel ? (s.kernel - tap + tap_step - 1) / tap_step : 0};
}

std::vector<GatherAxis> axes(const Side& s, bool to_small) {
  if (to_small) return {{0, 1, s.small, -s.pad, s.stride, s.dilation, 0, 1, s.kernel}};
  std::vector<GatherAxis> phases;
  for (int first = 0; first < std::min(s.stride, s.big); ++first) phases.push_back(axis_of_big(s, first));
  return phases;
}

// The taps under which any of the positions first..last meets the input, as far as a range can say it: what is
// outside for a single row is zero anyway.
std::pair<int, int> taps_met(const GatherAxis& axis, int in_size, int first, int last) {
  int begin = 0, end = axis.taps;
  const auto met = [&](int k) {
    const int low = axis.in_first + first * axis.in_step + k * axis.in_tap;
    return low < in_size && low + (last - first) * axis.in_step >= 0;
  };
  while (begin < end && !met(begin)) ++begin;
  while (end > begin && !met(end - 1)) --end;
  return {begin, end};
}

}  // namespace

void check_countable(const ConvDims& d) {
  if (int64_t{d.batch} * d.big_channels * d.big_h * d.big_w > INT_MAX ||
      int64_t{d.batch} * d.small_channels * d.small_h * d.small_w > INT_MAX)
    throw std::length_error("a convolution of more than 2^31 - 1 numbers: the GPU's kernels count in 32 bits");
}

GatherPlan plan_gather(const ConvDims& d, bool to_small, int rows) {
  const Side y{d.big_h, d.small_h, d.kernel_h, d.stride_h, d.pad_top, d.dilation_h};
  const Side x{d.big_w, d.small_w, d.kernel_w, d.stride_w, d.pad_left, d.dilation_w};
  const int in_h = to_small ? d.big_h : d.small_h, in_w = to_small ? d.big_w : d.small_w;
  GatherPlan plan;
  for (const GatherAxis& axis_y : axes(y, to_small)) {
    for (const GatherAxis& axis_x : axes(x, to_small)) plan.phases.push_back({axis_y, axis_x});
  }
  for (int phase = 0; phase < static_cast<int>(plan.phases.size()); ++phase) {
    const auto& [axis_y, axis_x] = plan.phases[phase];
    const int count = axis_y.count * axis_x.count * d.batch;
    for (int first_row = 0; first_row < count; first_row += rows) {
      const int first = first_row / d.batch, last = (std::min(count, first_row + rows) - 1) / d.batch;
      const int line = first / axis_x.count, last_line = last / axis_x.count;
      const bool one_line = line == last_line;
      const auto [y_begin, y_end] = taps_met(axis_y, in_h, line, last_line);
      const auto [x_begin, x_end] = taps_met(axis_x, in_w, one_line ? first % axis_x.count : 0,
                                             one_line ? last % axis_x.count : axis_x.count - 1);
      plan.tiles.push_back({phase, first_row, y_begin, y_end, x_begin, x_end});
    }
  }
  for (const GatherTile& tile : plan.tiles) {
    plan.most_taps = std::max(plan.most_taps, tile.taps());
    plan.mean_taps += static_cast<double>(tile.taps()) / static_cast<double>(plan.tiles.size());
  }
  std::stable_sort(plan.tiles.begin(), plan.tiles.end(),
                   [](const GatherTile& a, const GatherTile& b) { return a.taps() > b.taps(); });
  return plan;
}

}  // namespace tobogan::kernels
