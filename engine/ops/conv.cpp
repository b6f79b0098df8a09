// Three operations, each the gradient of the other two, over one struct of sizes that is computed once and handed on,
// so that no rule has to guess a shape.
#include "engine/ops/conv.h"

#include <algorithm>

#include "engine/autograd.h"
#include "engine/ops/normalize.h"
#include "kernels/conv.h"

namespace tobogan {
namespace {

using kernels::ConvDims;

// What is done to the sums in the same pass.
struct Epilogue {
  Tensor bias = {};
  kernels::Activation activation = {};
  const Tensor* activated = nullptr;  // see kernels::ConvEpilogue
  decltype(kernels::ConvEpilogue::statistics) statistics = {};

  kernels::ConvEpilogue for_kernel() const {
    return {.bias = bias.defined() ? bias.data() : nullptr,
            .activation = activation,
            .activated = activated ? activated->data() : nullptr,
            .statistics = statistics};
  }
};

Tensor conv_small(const Tensor& big, const Tensor& weight, const ConvDims& d, const Epilogue& epilogue = {});
Tensor conv_big(const Tensor& small, const Tensor& weight, const ConvDims& d, const Epilogue& epilogue = {});
Tensor conv_weight(const Tensor& big, const Tensor& small, const ConvDims& d);

using Convolution = Tensor (*)(const Tensor&, const Tensor&, const ConvDims&, const Epilogue&);

// The gradient of an input x that an operation with a first step has made, by a convolution that takes this step.
SteppedGradient stepped_gradient(Convolution convolution, const Tensor& dsums, const Tensor& weight, const ConvDims& d,
                                 const Tensor& x, const Wanted& wanted) {
  const FirstStep& step = *wanted.step;
  SteppedGradient stepped;
  Epilogue epilogue{.activation = step.activation, .activated = step.activation.is_identity() ? nullptr : &x};
  if (step.x.defined()) {
    epilogue.statistics = normalize_sums(step, stepped);
  } else if (wanted.step_bias) {
    stepped.bias = Tensor({x.shape()[1]}, x.device());
    epilogue.statistics = kernels::ConvEpilogue::Sums{stepped.bias.data()};
  }
  stepped.gradient = convolution(dsums, weight, d, epilogue);
  return stepped;
}

// Records a convolution of `x` with `weight` to y, where `to_x` is the convolution that takes gradients back to x.
Tensor record_conv(const Tensor& y, const Tensor& x, const Tensor& weight, const ConvDims& d, const Epilogue& epilogue,
                   Convolution to_x, std::function<Tensor(const Tensor& dsums)> to_weight) {
  std::vector<Tensor> inputs{x, weight};
  if (epilogue.bias.defined()) inputs.push_back(epilogue.bias);
  const kernels::Activation how = epilogue.activation;
  const int bias = epilogue.bias.defined() ? 2 : -1;
  const auto own = std::make_shared<FirstStep>(FirstStep{.activation = how});
  return record(y, inputs, own, bias, [=](const Tensor& dy, const Tensor& result, const Wanted& wanted) {
    const SteppedGradient back = wanted.arrived ? *wanted.arrived : activation_step(dy, result, how, wanted[2]);
    std::vector<Tensor> gradients{{}, {}, back.bias};
    if (wanted[1]) gradients[1] = to_weight(back.gradient);
    if (wanted.step) {
      const SteppedGradient stepped = stepped_gradient(to_x, back.gradient, weight, d, x, wanted);
      gradients[0] = stepped.gradient;
      *wanted.stepped = std::make_shared<SteppedGradient>(stepped);
    } else if (wanted[0]) {
      gradients[0] = to_x(back.gradient, weight, d, {});
    }
    return gradients;
  });
}

Tensor conv_small(const Tensor& big, const Tensor& weight, const ConvDims& d, const Epilogue& epilogue) {
  Tensor small({d.batch, d.small_channels, d.small_h, d.small_w}, big.device());
  dispatch(big.device(),
           [&](auto on) { kernels::conv2d(on, d, big.data(), weight.data(), small.data(), epilogue.for_kernel()); });
  return record_conv(small, big, weight, d, epilogue, conv_big,
                     [=](const Tensor& dsums) { return conv_weight(big, dsums, d); });
}

Tensor conv_big(const Tensor& small, const Tensor& weight, const ConvDims& d, const Epilogue& epilogue) {
  Tensor big({d.batch, d.big_channels, d.big_h, d.big_w}, small.device());
  dispatch(small.device(), [&](auto on) {
    kernels::conv_transpose2d(on, d, small.data(), weight.data(), big.data(), epilogue.for_kernel());
  });
  return record_conv(big, small, weight, d, epilogue, conv_small,
                     [=](const Tensor& dsums) { return conv_weight(dsums, small, d); });
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

// weight_axis: that of the weight which the input's channels are on.
void check_input(const char* name, const Tensor& x, const Tensor& weight, const Tensor& bias, int weight_axis,
                 const ConvOptions& o) {
  check(x.shape().rank() == 4 && weight.shape().rank() == 4, name,
        ": expected an image batch {N, C, H, W} and a weight of four axes, got shapes ", x.shape(), " and ",
        weight.shape());
  check_images(name, x);
  check(x.shape()[1] == weight.shape()[weight_axis], name, ": a weight of shape ", weight.shape(), " takes ",
        weight.shape()[weight_axis], " channels but the input of shape ", x.shape(), " has ", x.shape()[1]);
  check(!bias.defined() || bias.shape() == Shape{weight.shape()[1 - weight_axis]}, name, ": a weight of shape ",
        weight.shape(), " for an input of shape ", x.shape(), " cannot have a bias of shape ",
        bias.defined() ? bias.shape() : Shape{});
  check(weight.count() > 0, name, ": expected a weight with at least one channel each way and one tap, got shape ",
        weight.shape());
  check(o.stride.h >= 1 && o.stride.w >= 1 && o.dilation.h >= 1 && o.dilation.w >= 1, name,
        ": stride and dilation must be at least 1");
  const Padding& p = o.padding;
  check(std::min({p.top, p.bottom, p.left, p.right}) >= 0, name, ": padding must not be negative, got ", p.top, ", ",
        p.bottom, ", ", p.left, " and ", p.right, " (top, bottom, left, right)");
  check_same_machine(name, x, weight);
  if (bias.defined()) check_same_machine(name, x, bias);
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

Tensor conv2d_with(const Tensor& x, const Tensor& weight, Epilogue epilogue, const ConvOptions& o,
                   BatchMoments* moments = nullptr) {
  check_input("conv2d", x, weight, epilogue.bias, 1, o);
  const Shape &xs = x.shape(), &ws = weight.shape();
  const Padding& p = o.padding;
  const Axis h = axis_of_conv(xs[2], ws[2], o.stride.h, o.dilation.h, p.top, p.bottom, p.is_same);
  const Axis w = axis_of_conv(xs[3], ws[3], o.stride.w, o.dilation.w, p.left, p.right, p.is_same);
  check(h.small >= 1 && w.small >= 1, "conv2d: a kernel of weight ", ws, " is larger than the padded image of shape ",
        xs);
  if (moments) epilogue.statistics = column_moments(*moments, {xs[0], ws[0], h.small, w.small}, x.device());
  return conv_small(x, weight, dims_of(xs[0], xs[1], ws[0], ws, h, w, o), epilogue);
}

Tensor conv_transpose2d_with(const Tensor& x, const Tensor& weight, Epilogue epilogue, const ConvOptions& o,
                             BatchMoments* moments = nullptr) {
  check_input("conv_transpose2d", x, weight, epilogue.bias, 0, o);
  const Shape &xs = x.shape(), &ws = weight.shape();
  const Padding& p = o.padding;
  const Axis h = axis_of_transpose(xs[2], ws[2], o.stride.h, o.dilation.h, p.top, p.bottom, p.is_same);
  const Axis w = axis_of_transpose(xs[3], ws[3], o.stride.w, o.dilation.w, p.left, p.right, p.is_same);
  check(h.big >= 1 && w.big >= 1, "conv_transpose2d: nothing is left of the result for an input of shape ", xs,
        " and a weight of shape ", ws);
  if (moments) epilogue.statistics = column_moments(*moments, {xs[0], ws[1], h.big, w.big}, x.device());
  return conv_big(x, weight, dims_of(xs[0], ws[1], xs[1], ws, h, w, o), epilogue);
}

}  // namespace

void check_images(const char* operation, const Tensor& x) {
  check(x.shape().rank() == 4 && x.shape()[2] >= 1 && x.shape()[3] >= 1, operation,
        ": expected an image batch {N, C, H, W} of at least one pixel, got shape ", x.shape());
}

Tensor conv2d(const Tensor& x, const Tensor& weight, const ConvOptions& options) {
  return conv2d_with(x, weight, {}, options);
}
Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias, const kernels::Activation& how,
              const ConvOptions& options, BatchMoments* moments) {
  check_activation("conv2d", how);
  return conv2d_with(x, weight, {bias, how}, options, moments);
}

Tensor conv_transpose2d(const Tensor& x, const Tensor& weight, const ConvOptions& options) {
  return conv_transpose2d_with(x, weight, {}, options);
}
Tensor conv_transpose2d(const Tensor& x, const Tensor& weight, const Tensor& bias, const kernels::Activation& how,
                        const ConvOptions& options, BatchMoments* moments) {
  check_activation("conv_transpose2d", how);
  return conv_transpose2d_with(x, weight, {bias, how}, options, moments);
}

}  // namespace tobogan
