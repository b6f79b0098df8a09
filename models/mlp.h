// The classifier of Abadi: one hidden layer of 300 with batch norm, ReLU and dropout 0.1, in Keras' form.
#pragma once
#include "engine/nn/layers.h"

namespace tobogan {

struct MlpOptions {
  int inputs = 784, hidden = 300, classes = 10;
  double dropout = 0.1;
};

struct Mlp : Module {
  Mlp(Context& context, const std::string& name, const MlpOptions& options = {})
      : Module(context, name), options(options) {}

  MlpOptions options;
  Linear hidden{*this, "hidden", {.in = options.inputs, .out = options.hidden}};
  BatchNorm norm{*this, "norm", keras_batch_norm(options.hidden, 0.99, {.slope = 0, .dropout = options.dropout})};
  Linear scores{*this, "scores", {.in = options.hidden, .out = options.classes}};

  // Images {N, C, H, W} or rows {N, inputs} to class logits {N, classes}.
  Tensor operator()(const Tensor& x) { return scores(norm(hidden(flatten(x)))); }
};

}  // namespace tobogan
