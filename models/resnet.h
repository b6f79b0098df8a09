// ResNet18 (He et al. 2015) as torchvision builds it, with a choice of the number of classes (Chen); 11,181,642
// parameters with 10.
#pragma once
#include <optional>

#include "engine/nn/layers.h"

namespace tobogan {

struct ResNet18Options {
  int channels = 3, classes = 10;
};

// A convolution without bias and its batch norm, with ReLU unless told otherwise.
struct NormedConv : Module {
  struct Options {
    int in, out, kernel, stride = 1;
    double slope = 0;
  };
  Conv2d conv;
  BatchNorm norm;

  NormedConv(Module& parent, const std::string& name, const Options& o)
      : Module(parent, name),
        conv{*this,
             "conv",
             {.in = o.in,
              .out = o.out,
              .kernel = o.kernel,
              .stride = o.stride,
              .padding = Padding(o.kernel / 2),
              .bias = false,
              .init = Init::kaiming_fan_out()}},
        norm{*this, "norm", {.channels = o.out, .activation = {.slope = o.slope}}} {}
  Tensor operator()(const Tensor& x) { return norm(conv, x); }
};

// relu(x + two convolutions of x); where the shape changes, x goes through a 1x1 convolution.
struct BasicBlock : Module {
  NormedConv first, second;
  std::optional<NormedConv> shortcut;

  BasicBlock(Module& parent, const std::string& name, int in, int out, int stride)
      : Module(parent, name),
        first{*this, "first", {.in = in, .out = out, .kernel = 3, .stride = stride}},
        second{*this, "second", {.in = out, .out = out, .kernel = 3, .slope = 1}} {
    if (stride != 1 || in != out)
      shortcut.emplace(*this, "shortcut",
                       NormedConv::Options{.in = in, .out = out, .kernel = 1, .stride = stride, .slope = 1});
  }
  Tensor operator()(const Tensor& x) { return relu((shortcut ? (*shortcut)(x) : x) + second(first(x))); }
};

struct ResNet18 : Module {
  ResNet18Options options;
  NormedConv stem{*this, "stem", {.in = options.channels, .out = 64, .kernel = 7, .stride = 2}};
  BasicBlock block1{*this, "block1", 64, 64, 1}, block2{*this, "block2", 64, 64, 1};
  BasicBlock block3{*this, "block3", 64, 128, 2}, block4{*this, "block4", 128, 128, 1};
  BasicBlock block5{*this, "block5", 128, 256, 2}, block6{*this, "block6", 256, 256, 1};
  BasicBlock block7{*this, "block7", 256, 512, 2}, block8{*this, "block8", 512, 512, 1};
  Linear scores{*this,
                "scores",
                {.in = 512, .out = options.classes, .init = Init::torch_default(), .bias_init = Init::torch_default()}};

  ResNet18(Context& context, const std::string& name, const ResNet18Options& o = {})
      : Module(context, name), options(o) {}

  // {N, channels, H, W} to class logits {N, classes}.
  Tensor operator()(const Tensor& x) {
    const Tensor pooled = max_pool2d(stem(x), {.kernel = 3, .stride = 2, .padding = 1});
    const Tensor last = block8(block7(block6(block5(block4(block3(block2(block1(pooled))))))));
    return scores(flatten(adaptive_avg_pool2d(last, 1)));
  }
};

}  // namespace tobogan
