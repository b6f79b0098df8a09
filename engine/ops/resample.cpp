// What differs between the operations is only which lines of pixels are mixed with which weights.
#include "engine/ops/resample.h"

#include <algorithm>
#include <cmath>

#include "engine/autograd.h"
#include "kernels/resample.h"

namespace tobogan {
namespace {

using kernels::AxisMap;

// Builds a map from a function that lists the terms of one output.
template <class Terms>
AxisMap axis_map(int in, int out, Terms terms_of) {
  AxisMap map;
  map.in = in;
  map.first.push_back(0);
  for (int i = 0; i < out; ++i) {
    terms_of(i, map.terms);
    map.first.push_back(static_cast<int>(map.terms.size()));
  }
  return map;
}

// The mean over the pixels begin..end-1 that are inside the image.
void mean_of(int begin, int end, int in, std::vector<AxisMap::Term>& terms) {
  begin = std::max(begin, 0);
  end = std::min(end, in);
  for (int p = begin; p < end; ++p) terms.push_back({p, static_cast<Real>(1.0 / (end - begin))});
}

AxisMap bilinear_axis(int in, int out, ResizeRule rule) {
  const double scale = static_cast<double>(in) / out;
  return axis_map(in, out, [&](int i, auto& terms) {
    const double at = std::max(rule == ResizeRule::kHalfPixel ? (i + 0.5) * scale - 0.5 : i * scale, 0.0);
    const int low = std::min(static_cast<int>(at), in - 1), high = std::min(low + 1, in - 1);
    const double share = at - low;
    terms.push_back({low, static_cast<Real>(high == low ? 1 : 1 - share)});
    if (high != low && share > 0) terms.push_back({high, static_cast<Real>(share)});
  });
}

AxisMap padded_axis(int in, int before, int after) {
  return axis_map(in, in + before + after, [&](int i, auto& terms) {
    if (i >= before && i < before + in) terms.push_back({i - before, 1});
  });
}

AxisMap reflected_axis(int in, int before, int after) {
  return axis_map(in, in + before + after, [&](int i, auto& terms) {
    const int p = std::abs(i - before);
    terms.push_back({p < in ? p : 2 * (in - 1) - p, 1});
  });
}

Tensor resample_by(const Tensor& x, const std::shared_ptr<const AxisMap>& rows,
                   const std::shared_ptr<const AxisMap>& columns) {
  const Shape& s = x.shape();
  Tensor y({s[0], s[1], rows->out(), columns->out()}, x.device());
  dispatch(x.device(),
           [&](auto on) { kernels::resample(on, *rows, *columns, int64_t{s[0]} * s[1], x.data(), y.data()); });
  return record(y, {{x, [=](const Tensor& dy, const Tensor&) {
                       return resample_by(dy, std::make_shared<AxisMap>(rows->transposed()),
                                          std::make_shared<AxisMap>(columns->transposed()));
                     }}});
}

}  // namespace

Tensor resample(const Tensor& x, const AxisMap& rows, const AxisMap& columns) {
  check_images("resample", x);
  check(rows.in == x.shape()[2] && columns.in == x.shape()[3], "resample: maps from ", rows.in, " x ", columns.in,
        " pixels do not fit images of shape ", x.shape());
  return resample_by(x, std::make_shared<AxisMap>(rows), std::make_shared<AxisMap>(columns));
}

Tensor avg_pool2d(const Tensor& x, const PoolOptions& o) {
  check_pool("avg_pool2d", x, o);
  auto axis = [&](int in, int kernel, int stride, int before, int after) {
    const int out = pooled_size(in, kernel, stride, before, after, o.ceil);
    check(out >= 1, "avg_pool2d: a window of ", kernel, " pixels does not fit into an axis of ", in, " with padding ",
          before, " and ", after);
    return axis_map(in, out,
                    [&](int i, auto& terms) { mean_of(i * stride - before, i * stride - before + kernel, in, terms); });
  };
  return resample(x, axis(x.shape()[2], o.kernel.h, o.stride.h, o.padding.top, o.padding.bottom),
                  axis(x.shape()[3], o.kernel.w, o.stride.w, o.padding.left, o.padding.right));
}

Tensor adaptive_avg_pool2d(const Tensor& x, Size2 size) {
  check_images("adaptive_avg_pool2d", x);
  check(size.h >= 1 && size.w >= 1, "adaptive_avg_pool2d: expected a size of at least 1 x 1");
  auto axis = [](int in, int out) {
    return axis_map(in, out,
                    [&](int i, auto& terms) { mean_of(i * in / out, ((i + 1) * in + out - 1) / out, in, terms); });
  };
  return resample(x, axis(x.shape()[2], size.h), axis(x.shape()[3], size.w));
}

Tensor upsample_nearest(const Tensor& x, int factor) {
  check_images("upsample_nearest", x);
  check(factor >= 1, "upsample_nearest: expected a factor of at least 1, got ", factor);
  auto axis = [&](int in) {
    return axis_map(in, in * factor, [&](int i, auto& terms) { terms.push_back({i / factor, 1}); });
  };
  return resample(x, axis(x.shape()[2]), axis(x.shape()[3]));
}

Tensor resize_bilinear(const Tensor& x, Size2 size, ResizeRule rule) {
  check_images("resize_bilinear", x);
  check(size.h >= 1 && size.w >= 1, "resize_bilinear: expected a size of at least 1 x 1");
  return resample(x, bilinear_axis(x.shape()[2], size.h, rule), bilinear_axis(x.shape()[3], size.w, rule));
}

Tensor pad_zero2d(const Tensor& x, const Padding& p) {
  check_images("pad_zero2d", x);
  check(!p.is_same && x.shape()[2] + p.top + p.bottom >= 1 && x.shape()[3] + p.left + p.right >= 1,
        "pad_zero2d: expected explicit padding that leaves an image, for shape ", x.shape());
  return resample(x, padded_axis(x.shape()[2], p.top, p.bottom), padded_axis(x.shape()[3], p.left, p.right));
}

Tensor pad_reflect2d(const Tensor& x, const Padding& p) {
  check_images("pad_reflect2d", x);
  check(!p.is_same && std::min({p.top, p.bottom, p.left, p.right}) >= 0 && std::max(p.top, p.bottom) < x.shape()[2] &&
            std::max(p.left, p.right) < x.shape()[3],
        "pad_reflect2d: expected padding smaller than the image, for shape ", x.shape());
  return resample(x, reflected_axis(x.shape()[2], p.top, p.bottom), reflected_axis(x.shape()[3], p.left, p.right));
}

}  // namespace tobogan
