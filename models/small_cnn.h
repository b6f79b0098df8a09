// The "two layered CNN" of Abadi for CIFAR-10: two convolutions of 3 x 3 with max pooling, one hidden layer of 512.
#pragma once
#include "engine/nn/layers.h"

namespace tobogan {

struct SmallCnnOptions {
  int channels = 3, side = 32, classes = 10;
  double width = 1;  // multiplies the numbers of maps and of hidden units

  int maps(int at_width_1) const { return static_cast<int>(at_width_1 * width); }
};

struct SmallCnn : Module {
  SmallCnn(Context& context, const std::string& name, const SmallCnnOptions& options = {})
      : Module(context, name), options(options) {}

  SmallCnnOptions options;
  const int c32 = options.maps(32), c64 = options.maps(64), h512 = options.maps(512);

  Conv2d conv1{
      *this,
      "conv1",
      {.in = options.channels, .out = c32, .kernel = 3, .padding = Padding::same(), .activation = {.slope = 0}}};
  Conv2d conv2{
      *this, "conv2", {.in = c32, .out = c64, .kernel = 3, .padding = Padding::same(), .activation = {.slope = 0}}};
  Dropout drop{*this, "drop", 0.25};
  ImageToLinear hidden{*this,
                       "hidden",
                       {.features = h512,
                        .channels = c64,
                        .height = options.side / 4,
                        .width = options.side / 4,
                        .activation = {.slope = 0, .dropout = 0.5}}};
  Linear scores{*this, "scores", {.in = h512, .out = options.classes}};

  // Images to class logits {N, classes}.
  Tensor operator()(const Tensor& x) { return scores(hidden(drop(max_pool2d(conv2(max_pool2d(conv1(x))))))); }
};

}  // namespace tobogan
