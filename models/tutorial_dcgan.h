// The DCGAN of Abadi: the form of the TensorFlow tutorial, with a width that can be varied.
//
// Generator: dense to a 7 x 7 (or 8 x 8) map, then three transposed convolutions of 5 x 5, the last two of stride 2,
// batch norm and leaky ReLU 0.3 between them, tanh at the end.  Discriminator: two convolutions of 5 x 5, stride 2,
// with leaky ReLU 0.3 and dropout 0.3, then one logit.  Weights start glorot-uniform; batch norm is Keras'.
#pragma once
#include "engine/nn/layers.h"

namespace tobogan {

struct TutorialDcganOptions {
  double alpha =
      2;  // width: 128 alpha, 128 alpha, 64 alpha maps in the generator, 32 alpha, 64 alpha in the discriminator
  int channels = 1;  // of the images
  int side = 28;     // of the images; a multiple of 4
  int latent = 100;
  bool normalize_features = false;  // the dense layer's batch norm by feature, as the tutorial has it, not by channel

  int maps(int at_alpha_1) const { return static_cast<int>(at_alpha_1 * alpha); }
};

struct TutorialGenerator : Module {
  TutorialGenerator(Context& context, const std::string& name, const TutorialDcganOptions& options)
      : Module(context, name), options(options) {}

  TutorialDcganOptions options;
  const int wide = options.maps(128), narrow = options.maps(64), start = options.side / 4;
  const ActivationOptions leaky{.slope = 0.3};

  LinearToImage project{
      *this, "project", {.features = options.latent, .channels = wide, .height = start, .width = start, .bias = false}};
  BatchNorm norm0{*this, "norm0",
                  keras_batch_norm(options.normalize_features ? wide* start* start : wide, 0.99, leaky)};
  ConvTranspose2d up1{*this, "up1", {.in = wide, .out = wide, .kernel = 5, .padding = Padding::same(), .bias = false}};
  BatchNorm norm1{*this, "norm1", keras_batch_norm(wide, 0.99, leaky)};
  ConvTranspose2d up2{
      *this, "up2", {.in = wide, .out = narrow, .kernel = 5, .stride = 2, .padding = Padding::same(), .bias = false}};
  BatchNorm norm2{*this, "norm2", keras_batch_norm(narrow, 0.99, leaky)};
  ConvTranspose2d up3{*this,
                      "up3",
                      {.in = narrow,
                       .out = options.channels,
                       .kernel = 5,
                       .stride = 2,
                       .padding = Padding::same(),
                       .bias = false,
                       .activation = {.tanh = true}}};

  // z {N, latent} to images {N, channels, side, side} in -1..1.
  Tensor operator()(const Tensor& z) {
    Tensor h = options.normalize_features ? normalized_features(project(z)) : norm0(project, z);
    h = norm1(up1, h);
    h = norm2(up2, h);
    return up3(h);
  }

 private:
  Tensor normalized_features(const Tensor& h) { return reshape(norm0(flatten(h)), h.shape()); }
};

struct TutorialDiscriminator : Module {
  TutorialDiscriminator(Context& context, const std::string& name, const TutorialDcganOptions& options)
      : Module(context, name), options(options) {}

  TutorialDcganOptions options;
  const int first_maps = options.maps(32), second_maps = options.maps(64);
  const ActivationOptions leaky{.slope = 0.3, .dropout = 0.3};

  Conv2d down1{*this,
               "down1",
               {.in = options.channels,
                .out = first_maps,
                .kernel = 5,
                .stride = 2,
                .padding = Padding::same(),
                .activation = leaky}};
  Conv2d down2{*this,
               "down2",
               {.in = first_maps,
                .out = second_maps,
                .kernel = 5,
                .stride = 2,
                .padding = Padding::same(),
                .activation = leaky}};
  ImageToLinear score{
      *this, "score", {.features = 1, .channels = second_maps, .height = options.side / 4, .width = options.side / 4}};

  // Images to the logits {N, 1} of being real.
  Tensor operator()(const Tensor& x) { return score(down2(down1(x))); }
};

}  // namespace tobogan
