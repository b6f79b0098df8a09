// The AC-GAN of Odena et al. (2017) for 28 x 28 grey images, in the form of Keras' example: the class multiplies the
// noise, and the discriminator tells real from fake and one class from another.  No batch norm.
#pragma once
#include "engine/nn/layers.h"

namespace tobogan {

struct AcganOptions {
  double width = 1;  // multiplies the numbers of maps
  int classes = 10, latent = 100;

  int maps(int at_width_1) const { return static_cast<int>(at_width_1 * width); }
};

struct AcganGenerator : Module {
  AcganGenerator(Context& context, const std::string& name, const AcganOptions& options)
      : Module(context, name), options(options) {}

  AcganOptions options;
  const int c384 = options.maps(384), c192 = options.maps(192), c96 = options.maps(96);
  const Init start = Init::glorot_normal();
  const ActivationOptions rectified{.slope = 0};

  Embedding classes{*this, "classes", {.entries = options.classes, .size = options.latent, .init = start}};
  Linear project{*this, "project", {.in = options.latent, .out = c384 * 3 * 3, .init = start, .activation = rectified}};
  ConvTranspose2d up1{*this, "up1", {.in = c384, .out = c192, .kernel = 5, .init = start, .activation = rectified}};
  ConvTranspose2d up2{*this,
                      "up2",
                      {.in = c192,
                       .out = c96,
                       .kernel = 5,
                       .stride = 2,
                       .padding = Padding::same(),
                       .init = start,
                       .activation = rectified}};
  ConvTranspose2d up3{
      *this, "up3", {.in = c96, .out = 1, .kernel = 5, .stride = 2, .padding = Padding::same(), .init = start}};

  // z {N, latent} and N classes to images {N, 1, 28, 28} in -1..1.
  Tensor operator()(const Tensor& z, const Indices& labels) {
    const Tensor rows = project(z * classes(labels));
    return tanh(up3(up2(up1(reshape(rows, {z.shape()[0], c384, 3, 3})))));
  }
};

// What an AC-GAN's discriminator says of an image.
struct AcganVerdict {
  Tensor source;  // logits {N, 1} of being real
  Tensor label;   // class logits {N, classes}
};

struct AcganDiscriminator : Module {
  AcganDiscriminator(Context& context, const std::string& name, const AcganOptions& options)
      : Module(context, name), options(options) {}

  static ConvLayerOptions down(int in, int out, int stride) {
    return {.in = in,
            .out = out,
            .kernel = 3,
            .stride = stride,
            .padding = Padding::same(),
            .activation = {.slope = 0.2, .dropout = 0.3}};
  }

  AcganOptions options;
  const int c32 = options.maps(32), c64 = options.maps(64), c128 = options.maps(128), c256 = options.maps(256);

  Conv2d conv1{*this, "conv1", down(1, c32, 2)};
  Conv2d conv2{*this, "conv2", down(c32, c64, 1)};
  Conv2d conv3{*this, "conv3", down(c64, c128, 2)};
  Conv2d conv4{*this, "conv4", down(c128, c256, 1)};
  ImageToLinear source{*this, "source", {.features = 1, .channels = c256, .height = 7, .width = 7}};
  ImageToLinear label{*this, "label", {.features = options.classes, .channels = c256, .height = 7, .width = 7}};

  AcganVerdict operator()(const Tensor& x) {
    const Tensor h = conv4(conv3(conv2(conv1(x))));
    return {source(h), label(h)};
  }
};

}  // namespace tobogan
