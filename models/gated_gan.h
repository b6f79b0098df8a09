// The plain GAN of Mudavathu, whose two networks are trained only while they are behind: a generator of four transposed
// convolutions of 5 x 5 on an image of 4 x 4 that is stretched to 7 x 7, and a discriminator of four convolutions of
// stride 2.  Leaky ReLU 0.2, then dropout, then (in the generator) batch norm 0.99.
#pragma once
#include "engine/nn/layers.h"

namespace tobogan {

struct GatedGanOptions {
  int maps = 64;  // of every convolution
  int latent = 64;
  double dropout = 0.4;
};

struct GatedGenerator : Module {
  GatedGenerator(Context& context, const std::string& name, const GatedGanOptions& options)
      : Module(context, name), options(options) {}

  ConvLayerOptions up(int in, int stride) const {
    return {.in = in,
            .out = options.maps,
            .kernel = 5,
            .stride = stride,
            .padding = Padding::same(),
            .activation = {.slope = 0.2, .dropout = options.dropout}};
  }

  GatedGanOptions options;
  Linear hidden{
      *this, "hidden", {.in = options.latent, .out = 16, .activation = {.slope = 0.2, .dropout = options.dropout}}};
  BatchNorm norm0{*this, "norm0", keras_batch_norm(16)};
  ConvTranspose2d up1{*this, "up1", up(1, 2)};
  BatchNorm norm1{*this, "norm1", keras_batch_norm(options.maps)};
  ConvTranspose2d up2{*this, "up2", up(options.maps, 2)};
  BatchNorm norm2{*this, "norm2", keras_batch_norm(options.maps)};
  ConvTranspose2d up3{*this, "up3", up(options.maps, 1)};
  BatchNorm norm3{*this, "norm3", keras_batch_norm(options.maps)};
  ConvTranspose2d up4{*this, "up4", {.in = options.maps, .out = 1, .kernel = 5, .padding = Padding::same()}};

  // z {N, latent}, uniform in 0..1, to images {N, 1, 28, 28} in 0..1.
  Tensor operator()(const Tensor& z) {
    const Tensor small = reshape(norm0(hidden(z)), {z.shape()[0], 1, 4, 4});
    const Tensor stretched = resize_bilinear(small, 7, ResizeRule::kTensorFlow1);
    return sigmoid(up4(norm3(up3, norm2(up2, norm1(up1, stretched)))));
  }
};

struct GatedDiscriminator : Module {
  GatedDiscriminator(Context& context, const std::string& name, const GatedGanOptions& options)
      : Module(context, name), options(options) {}

  ConvLayerOptions down(int in) const {
    return {.in = in,
            .out = options.maps,
            .kernel = 5,
            .stride = 2,
            .padding = Padding::same(),
            .activation = {.slope = 0.2, .dropout = options.dropout}};
  }

  GatedGanOptions options;
  Conv2d conv1{*this, "conv1", down(1)};
  Conv2d conv2{*this, "conv2", down(options.maps)};
  Conv2d conv3{*this, "conv3", down(options.maps)};
  Conv2d conv4{*this, "conv4", down(options.maps)};
  ImageToLinear hidden{
      *this,
      "hidden",
      {.features = 128, .channels = options.maps, .height = 2, .width = 2, .activation = {.slope = 0.2}}};
  Linear score{*this, "score", {.in = 128, .out = 1}};

  // Images {N, 1, 28, 28} in 0..1 to the logits {N, 1} of being real.
  Tensor operator()(const Tensor& x) { return score(hidden(conv4(conv3(conv2(conv1(x)))))); }
};

}  // namespace tobogan
