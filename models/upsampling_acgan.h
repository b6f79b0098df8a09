// The AC-GAN of Mudavathu, in the form of Keras-GAN: a generator that repeats pixels and convolves, with batch norm
// 0.8, and a discriminator of four convolutions with two heads.  784 outputs of the first dense layer are 16 maps of 7
// x 7.
#pragma once
#include "models/acgan.h"

namespace tobogan {

struct UpsamplingAcganOptions {
  double width = 1;  // multiplies the numbers of maps but the stem's
  int stem = 16;     // maps of the first dense layer; Keras-GAN has 128
  int classes = 10, latent = 100;

  int maps(int at_width_1) const { return static_cast<int>(at_width_1 * width); }
};

struct UpsamplingGenerator : Module {
  UpsamplingGenerator(Context& context, const std::string& name, const UpsamplingAcganOptions& options)
      : Module(context, name), options(options) {}

  static ConvLayerOptions conv(int in, int out, double slope) {
    return {.in = in, .out = out, .kernel = 3, .padding = Padding::same(), .activation = {.slope = slope}};
  }

  UpsamplingAcganOptions options;
  const int c128 = options.maps(128), c64 = options.maps(64);

  Embedding classes{*this, "classes", {.entries = options.classes, .size = options.latent}};
  Linear project{*this, "project", {.in = options.latent, .out = options.stem * 7 * 7, .activation = {.slope = 0}}};
  BatchNorm norm0{*this, "norm0", keras_batch_norm(options.stem, 0.8)};
  Conv2d conv1{*this, "conv1", conv(options.stem, c128, 0)};
  BatchNorm norm1{*this, "norm1", keras_batch_norm(c128, 0.8)};
  Conv2d conv2{*this, "conv2", conv(c128, c64, 0)};
  BatchNorm norm2{*this, "norm2", keras_batch_norm(c64, 0.8)};
  Conv2d conv3{*this, "conv3", conv(c64, 1, 1)};

  // z {N, latent} and N classes to images {N, 1, 28, 28} in -1..1.
  Tensor operator()(const Tensor& z, const Indices& labels) {
    const Tensor rows = project(z * classes(labels));
    const Tensor small = norm0(reshape(rows, {z.shape()[0], options.stem, 7, 7}));
    const Tensor half = norm1(conv1, upsample_nearest(small, 2));
    return tanh(conv3(norm2(conv2, upsample_nearest(half, 2))));
  }
};

struct FourLayerDiscriminator : Module {
  FourLayerDiscriminator(Context& context, const std::string& name, const UpsamplingAcganOptions& options)
      : Module(context, name), options(options) {}

  static ConvLayerOptions down(int in, int out, int stride) {
    return {.in = in,
            .out = out,
            .kernel = 3,
            .stride = stride,
            .padding = Padding::same(),
            .activation = {.slope = 0.2, .dropout = 0.25}};
  }

  UpsamplingAcganOptions options;
  const int c16 = options.maps(16), c32 = options.maps(32), c64 = options.maps(64), c128 = options.maps(128);

  Conv2d conv1{*this, "conv1", down(1, c16, 2)};
  Conv2d conv2{*this, "conv2", down(c16, c32, 2)};
  BatchNorm norm2{*this, "norm2", keras_batch_norm(c32, 0.8)};
  Conv2d conv3{*this, "conv3", down(c32, c64, 2)};
  BatchNorm norm3{*this, "norm3", keras_batch_norm(c64, 0.8)};
  Conv2d conv4{*this, "conv4", down(c64, c128, 1)};
  ImageToLinear source{*this, "source", {.features = 1, .channels = c128, .height = 4, .width = 4}};
  ImageToLinear label{*this, "label", {.features = options.classes, .channels = c128, .height = 4, .width = 4}};

  AcganVerdict operator()(const Tensor& x) {
    const Tensor eighth = pad_zero2d(conv2(conv1(x)), {0, 1, 0, 1});  // 7 x 7 to 8 x 8: below and to the right
    const Tensor h = conv4(norm3(conv3, norm2(eighth)));
    return {source(h), label(h)};
  }
};

}  // namespace tobogan
