// The DCGAN of Radford, Metz & Chintala (2016) for 32 x 32 images, as Chen trains one for each class of CIFAR-10.
//
// Kernels of 4 x 4 throughout; batch norm but at both ends; ReLU in the generator, leaky ReLU 0.2 in the discriminator;
// no biases; weights start N(0, 0.02), batch norm's gamma N(1, 0.02).
#pragma once
#include "engine/nn/layers.h"

namespace tobogan {

struct DcganOptions {
  double width = 1;  // multiplies the numbers of maps
  int channels = 3;  // of the images
  int latent = 100;

  int maps(int at_width_1) const { return static_cast<int>(at_width_1 * width); }
};

// N(0, 0.02), the DCGAN family's start for weights.
inline Init dcgan_init() {
  return Init::normal(0, 0.02);
}

inline BatchNormOptions dcgan_batch_norm(int channels, double slope) {
  return {.channels = channels, .gamma_init = Init::normal(1, 0.02), .activation = {.slope = slope}};
}

// A 4 x 4 convolution (or transposed one) of stride 2 that halves (or doubles) the image.
inline ConvLayerOptions dcgan_layer(int in, int out, const ActivationOptions& activation = {}) {
  return {.in = in,
          .out = out,
          .kernel = 4,
          .stride = 2,
          .padding = 1,
          .bias = false,
          .init = dcgan_init(),
          .activation = activation};
}

struct DcganGenerator : Module {
  DcganGenerator(Context& context, const std::string& name, const DcganOptions& options)
      : Module(context, name), options(options) {}

  DcganOptions options;
  const int c512 = options.maps(512), c256 = options.maps(256), c128 = options.maps(128);

  LinearToImage project{
      *this,
      "project",
      {.features = options.latent, .channels = c512, .height = 4, .width = 4, .bias = false, .init = dcgan_init()}};
  BatchNorm norm0{*this, "norm0", dcgan_batch_norm(c512, 0)};
  ConvTranspose2d up1{*this, "up1", dcgan_layer(c512, c256)};
  BatchNorm norm1{*this, "norm1", dcgan_batch_norm(c256, 0)};
  ConvTranspose2d up2{*this, "up2", dcgan_layer(c256, c128)};
  BatchNorm norm2{*this, "norm2", dcgan_batch_norm(c128, 0)};
  ConvTranspose2d up3{*this, "up3", dcgan_layer(c128, options.channels, {.tanh = true})};

  // z {N, latent} to images {N, channels, 32, 32} in -1..1.
  Tensor operator()(const Tensor& z) { return up3(norm2(up2, norm1(up1, norm0(project, z)))); }
};

struct DcganDiscriminator : Module {
  DcganDiscriminator(Context& context, const std::string& name, const DcganOptions& options)
      : Module(context, name), options(options) {}

  DcganOptions options;
  const int c128 = options.maps(128), c256 = options.maps(256), c512 = options.maps(512);

  Conv2d down1{*this, "down1", dcgan_layer(options.channels, c128, {.slope = 0.2})};
  Conv2d down2{*this, "down2", dcgan_layer(c128, c256)};
  BatchNorm norm2{*this, "norm2", dcgan_batch_norm(c256, 0.2)};
  Conv2d down3{*this, "down3", dcgan_layer(c256, c512)};
  BatchNorm norm3{*this, "norm3", dcgan_batch_norm(c512, 0.2)};
  ImageToLinear score{
      *this, "score", {.features = 1, .channels = c512, .height = 4, .width = 4, .bias = false, .init = dcgan_init()}};

  // Images {N, channels, 32, 32} to the logits {N, 1} of being real.
  Tensor operator()(const Tensor& x) { return score(norm3(down3, norm2(down2, down1(x)))); }
};

}  // namespace tobogan
