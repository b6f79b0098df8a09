// LeNet-5 for 32 x 32 colour images with ReLU and max pooling, the form of today (Chen); 62,006 parameters.
#pragma once
#include "engine/nn/layers.h"

namespace tobogan {

struct LeNet : Module {
  using Module::Module;

  static ConvLayerOptions conv(int in, int out) {
    return {.in = in,
            .out = out,
            .kernel = 5,
            .init = Init::torch_default(),
            .bias_init = Init::torch_default(),
            .activation = {.slope = 0}};
  }
  static LinearOptions dense(int in, int out, double slope) {
    return {.in = in,
            .out = out,
            .init = Init::torch_default(),
            .bias_init = Init::torch_default(),
            .activation = {.slope = slope}};
  }

  Conv2d conv1{*this, "conv1", conv(3, 6)};
  Conv2d conv2{*this, "conv2", conv(6, 16)};
  ImageToLinear dense1{*this,
                       "dense1",
                       {.features = 120,
                        .channels = 16,
                        .height = 5,
                        .width = 5,
                        .init = Init::torch_default(),
                        .bias_init = Init::torch_default(),
                        .activation = {.slope = 0}}};
  Linear dense2{*this, "dense2", dense(120, 84, 0)};
  Linear scores{*this, "scores", dense(84, 10, 1)};

  // {N, 3, 32, 32} to class logits {N, 10}.
  Tensor operator()(const Tensor& x) { return scores(dense2(dense1(max_pool2d(conv2(max_pool2d(conv1(x))))))); }
};

}  // namespace tobogan
