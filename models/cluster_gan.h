// ClusterGAN (Mukherjee et al. 2019) for 28 x 28 grey images, in the form of its authors' code: a generator whose input
// says the class, a critic without normalisation (WGAN-GP), and an encoder that finds the input again.  The losses
// stand here too, for they are what makes it a ClusterGAN; CLS-R GAN (cls_r_gan.h) adds a term.
//
// The critic is large on real images (the authors' has the opposite sign).  Weights start N(0, 0.02), those of the last
// layer of critic and encoder glorot-uniform.
#pragma once
#include "engine/nn/layers.h"
#include "engine/nn/loss.h"

namespace tobogan {

struct ClusterGanOptions {
  double width = 1;  // multiplies the numbers of maps and of hidden units
  int classes = 10, noise = 30;

  int maps(int at_width_1) const { return static_cast<int>(at_width_1 * width); }
};

// What the generator is asked for.
struct ClusterLatent {
  Tensor noise;    // {N, noise}
  Indices labels;  // N
  Tensor z;        // {N, noise + classes}: the noise, then the class one-hot

  ClusterLatent(const Tensor& noise, const Indices& labels, int classes)
      : noise(noise), labels(labels), z(concat({noise, one_hot(labels, classes)}, 1)) {}
  // Classes uniform, noise N(0, deviation).
  static ClusterLatent draw(RandomStream& stream, int count, const ClusterGanOptions& options, double deviation) {
    const Tensor noise = stream.normal({count, options.noise}, 0, deviation);
    return {noise, stream.integers(count, options.classes), options.classes};
  }
};

struct ClusterGenerator : Module {
  ClusterGenerator(Context& context, const std::string& name, const ClusterGanOptions& options)
      : Module(context, name), options(options) {}

  static BatchNormOptions norm(int channels) {  // with ReLU
    BatchNormOptions norm = keras_batch_norm(channels, 0.99, {.slope = 0});
    norm.gamma = false;
    return norm;
  }

  ClusterGanOptions options;
  const int h1024 = options.maps(1024), c128 = options.maps(128), c64 = options.maps(64);
  const Init start = Init::normal(0, 0.02);

  Linear hidden{*this, "hidden", {.in = options.noise + options.classes, .out = h1024, .init = start}};
  BatchNorm norm0{*this, "norm0", norm(h1024)};
  Linear project{*this, "project", {.in = h1024, .out = c128 * 7 * 7, .init = start}};
  BatchNorm norm1{*this, "norm1", norm(c128)};
  ConvTranspose2d up1{
      *this, "up1", {.in = c128, .out = c64, .kernel = 4, .stride = 2, .padding = Padding::same(), .init = start}};
  BatchNorm norm2{*this, "norm2", norm(c64)};
  ConvTranspose2d up2{
      *this, "up2", {.in = c64, .out = 1, .kernel = 4, .stride = 2, .padding = Padding::same(), .init = start}};

  // z {N, noise + classes} to images {N, 1, 28, 28} in 0..1.
  Tensor operator()(const Tensor& z) {
    const Tensor rows = project(norm0(hidden(z)));
    return sigmoid(up2(norm2(up1, norm1(reshape(rows, {z.shape()[0], c128, 7, 7})))));
  }
};

// What critic and encoder have in common: all but the last layer.  Each has its own.
struct ClusterTrunk : Module {
  ClusterTrunk(Module& parent, const std::string& name, const ClusterGanOptions& options)
      : Module(parent, name), options(options) {}

  ClusterGanOptions options;
  const int c64 = options.maps(64), c128 = options.maps(128), h1024 = options.maps(1024);
  const Init start = Init::normal(0, 0.02);
  const ActivationOptions leaky{.slope = 0.2};

  Conv2d down1{
      *this,
      "down1",
      {.in = 1, .out = c64, .kernel = 4, .stride = 2, .padding = Padding::same(), .init = start, .activation = leaky}};
  Conv2d down2{*this,
               "down2",
               {.in = c64,
                .out = c128,
                .kernel = 4,
                .stride = 2,
                .padding = Padding::same(),
                .init = start,
                .activation = leaky}};
  ImageToLinear hidden{
      *this,
      "hidden",
      {.features = h1024, .channels = c128, .height = 7, .width = 7, .init = start, .activation = leaky}};

  Tensor operator()(const Tensor& x) { return hidden(down2(down1(x))); }
};

struct ClusterCritic : Module {
  ClusterCritic(Context& context, const std::string& name, const ClusterGanOptions& options)
      : Module(context, name), options(options) {}

  ClusterGanOptions options;
  ClusterTrunk trunk{*this, "trunk", options};
  Linear score{*this, "score", {.in = options.maps(1024), .out = 1}};

  // Images to scores {N, 1}.
  Tensor operator()(const Tensor& x) { return score(trunk(x)); }
};

// What the encoder takes an image's latent to be.
struct ClusterCode {
  Tensor noise;   // {N, noise}
  Tensor logits;  // {N, classes}
};

struct ClusterEncoder : Module {
  ClusterEncoder(Context& context, const std::string& name, const ClusterGanOptions& options)
      : Module(context, name), options(options) {}

  ClusterGanOptions options;
  ClusterTrunk trunk{*this, "trunk", options};
  Linear code{*this, "code", {.in = options.maps(1024), .out = options.noise + options.classes}};

  ClusterCode operator()(const Tensor& x) {
    const Tensor row = code(trunk(x));
    return {slice(row, 1, 0, options.noise), slice(row, 1, options.noise, options.noise + options.classes)};
  }
};

// mean D(fake) - mean D(real) + 10 * gradient penalty.  u {N, 1, 1, 1} in 0..1: one number a sample (the authors' code
// draws one a batch).
inline Tensor cluster_critic_loss(ClusterCritic& critic, const Tensor& real, const Tensor& fake, const Tensor& u) {
  const Tensor penalty = gradient_penalty([&](const Tensor& x) { return critic(x); }, real, fake, u);
  const int count = real.shape()[0];
  const Tensor scores = critic(concat({real, fake}, 0));  // one batch: no image's score depends on another image
  return mean(slice(scores, 0, count, 2 * count)) - mean(slice(scores, 0, 0, count)) + 10 * penalty;
}

// 10 * mean (noise - found noise)^2 + 10 * cross-entropy of the found class: what keeps clusters apart.
inline Tensor clustering_loss(const ClusterCode& found, const ClusterLatent& asked) {
  return 10 * mse_loss(found.noise, asked.noise) + 10 * cross_entropy(found.logits, asked.labels);
}

}  // namespace tobogan
