// Convolution and transposed convolution of image batches.
#pragma once
#include "engine/ops/normalize.h"

namespace tobogan {

// Two sizes, of rows and of columns; one number stands for both.
struct Size2 {
  int h, w;
  Size2(int both) : h(both), w(both) {}
  Size2(int h, int w) : h(h), w(w) {}
};

// Pixels added around an image before a convolution, or cut off the full result of a transposed one.
struct Padding {
  int top = 0, bottom = 0, left = 0, right = 0;
  bool is_same = false;

  Padding() = default;  // VALID
  Padding(int all) : top(all), bottom(all), left(all), right(all) {}
  Padding(int top, int bottom, int left, int right) : top(top), bottom(bottom), left(left), right(right) {}
  // As TensorFlow's SAME: a convolution has ceil(n / stride) outputs, a transposed one n * stride; what is odd goes to
  // the end.
  static Padding same() {
    Padding padding;
    padding.is_same = true;
    return padding;
  }
};

struct ConvOptions {
  Size2 stride = 1;
  Padding padding = {};
  Size2 dilation = 1;
};

// Throws Error, beginning with the operation's name, unless x is a batch of images that have pixels.
void check_images(const char* operation, const Tensor& x);

// x {N, in, H, W}, weight {out, in, kernel_h, kernel_w} -> {N, out, H', W'} with
// H' = (H + top + bottom - dilation * (kernel_h - 1) - 1) / stride + 1.
Tensor conv2d(const Tensor& x, const Tensor& weight, const ConvOptions& options = {});

// x {N, in, H, W}, weight {in, out, kernel_h, kernel_w} -> {N, out, H', W'} with
// H' = (H - 1) * stride + dilation * (kernel_h - 1) + 1 - top - bottom.
Tensor conv_transpose2d(const Tensor& x, const Tensor& weight, const ConvOptions& options = {});

// activate(conv2d(x, weight), bias, how) and the same of a transposed convolution in one pass; `bias` {out} may be
// undefined.  With `moments` they also find out what batch norm wants to know of the result.
Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias, const kernels::Activation& how,
              const ConvOptions& options = {}, BatchMoments* moments = nullptr);
Tensor conv_transpose2d(const Tensor& x, const Tensor& weight, const Tensor& bias, const kernels::Activation& how,
                        const ConvOptions& options = {}, BatchMoments* moments = nullptr);

}  // namespace tobogan
