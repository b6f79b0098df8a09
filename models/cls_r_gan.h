// CLS-R GAN (Kim & Lee 2022): a ClusterGAN with a classifier beside it that shares no weight with the critic.  Trained
// on real images first and then frozen, it tells the generator what its classes look like (the quality loss) and later
// which fakes are good enough to be used.
//
// The paper names no layer; generator, critic and encoder are ClusterGAN's, so that the method is all that differs.
#pragma once
#include "models/cluster_gan.h"

namespace tobogan {

struct IndependentClassifierOptions {
  int classes = 10;
  double width = 1;  // multiplies the numbers of maps and of hidden units

  int maps(int at_width_1) const { return static_cast<int>(at_width_1 * width); }
};

// Two convolutions of 3 x 3 with max pooling, one hidden layer with dropout 0.5; PyTorch's start.
struct IndependentClassifier : Module {
  IndependentClassifier(Context& context, const std::string& name, const IndependentClassifierOptions& options = {})
      : Module(context, name), options(options) {}

  static ConvLayerOptions conv(int in, int out) {
    return {.in = in,
            .out = out,
            .kernel = 3,
            .padding = Padding::same(),
            .init = Init::torch_default(),
            .bias_init = Init::torch_default(),
            .activation = {.slope = 0}};
  }

  IndependentClassifierOptions options;
  const int c32 = options.maps(32), c64 = options.maps(64), h128 = options.maps(128);

  Conv2d conv1{*this, "conv1", conv(1, c32)};
  Conv2d conv2{*this, "conv2", conv(c32, c64)};
  ImageToLinear hidden{*this,
                       "hidden",
                       {.features = h128,
                        .channels = c64,
                        .height = 7,
                        .width = 7,
                        .init = Init::torch_default(),
                        .bias_init = Init::torch_default(),
                        .activation = {.slope = 0, .dropout = 0.5}}};
  Linear scores{
      *this,
      "scores",
      {.in = h128, .out = options.classes, .init = Init::torch_default(), .bias_init = Init::torch_default()}};

  // Images {N, 1, 28, 28} in 0..1 to what the last layer sees, {N, 128}.
  Tensor features(const Tensor& x) { return hidden(max_pool2d(conv2(max_pool2d(conv1(x))))); }
  // Images to class logits {N, classes}.
  Tensor operator()(const Tensor& x) { return scores(features(x)); }
};

// Cross-entropy between the class asked for and the classifier's, on fakes.  REQUIRES: classifier.eval() was called.
inline Tensor quality_loss(IndependentClassifier& classifier, const Tensor& fake, const Indices& labels) {
  return cross_entropy(classifier(fake), labels);
}

}  // namespace tobogan
