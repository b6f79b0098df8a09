// The blocks of Inception v3 (Szegedy et al. 2016): branches of convolutions beside each other, concatenated, as the FID
// network has them (inception_v3.h).  Names are those of PyTorch's network.
#pragma once
#include "engine/nn/layers.h"

namespace tobogan {

// Convolution without bias, batch norm, ReLU.
struct InceptionConv : Module {
  struct Options {
    int in, out;
    Size2 kernel = 1;
    int stride = 1;
    Padding padding = Padding::same();
  };
  InceptionConv(Module& parent, const std::string& name, const Options& options)
      : Module(parent, name), options(options) {}

  Options options;
  Conv2d conv{*this,
              "conv",
              {.in = options.in,
               .out = options.out,
               .kernel = options.kernel,
               .stride = options.stride,
               .padding = options.padding,
               .bias = false}};
  BatchNorm bn{*this, "bn", {.channels = options.out, .epsilon = 1e-3, .activation = {.slope = 0}}};

  Tensor operator()(const Tensor& x) { return bn(conv(x)); }
};

// A convolution of 3 x 3 that halves the image, without padding.
inline InceptionConv::Options inception_halving(int in, int out) {
  return {.in = in, .out = out, .kernel = 3, .stride = 2, .padding = {}};
}
inline Tensor inception_max_pool(const Tensor& x) {
  return max_pool2d(x, {.kernel = 3, .stride = 2});
}
inline Tensor inception_average(const Tensor& x) {
  return avg_pool2d(x, {.kernel = 3, .stride = 1, .padding = 1});
}

struct InceptionA : Module {
  struct Options {
    int in, pool;
  };
  InceptionA(Module& parent, const std::string& name, const Options& options)
      : Module(parent, name), in(options.in), pool(options.pool) {}

  int in, pool;
  InceptionConv branch1x1{*this, "branch1x1", {.in = in, .out = 64}};
  InceptionConv branch5x5_1{*this, "branch5x5_1", {.in = in, .out = 48}};
  InceptionConv branch5x5_2{*this, "branch5x5_2", {.in = 48, .out = 64, .kernel = 5}};
  InceptionConv branch3x3dbl_1{*this, "branch3x3dbl_1", {.in = in, .out = 64}};
  InceptionConv branch3x3dbl_2{*this, "branch3x3dbl_2", {.in = 64, .out = 96, .kernel = 3}};
  InceptionConv branch3x3dbl_3{*this, "branch3x3dbl_3", {.in = 96, .out = 96, .kernel = 3}};
  InceptionConv branch_pool{*this, "branch_pool", {.in = in, .out = pool}};

  Tensor operator()(const Tensor& x) {
    return concat({branch1x1(x), branch5x5_2(branch5x5_1(x)), branch3x3dbl_3(branch3x3dbl_2(branch3x3dbl_1(x))),
                   branch_pool(inception_average(x))},
                  1);
  }
};

struct InceptionB : Module {
  using Module::Module;
  InceptionConv branch3x3{*this, "branch3x3", inception_halving(288, 384)};
  InceptionConv branch3x3dbl_1{*this, "branch3x3dbl_1", {.in = 288, .out = 64}};
  InceptionConv branch3x3dbl_2{*this, "branch3x3dbl_2", {.in = 64, .out = 96, .kernel = 3}};
  InceptionConv branch3x3dbl_3{*this, "branch3x3dbl_3", inception_halving(96, 96)};

  Tensor operator()(const Tensor& x) {
    return concat({branch3x3(x), branch3x3dbl_3(branch3x3dbl_2(branch3x3dbl_1(x))), inception_max_pool(x)}, 1);
  }
};

// Convolutions of 7 x 7 as pairs of 1 x 7 and 7 x 1 over `middle` maps.
struct InceptionC : Module {
  InceptionC(Module& parent, const std::string& name, int middle) : Module(parent, name), c(middle) {}

  int c;
  InceptionConv branch1x1{*this, "branch1x1", {.in = 768, .out = 192}};
  InceptionConv branch7x7_1{*this, "branch7x7_1", {.in = 768, .out = c}};
  InceptionConv branch7x7_2{*this, "branch7x7_2", {.in = c, .out = c, .kernel = {1, 7}}};
  InceptionConv branch7x7_3{*this, "branch7x7_3", {.in = c, .out = 192, .kernel = {7, 1}}};
  InceptionConv branch7x7dbl_1{*this, "branch7x7dbl_1", {.in = 768, .out = c}};
  InceptionConv branch7x7dbl_2{*this, "branch7x7dbl_2", {.in = c, .out = c, .kernel = {7, 1}}};
  InceptionConv branch7x7dbl_3{*this, "branch7x7dbl_3", {.in = c, .out = c, .kernel = {1, 7}}};
  InceptionConv branch7x7dbl_4{*this, "branch7x7dbl_4", {.in = c, .out = c, .kernel = {7, 1}}};
  InceptionConv branch7x7dbl_5{*this, "branch7x7dbl_5", {.in = c, .out = 192, .kernel = {1, 7}}};
  InceptionConv branch_pool{*this, "branch_pool", {.in = 768, .out = 192}};

  Tensor operator()(const Tensor& x) {
    const Tensor twice = branch7x7dbl_3(branch7x7dbl_2(branch7x7dbl_1(x)));
    return concat({branch1x1(x), branch7x7_3(branch7x7_2(branch7x7_1(x))), branch7x7dbl_5(branch7x7dbl_4(twice)),
                   branch_pool(inception_average(x))},
                  1);
  }
};

struct InceptionD : Module {
  using Module::Module;
  InceptionConv branch3x3_1{*this, "branch3x3_1", {.in = 768, .out = 192}};
  InceptionConv branch3x3_2{*this, "branch3x3_2", inception_halving(192, 320)};
  InceptionConv branch7x7x3_1{*this, "branch7x7x3_1", {.in = 768, .out = 192}};
  InceptionConv branch7x7x3_2{*this, "branch7x7x3_2", {.in = 192, .out = 192, .kernel = {1, 7}}};
  InceptionConv branch7x7x3_3{*this, "branch7x7x3_3", {.in = 192, .out = 192, .kernel = {7, 1}}};
  InceptionConv branch7x7x3_4{*this, "branch7x7x3_4", inception_halving(192, 192)};

  Tensor operator()(const Tensor& x) {
    return concat({branch3x3_2(branch3x3_1(x)), branch7x7x3_4(branch7x7x3_3(branch7x7x3_2(branch7x7x3_1(x)))),
                   inception_max_pool(x)},
                  1);
  }
};

struct InceptionE : Module {
  struct Options {
    int in;
    bool max_pool;  // else average
  };
  InceptionE(Module& parent, const std::string& name, const Options& options)
      : Module(parent, name), in(options.in), max_pool(options.max_pool) {}

  int in;
  bool max_pool;
  InceptionConv branch1x1{*this, "branch1x1", {.in = in, .out = 320}};
  InceptionConv branch3x3_1{*this, "branch3x3_1", {.in = in, .out = 384}};
  InceptionConv branch3x3_2a{*this, "branch3x3_2a", {.in = 384, .out = 384, .kernel = {1, 3}}};
  InceptionConv branch3x3_2b{*this, "branch3x3_2b", {.in = 384, .out = 384, .kernel = {3, 1}}};
  InceptionConv branch3x3dbl_1{*this, "branch3x3dbl_1", {.in = in, .out = 448}};
  InceptionConv branch3x3dbl_2{*this, "branch3x3dbl_2", {.in = 448, .out = 384, .kernel = 3}};
  InceptionConv branch3x3dbl_3a{*this, "branch3x3dbl_3a", {.in = 384, .out = 384, .kernel = {1, 3}}};
  InceptionConv branch3x3dbl_3b{*this, "branch3x3dbl_3b", {.in = 384, .out = 384, .kernel = {3, 1}}};
  InceptionConv branch_pool{*this, "branch_pool", {.in = in, .out = 192}};

  Tensor operator()(const Tensor& x) {
    const Tensor once = branch3x3_1(x), twice = branch3x3dbl_2(branch3x3dbl_1(x));
    const Tensor pooled = max_pool ? max_pool2d(x, {.kernel = 3, .stride = 1, .padding = 1}) : inception_average(x);
    return concat({branch1x1(x), branch3x3_2a(once), branch3x3_2b(once), branch3x3dbl_3a(twice), branch3x3dbl_3b(twice),
                   branch_pool(pooled)},
                  1);
  }
};

}  // namespace tobogan
