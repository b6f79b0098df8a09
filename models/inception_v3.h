// Inception v3 (Szegedy et al. 2016) as FID needs it: the graph of 2015-12-05, which differs from the published network
// and from PyTorch's in three places.  Average pools leave padding out of the mean, the last block's pool is a max pool,
// and there are 1,008 outputs.
//
// Layers have the names of PyTorch's network, so that its weights fit (experiments/metrics/inception.h).
#pragma once
#include "models/inception_blocks.h"

namespace tobogan {

struct InceptionV3 : Module {
  using Module::Module;
  static constexpr int kSide = 299, kFeatures = 2048, kClasses = 1008;

  InceptionConv stem1{*this, "Conv2d_1a_3x3", inception_halving(3, 32)};
  InceptionConv stem2{*this, "Conv2d_2a_3x3", {.in = 32, .out = 32, .kernel = 3, .padding = {}}};
  InceptionConv stem3{*this, "Conv2d_2b_3x3", {.in = 32, .out = 64, .kernel = 3}};
  InceptionConv stem4{*this, "Conv2d_3b_1x1", {.in = 64, .out = 80}};
  InceptionConv stem5{*this, "Conv2d_4a_3x3", {.in = 80, .out = 192, .kernel = 3, .padding = {}}};
  InceptionA a1{*this, "Mixed_5b", {.in = 192, .pool = 32}}, a2{*this, "Mixed_5c", {.in = 256, .pool = 64}},
      a3{*this, "Mixed_5d", {.in = 288, .pool = 64}};
  InceptionB b{*this, "Mixed_6a"};
  InceptionC c1{*this, "Mixed_6b", 128}, c2{*this, "Mixed_6c", 160}, c3{*this, "Mixed_6d", 160},
      c4{*this, "Mixed_6e", 192};
  InceptionD d{*this, "Mixed_7a"};
  InceptionE e1{*this, "Mixed_7b", {.in = 1280, .max_pool = false}},
      e2{*this, "Mixed_7c", {.in = 2048, .max_pool = true}};
  Linear fc{*this, "fc", {.in = kFeatures, .out = kClasses, .bias = false}};  // the score is defined without the bias

  // Images {N, 3, 299, 299} in -1..1 to features {N, 2048}.
  Tensor operator()(const Tensor& x) {
    Tensor y = inception_max_pool(stem3(stem2(stem1(x))));
    y = inception_max_pool(stem5(stem4(y)));
    y = c4(c3(c2(c1(b(a3(a2(a1(y))))))));
    return flatten(adaptive_avg_pool2d(e2(e1(d(y))), 1));
  }
  // Features to class logits {N, 1008}.
  Tensor logits(const Tensor& features) { return fc(features); }
};

}  // namespace tobogan
