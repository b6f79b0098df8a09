// Three operations, each the gradient of the other two, over one struct of sizes that is computed once and handed on,
// so that no rule has to guess a shape.
#include "engine/ops/conv.h"

#include <algorithm>

#include "engine/autograd.h"
#include "kernels/conv.h"

namespace tobogan {
namespace {

using kernels::ConvDims;

Tensor conv_big(const Tensor& small, const Tensor& weight, const ConvDims& d);
Tensor conv_weight(const Tensor& big, const Tensor& small, const ConvDims& d);

Tensor conv_small(const Tensor& big, const Tensor& weight, const ConvDims& d) {
  Tensor small({d.batch, d.small_channels, d.small_h, d.small_w}, big.device());
  dispatch(big.device(), [&](auto on) { kernels::conv2d(on, d, big.data(), weight.data(), small.data()); });
  return record(small, {{big, [=](const Tensor& dy, const Tensor&) { return conv_big(dy, weight, d); }},
                        {weight, [=](const Tensor& dy, const Tensor&) { return conv_weight(big, dy, d); }}});
}

Tensor conv_big(const Tensor& small, const Tensor& weight, const ConvDims& d) {
  Tensor big({d.batch, d.big_channels, d.big_h, d.big_w}, small.device());
  dispatch(small.device(), [&](auto on) { kernels::conv_transpose2d(on, d, small.data(), weight.data(), big.data()); });
  return record(big, {{small, [=](const Tensor& dy, const Tensor&) { return conv_small(dy, weight, d); }},
                      {weight, [=](const Tensor& dy, const Tensor&) { return conv_weight(dy, small, d); }}});
}

Tensor conv_weight(const Tensor& big, const Tensor& small, const ConvDims& d) {
  Tensor weight({d.small_channels, d.big_channels, d.kernel_h, d.kernel_w}, big.device());
  dispatch(big.device(), [&](auto on) { kernels::conv2d_weight(on, d, big.data(), small.data(), weight.data()); });
  return record(weight, {{big, [=](const Tensor& dw, const Tensor&) { return conv_big(small, dw, d); }},
                         {small, [=](const Tensor& dw, const Tensor&) { return conv_small(big, dw, d); }}});
}

// One axis of a convolution or of its transpose.
struct Axis {
  int big, small, pad;
};

int reach(int kernel, int dilation) {
  return dilation * (kernel - 1) + 1;
}

Axis axis_of_conv(int n, int kernel, int stride, int dilation, int before, int after, bool same) {
  if (same) {
    const int out = (n + stride - 1) / stride;
    const int total = std::max((out - 1) * stride + reach(kernel, dilation) - n, 0);
    return {n, out, total / 2};
  }
  const int padded = n + before + after - reach(kernel, dilation);
  return {n, padded < 0 ? 0 : padded / stride + 1, before};
}

Axis axis_of_transpose(int n, int kernel, int stride, int dilation, int before, int after, bool same) {
  const int full = (n - 1) * stride + reach(kernel, dilation);
  if (same) return {n * stride, n, std::max(full - n * stride, 0) / 2};
  return {full - before - after, n, before};
}

void check_input(const char* name, const Tensor& x, const Tensor& weight, int weight_axis, const ConvOptions& o) {
  check(x.shape().rank() == 4 && weight.shape().rank() == 4, name,
        ": expected an image batch {N, C, H, W} and a weight of four axes, got shapes ", x.shape(), " and ",
        weight.shape());
  check(x.shape()[1] == weight.shape()[weight_axis], name, ": a weight of shape ", weight.shape(), " takes ",
        weight.shape()[weight_axis], " channels but the input of shape ", x.shape(), " has ", x.shape()[1]);
  check(o.stride.h >= 1 && o.stride.w >= 1 && o.dilation.h >= 1 && o.dilation.w >= 1, name,
        ": stride and dilation must be at least 1");
}

ConvDims dims_of(int batch, int big_channels, int small_channels, const Shape& weight, Axis h, Axis w,
                 const ConvOptions& o) {
  return {.batch = batch,
          .big_channels = big_channels,
          .big_h = h.big,
          .big_w = w.big,
          .small_channels = small_channels,
          .small_h = h.small,
          .small_w = w.small,
          .kernel_h = weight[2],
          .kernel_w = weight[3],
          .stride_h = o.stride.h,
          .stride_w = o.stride.w,
          .pad_top = h.pad,
          .pad_left = w.pad,
          .dilation_h = o.dilation.h,
          .dilation_w = o.dilation.w};
}

}  // namespace

Tensor conv2d(const Tensor& x, const Tensor& weight, const ConvOptions& o) {
  check_input("conv2d", x, weight, 1, o);
  const Shape &xs = x.shape(), &ws = weight.shape();
  const Padding& p = o.padding;
  const Axis h = axis_of_conv(xs[2], ws[2], o.stride.h, o.dilation.h, p.top, p.bottom, p.is_same);
  const Axis w = axis_of_conv(xs[3], ws[3], o.stride.w, o.dilation.w, p.left, p.right, p.is_same);
  check(h.small >= 1 && w.small >= 1, "conv2d: a kernel of weight ", ws, " is larger than the padded image of shape ",
        xs);
  return conv_small(x, weight, dims_of(xs[0], xs[1], ws[0], ws, h, w, o));
}

Tensor conv_transpose2d(const Tensor& x, const Tensor& weight, const ConvOptions& o) {
  check_input("conv_transpose2d", x, weight, 0, o);
  const Shape &xs = x.shape(), &ws = weight.shape();
  const Padding& p = o.padding;
  const Axis h = axis_of_transpose(xs[2], ws[2], o.stride.h, o.dilation.h, p.top, p.bottom, p.is_same);
  const Axis w = axis_of_transpose(xs[3], ws[3], o.stride.w, o.dilation.w, p.left, p.right, p.is_same);
  check(h.big >= 1 && w.big >= 1, "conv_transpose2d: nothing is left of the result for an input of shape ", xs,
        " and a weight of shape ", ws);
  return conv_big(x, weight, dims_of(xs[0], ws[1], xs[1], ws, h, w, o));
}

}  // namespace tobogan
