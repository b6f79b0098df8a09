// Layers: operations with parameters.
//
// A layer can apply leaky ReLU and dropout, or tanh, to its sum in the same pass: .activation = {.slope = 0.2}.
// Dropout acts in training only and draws from the stream "dropout/<name of the layer>".
#pragma once
#include "engine/nn/init.h"
#include "engine/nn/module.h"
#include "engine/ops/ops.h"

namespace tobogan {

struct ActivationOptions {
  double slope = 1;    // of leaky ReLU below zero: 1 is the identity, 0 is ReLU
  double dropout = 0;  // rate, in training
  bool tanh = false;   // instead of both
};

// What layers are made of, for those of your own too (docs/adding-a-model.md).
//
// What a layer does to its sum now.  Where it drops out, a draw from the layer's stream: call it once a forward pass.
kernels::Activation activation_of(const Module& layer, const ActivationOptions& options);
// A parameter's first values, from a stream of its own, "init/<name of the layer>.<name>", so a new layer changes no
// other.
Tensor initial(const Module& layer, const std::string& name, const Init& init, const Shape& shape, Fans fans);

// Dropout as a part of a module.
class Dropout : public Module {
 public:
  Dropout(Module& parent, const std::string& name, double rate);
  Tensor operator()(const Tensor& x);

 private:
  double rate_;
};

struct LinearOptions {
  int in, out;
  bool bias = true;
  Init init = Init::glorot_uniform();
  Init bias_init = Init::zeros();
  ActivationOptions activation = {};
};

// {N, in} to {N, out}; weight {out, in}, bias {out}.
class Linear : public Module {
 public:
  Linear(Module& parent, const std::string& name, const LinearOptions& options);
  Tensor operator()(const Tensor& x);

 private:
  LinearOptions options_;
  Tensor weight_, bias_;
};

struct DenseImageOptions {
  int features;                 // of the vector
  int channels, height, width;  // of the image
  bool bias = true;
  Init init = Init::glorot_uniform();
  Init bias_init = Init::zeros();
  ActivationOptions activation = {};
};

// A dense layer from a vector to an image, {N, features} to {N, channels, height, width}: what others write as a dense
// layer and a reshape is, pixel-major, a transposed convolution of one pixel that moves nothing.
// weight {features, channels, height, width}; bias {channels}: one a channel, unlike a dense layer's one a value.
class LinearToImage : public Module {
 public:
  LinearToImage(Module& parent, const std::string& name, const DenseImageOptions& options);
  Tensor operator()(const Tensor& x, BatchMoments* moments = nullptr);

 private:
  DenseImageOptions options_;
  Tensor weight_, bias_;
};

// A dense layer from an image to a vector, {N, channels, height, width} to {N, features}: flatten and dense in one.
// weight {features, channels, height, width}, in the order of PyTorch's flattened weight; bias {features}.
class ImageToLinear : public Module {
 public:
  ImageToLinear(Module& parent, const std::string& name, const DenseImageOptions& options);
  Tensor operator()(const Tensor& x);

 private:
  DenseImageOptions options_;
  Tensor weight_, bias_;
};

struct ConvLayerOptions {
  int in, out;
  Size2 kernel;
  Size2 stride = 1;
  Padding padding = {};
  Size2 dilation = 1;
  bool bias = true;
  Init init = Init::glorot_uniform();
  Init bias_init = Init::zeros();
  ActivationOptions activation = {};
};

// weight {out, in, kernel_h, kernel_w}, bias {out}.
class Conv2d : public Module {
 public:
  Conv2d(Module& parent, const std::string& name, const ConvLayerOptions& options);
  // With `moments` the layer also finds out what a batch norm that follows wants to know.
  Tensor operator()(const Tensor& x, BatchMoments* moments = nullptr);

 private:
  ConvLayerOptions options_;
  Tensor weight_, bias_;
};

// weight {in, out, kernel_h, kernel_w}, bias {out}.
class ConvTranspose2d : public Module {
 public:
  ConvTranspose2d(Module& parent, const std::string& name, const ConvLayerOptions& options);
  Tensor operator()(const Tensor& x, BatchMoments* moments = nullptr);

 private:
  ConvLayerOptions options_;
  Tensor weight_, bias_;
};

struct BatchNormOptions {
  int channels;
  double epsilon = 1e-5;
  double keep = 0.9;     // weight of the old running value ("momentum" in Keras, 1 - momentum in PyTorch)
  bool unbiased = true;  // the running variance averages the unbiased batch variance
  bool gamma = true, beta = true;
  Init gamma_init = Init::ones();
  ActivationOptions activation = {};
};

// Keras' batch norm: epsilon 1e-3, biased running variance.
BatchNormOptions keras_batch_norm(int channels, double keep = 0.99, const ActivationOptions& activation = {});

// Over the channels of {N, C} or {N, C, H, W}.  gamma and beta {C}; buffers running_mean and running_variance {C}.
class BatchNorm : public Module {
 public:
  BatchNorm(Module& parent, const std::string& name, const BatchNormOptions& options);
  Tensor operator()(const Tensor& x);
  // (*this)(layer(x)) of a convolution, which takes its result's moments while it makes it: a pass over memory less.
  template <class Layer>
  Tensor operator()(Layer& layer, const Tensor& x) {
    if (!training()) return (*this)(layer(x));
    BatchMoments moments = wanted_moments();
    const Tensor sums = layer(x, &moments);
    return normalize(sums, moments);
  }

 private:
  BatchMoments wanted_moments();
  Tensor normalize(const Tensor& x, const BatchMoments& moments);

  BatchNormOptions options_;
  Tensor gamma_, beta_, running_mean_, running_variance_;
};

struct EmbeddingOptions {
  int entries, size;
  Init init = Init::uniform(-0.05, 0.05);  // Keras; PyTorch: Init::normal(0, 1)
};

// N indices to {N, size}; weight {entries, size}.
class Embedding : public Module {
 public:
  Embedding(Module& parent, const std::string& name, const EmbeddingOptions& options);
  Tensor operator()(const Indices& index);

 private:
  Tensor weight_;
};

}  // namespace tobogan
