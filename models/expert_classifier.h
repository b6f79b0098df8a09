// The classifier that judges fakes of 28 x 28 grey images (Kim & Lee's "H"): more accurate than those it judges for,
// and never seen by a GAN.  Its 256 features are also what Frechet distances are taken in where Inception is not at
// hand.
#pragma once
#include "engine/nn/layers.h"

namespace tobogan {

struct ExpertClassifierOptions {
  int classes = 10;
};

struct ExpertClassifier : Module {
  ExpertClassifier(Context& context, const std::string& name, const ExpertClassifierOptions& options = {})
      : Module(context, name), options(options) {}

  static ConvLayerOptions conv(int in, int out) {
    return {
        .in = in, .out = out, .kernel = 3, .padding = Padding::same(), .bias = false, .init = Init::torch_default()};
  }
  static BatchNormOptions norm(int channels, double dropout = 0) {
    return {.channels = channels, .activation = {.slope = 0, .dropout = dropout}};
  }

  ExpertClassifierOptions options;
  Conv2d conv1{*this, "conv1", conv(1, 32)};
  BatchNorm norm1{*this, "norm1", norm(32)};
  Conv2d conv2{*this, "conv2", conv(32, 32)};
  BatchNorm norm2{*this, "norm2", norm(32)};
  Dropout drop2{*this, "drop2", 0.25};
  Conv2d conv3{*this, "conv3", conv(32, 64)};
  BatchNorm norm3{*this, "norm3", norm(64)};
  Conv2d conv4{*this, "conv4", conv(64, 64)};
  BatchNorm norm4{*this, "norm4", norm(64)};
  Dropout drop4{*this, "drop4", 0.25};
  Conv2d conv5{*this, "conv5", conv(64, 128)};
  BatchNorm norm5{*this, "norm5", norm(128)};
  ImageToLinear hidden{*this,
                       "hidden",
                       {.features = 256,
                        .channels = 128,
                        .height = 7,
                        .width = 7,
                        .init = Init::torch_default(),
                        .bias_init = Init::torch_default()}};
  BatchNorm norm6{*this, "norm6", norm(256, 0.5)};
  Linear scores{*this,
                "scores",
                {.in = 256, .out = options.classes, .init = Init::torch_default(), .bias_init = Init::torch_default()}};

  // Images {N, 1, 28, 28} in 0..1 to what the last layer sees, {N, 256}.
  Tensor features(const Tensor& x) {
    const Tensor half = drop2(max_pool2d(norm2(conv2, norm1(conv1, x))));
    const Tensor quarter = drop4(max_pool2d(norm4(conv4, norm3(conv3, half))));
    return norm6(hidden(norm5(conv5, quarter)));
  }
  // Images to class logits {N, classes}.
  Tensor operator()(const Tensor& x) { return scores(features(x)); }
};

}  // namespace tobogan
