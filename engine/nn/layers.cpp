// A layer makes its parameters from its options and hands them to its operation.
#include "engine/nn/layers.h"

#include "engine/autograd.h"

namespace tobogan {
namespace {

Fans dense_fans(const DenseImageOptions& o, bool to_image) {
  const double features = o.features, image = static_cast<double>(o.channels) * o.height * o.width;
  return to_image ? Fans{features, image} : Fans{image, features};
}

// Of a weight {a, b, kernel_h, kernel_w} Keras and PyTorch call taps * b the fan in, whichever way the layer goes.
Fans conv_fans(const Shape& weight) {
  const double taps = static_cast<double>(weight[2]) * weight[3];
  return {taps * weight[1], taps * weight[0]};
}

ConvOptions conv_options(const ConvLayerOptions& o) {
  return {.stride = o.stride, .padding = o.padding, .dilation = o.dilation};
}

}  // namespace

kernels::Activation activation_of(const Module& layer, const ActivationOptions& options) {
  kernels::Activation how{.slope = static_cast<Real>(options.slope), .dropout = 0, .key = {}, .tanh = options.tanh};
  if (layer.training() && options.dropout > 0) {
    how.dropout = static_cast<Real>(options.dropout);
    how.key = layer.context().rng["dropout/" + layer.name()].next();
  }
  return how;
}

Tensor initial(const Module& layer, const std::string& name, const Init& init, const Shape& shape, Fans fans) {
  return init(shape, fans, layer.context().rng["init/" + layer.name() + "." + name], layer.context().device);
}

Dropout::Dropout(Module& parent, const std::string& name, double rate) : Module(parent, name), rate_(rate) {}

Tensor Dropout::operator()(const Tensor& x) {
  return training() && rate_ > 0 ? activate(x, {}, activation_of(*this, {.dropout = rate_})) : x;
}

Linear::Linear(Module& parent, const std::string& name, const LinearOptions& o) : Module(parent, name), options_(o) {
  const Fans fans{static_cast<double>(o.in), static_cast<double>(o.out)};
  weight_ = parameter("weight", initial(*this, "weight", o.init, {o.out, o.in}, fans));
  if (o.bias) bias_ = parameter("bias", initial(*this, "bias", o.bias_init, {o.out}, fans));
}

Tensor Linear::operator()(const Tensor& x) {
  const kernels::Activation how = activation_of(*this, options_.activation);
  const Tensor sum = linear(x, weight_);
  return bias_.defined() || !how.is_identity() ? activate(sum, bias_, how) : sum;
}

LinearToImage::LinearToImage(Module& parent, const std::string& name, const DenseImageOptions& o)
    : Module(parent, name), options_(o) {
  const Fans fans = dense_fans(o, true);
  weight_ = parameter("weight", initial(*this, "weight", o.init, {o.features, o.channels, o.height, o.width}, fans));
  if (o.bias) bias_ = parameter("bias", initial(*this, "bias", o.bias_init, {o.channels}, fans));
}

Tensor LinearToImage::operator()(const Tensor& x, BatchMoments* moments) {
  check(x.shape().rank() == 2 && x.shape()[1] == options_.features, name(), ": expected {N, ", options_.features,
        "}, got shape ", x.shape());
  return conv_transpose2d(reshape(x, {x.shape()[0], x.shape()[1], 1, 1}), weight_, bias_,
                          activation_of(*this, options_.activation), {}, moments);
}

ImageToLinear::ImageToLinear(Module& parent, const std::string& name, const DenseImageOptions& o)
    : Module(parent, name), options_(o) {
  const Fans fans = dense_fans(o, false);
  weight_ = parameter("weight", initial(*this, "weight", o.init, {o.features, o.channels, o.height, o.width}, fans));
  if (o.bias) bias_ = parameter("bias", initial(*this, "bias", o.bias_init, {o.features}, fans));
}

Tensor ImageToLinear::operator()(const Tensor& x) {
  const DenseImageOptions& o = options_;
  check(x.shape().rank() == 4 && x.shape() == Shape{x.shape()[0], o.channels, o.height, o.width}, name(),
        ": expected {N, ", o.channels, ", ", o.height, ", ", o.width, "}, got shape ", x.shape());
  return reshape(conv2d(x, weight_, bias_, activation_of(*this, o.activation)), {x.shape()[0], o.features});
}

Conv2d::Conv2d(Module& parent, const std::string& name, const ConvLayerOptions& o) : Module(parent, name), options_(o) {
  const Shape shape{o.out, o.in, o.kernel.h, o.kernel.w};
  weight_ = parameter("weight", initial(*this, "weight", o.init, shape, conv_fans(shape)));
  if (o.bias) bias_ = parameter("bias", initial(*this, "bias", o.bias_init, {o.out}, conv_fans(shape)));
}

Tensor Conv2d::operator()(const Tensor& x, BatchMoments* moments) {
  return conv2d(x, weight_, bias_, activation_of(*this, options_.activation), conv_options(options_), moments);
}

ConvTranspose2d::ConvTranspose2d(Module& parent, const std::string& name, const ConvLayerOptions& o)
    : Module(parent, name), options_(o) {
  const Shape shape{o.in, o.out, o.kernel.h, o.kernel.w};
  weight_ = parameter("weight", initial(*this, "weight", o.init, shape, conv_fans(shape)));
  if (o.bias) bias_ = parameter("bias", initial(*this, "bias", o.bias_init, {o.out}, conv_fans(shape)));
}

Tensor ConvTranspose2d::operator()(const Tensor& x, BatchMoments* moments) {
  return conv_transpose2d(x, weight_, bias_, activation_of(*this, options_.activation), conv_options(options_),
                          moments);
}

BatchNormOptions keras_batch_norm(int channels, double keep, const ActivationOptions& activation) {
  return {.channels = channels, .epsilon = 1e-3, .keep = keep, .unbiased = false, .activation = activation};
}

BatchNorm::BatchNorm(Module& parent, const std::string& name, const BatchNormOptions& o)
    : Module(parent, name), options_(o) {
  const Shape shape{o.channels};
  if (o.gamma) gamma_ = parameter("gamma", initial(*this, "gamma", o.gamma_init, shape, {}));
  if (o.beta) beta_ = parameter("beta", Tensor::zeros(shape, context().device));
  running_mean_ = buffer("running_mean", Tensor::zeros(shape, context().device));
  running_variance_ = buffer("running_variance", Tensor::full(shape, 1, context().device));
}

BatchMoments BatchNorm::wanted_moments() {
  BatchMoments moments{.epsilon = options_.epsilon};
  if (tracks_statistics()) {
    moments.running = {
        .mean = running_mean_, .variance = running_variance_, .keep = options_.keep, .unbiased = options_.unbiased};
  }
  return moments;
}

Tensor BatchNorm::normalize(const Tensor& x, const BatchMoments& moments) {
  return batch_norm(x, moments, gamma_, beta_, activation_of(*this, options_.activation));
}

Tensor BatchNorm::operator()(const Tensor& x) {
  const NormalizeOptions how{.epsilon = options_.epsilon, .activation = activation_of(*this, options_.activation)};
  if (!training()) return batch_norm_with(x, running_mean_, running_variance_, gamma_, beta_, how);
  return batch_norm(x, gamma_, beta_, how, wanted_moments().running).y;
}

Embedding::Embedding(Module& parent, const std::string& name, const EmbeddingOptions& o) : Module(parent, name) {
  const Fans fans{static_cast<double>(o.entries), static_cast<double>(o.size)};
  weight_ = parameter("weight", initial(*this, "weight", o.init, {o.entries, o.size}, fans));
}

Tensor Embedding::operator()(const Indices& index) {
  return embedding(weight_, index);
}

}  // namespace tobogan
