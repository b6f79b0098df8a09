// Every layer against PyTorch: values, gradients of all inputs, running statistics (tests/golden).
//
// A row is the name of a case in layers.safetensors and our way to compute it; a last test checks that no case is left
// out.  Trainings and optimisers are in golden_training_test.cpp.
#include "tests/support/golden.h"

#include <functional>
#include <set>

#include "engine/autograd.h"
#include "engine/nn/layers.h"
#include "engine/nn/loss.h"
#include "tests/support/catch.h"
#include "tests/support/devices.h"

namespace tobogan {
namespace {

// The answers are rounded to float32 (6e-8).  Our float32 sums have at most some hundred terms of mixed signs, which
// costs some ten roundings; a wrong tap, mask or epsilon costs 1e-3 and more.
constexpr double kTolerance = sizeof(Real) == 8 ? 1e-7 : 3e-6;

const Golden& golden() {
  static const Golden golden("layers");
  return golden;
}

// The inputs of a case as tensors that derivatives may be asked for.
class Inputs {
 public:
  Inputs(const std::string& name, const Device& device) : name_(name), device_(device) {
    for (const std::string& key : golden().below(name + "/in/")) {
      Tensor x = golden().tensor(name + "/in/" + key, device);
      if (golden().has(name + "/grad/" + key)) x.require_grad();
      tensors_[key] = x;
    }
  }
  const Tensor& operator[](const std::string& key) const { return tensors_.at(key); }
  Indices indices(const std::string& key) const { return golden().indices(name_ + "/in/" + key, device_); }

  // Those whose gradients are known.
  NamedTensors wanted() const {
    NamedTensors wanted;
    for (const auto& [key, tensor] : tensors_) {
      if (tensor.requires_grad()) wanted.push_back({key, tensor});
    }
    return wanted;
  }

 private:
  std::string name_;
  Device device_;
  std::map<std::string, Tensor> tensors_;
};

struct Row {
  std::string name;
  std::function<Tensor(const Inputs&)> run;
};

Row conv(const std::string& name, const ConvOptions& options) {
  return {"conv2d_" + name,
          [=](const Inputs& in) { return add_bias(conv2d(in["x"], in["weight"], options), in["bias"]); }};
}

Row transposed(const std::string& name, const ConvOptions& options) {
  return {"conv_transpose2d_" + name,
          [=](const Inputs& in) { return add_bias(conv_transpose2d(in["x"], in["weight"], options), in["bias"]); }};
}

Row of_x(const std::string& name, std::function<Tensor(const Tensor&)> run) {
  return {name, [=](const Inputs& in) { return run(in["x"]); }};
}

std::vector<Row> convolutions() {
  const Padding same = Padding::same();
  return {
      conv("pad1", {.padding = 1}),
      conv("valid", {}),
      conv("same_k5_s2", {.stride = 2, .padding = same}),
      conv("same_k3_s2", {.stride = 2, .padding = same}),
      conv("same_k5_s2_odd", {.stride = 2, .padding = same}),
      conv("k4_s2_pad1", {.stride = 2, .padding = 1}),
      conv("k1x7", {.padding = same}),
      conv("k3x2_s2x1", {.stride = {2, 1}, .padding = {2, 1, 0, 1}}),
      conv("dilated", {.padding = 2, .dilation = 2}),
      conv("k1", {}),
      conv("wide", {.padding = 1}),
      conv("from_one", {.stride = 2, .padding = {1, 2, 1, 2}}),
      conv("to_one", {.stride = 2, .padding = 1}),
      conv("batch_of_one", {.padding = 1}),
      transposed("k4_s2_crop1", {.stride = 2, .padding = 1}),
      transposed("same_k5_s2", {.stride = 2, .padding = same}),
      transposed("same_k3_s2", {.stride = 2, .padding = same}),
      transposed("same_k5_s1", {.padding = same}),
      transposed("torch_k5_s2_pad2_out1", {.stride = 2, .padding = {2, 1, 2, 1}}),
      transposed("valid_k4_s1", {}),
      transposed("wide", {.stride = 2, .padding = 1}),
      transposed("to_one", {.stride = 2, .padding = same}),
  };
}

// Instance norm is the batch norm of one image whose channels are all channels of all images.
Tensor instance_norm(const Tensor& x, const Tensor& gamma, const Tensor& beta) {
  const Shape& shape = x.shape();
  const Tensor one = reshape(x, {1, shape[0] * shape[1], shape[2], shape[3]});
  const Tensor y = reshape(batch_norm(one, {}, {}, {.epsilon = 1e-3}).y, shape);
  return y * reshape(gamma, channel_shape(shape)) + reshape(beta, channel_shape(shape));
}

std::vector<Row> dense_and_pooling() {
  return {
      {"linear", [](const Inputs& in) { return add_bias(linear(in["x"], in["weight"]), in["bias"]); }},
      {"linear_wide", [](const Inputs& in) { return linear(in["x"], in["weight"]); }},
      {"embedding", [](const Inputs& in) { return embedding(in["table"], in.indices("index")); }},
      {"batch_norm_eval",
       [](const Inputs& in) {
         return batch_norm_with(in["x"], in["running_mean"], in["running_variance"], in["gamma"], in["beta"],
                                {.epsilon = 1e-3});
       }},
      {"instance_norm", [](const Inputs& in) { return instance_norm(in["x"], in["gamma"], in["beta"]); }},
      of_x("max_pool_k2", [](const Tensor& x) { return max_pool2d(x); }),
      of_x("max_pool_k3_s2_pad1", [](const Tensor& x) { return max_pool2d(x, {.kernel = 3, .padding = 1}); }),
      of_x("max_pool_k3_s2_ceil", [](const Tensor& x) { return max_pool2d(x, {.kernel = 3, .ceil = true}); }),
      of_x("avg_pool_k2", [](const Tensor& x) { return avg_pool2d(x); }),
      of_x("avg_pool_k3_s1_pad1_excluded",
           [](const Tensor& x) { return avg_pool2d(x, {.kernel = 3, .stride = 1, .padding = 1}); }),
      of_x("adaptive_avg_pool_3x2",
           [](const Tensor& x) {
             return adaptive_avg_pool2d(x, {3, 2});
           }),
      of_x("nearest_x2", [](const Tensor& x) { return upsample_nearest(x, 2); }),
      of_x("pad_reflect", [](const Tensor& x) { return pad_reflect2d(x, 3); }),
      of_x("pad_zero",
           [](const Tensor& x) {
             return pad_zero2d(x, {0, 3, 1, 2});
           }),
      of_x("bilinear_half_pixel_up",
           [](const Tensor& x) {
             return resize_bilinear(x, {7, 9});
           }),
      of_x("bilinear_half_pixel_down",
           [](const Tensor& x) {
             return resize_bilinear(x, {3, 4});
           }),
      of_x("bilinear_tf1_up",
           [](const Tensor& x) {
             return resize_bilinear(x, {7, 9}, ResizeRule::kTensorFlow1);
           }),
      of_x("bilinear_tf1_down",
           [](const Tensor& x) {
             return resize_bilinear(x, {3, 4}, ResizeRule::kTensorFlow1);
           }),
  };
}

std::vector<Row> activations_and_losses() {
  return {
      of_x("relu", [](const Tensor& x) { return relu(x); }),
      of_x("leaky_relu_0.2", [](const Tensor& x) { return leaky_relu(x, 0.2); }),
      of_x("leaky_relu_0.3", [](const Tensor& x) { return leaky_relu(x, 0.3); }),
      of_x("tanh", [](const Tensor& x) { return tanh(x); }),
      of_x("sigmoid", [](const Tensor& x) { return sigmoid(x); }),
      of_x("softplus", [](const Tensor& x) { return softplus(x); }),
      of_x("softmax", [](const Tensor& x) { return softmax(x); }),
      of_x("log_softmax", [](const Tensor& x) { return log_softmax(x); }),
      of_x("log_softmax_large", [](const Tensor& x) { return log_softmax(x); }),
      {"cross_entropy", [](const Inputs& in) { return cross_entropy(in["x"], in.indices("label")); }},
      {"bce_logits", [](const Inputs& in) { return bce_with_logits(in["x"], in["target"]); }},
      {"bce_logits_weighted", [](const Inputs& in) { return bce_with_logits(in["x"], in["target"], in["weight"]); }},
      {"mse", [](const Inputs& in) { return mse_loss(in["x"], in["target"]); }},
      {"l1", [](const Inputs& in) { return l1_loss(in["x"], in["target"]); }},
  };
}

std::vector<Row> rows() {
  std::vector<Row> all;
  for (const auto& some : {convolutions(), dense_and_pooling(), activations_and_losses()}) {
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

void check_near(const std::string& name, const Tensor& actual) {
  INFO(name);
  const HostTensor& expected = golden().host(name);
  REQUIRE(actual.shape() == expected.shape);
  CHECK(distance(actual.to_host(), expected.values) <= kTolerance);
}

// The gradients of sum(out * dout) for the given inputs.
void check_gradients(const std::string& name, const Tensor& out, const NamedTensors& wanted) {
  REQUIRE(wanted.size() == golden().below(name + "/grad/").size());
  const auto grads = grad(out, tensors_of(wanted), {.seed = golden().tensor(name + "/dout", out.device())});
  for (size_t i = 0; i < wanted.size(); ++i) check_near(name + "/grad/" + wanted[i].name, grads[i]);
}

TEST_CASE("layers agree with PyTorch in value and gradients") {
  Machine machine({.device = GENERATE(from_range(devices())), .threads = 2});
  for (const Row& row : rows()) {
    INFO(row.name);
    const Inputs inputs(row.name, machine.device());
    const Tensor out = row.run(inputs);
    check_near(row.name + "/out", out);
    check_gradients(row.name, out, inputs.wanted());
  }
}

struct NormRow {
  std::string name;
  BatchNormOptions options;
};

const std::vector<NormRow>& norm_rows() {
  static const BatchNormOptions no_gamma = {
      .channels = 3, .epsilon = 1e-3, .keep = 0.999, .unbiased = false, .gamma = false};
  static const std::vector<NormRow> rows = {
      {"batch_norm_torch", {.channels = 3}},     {"batch_norm_torch_features", {.channels = 5}},
      {"batch_norm_keras", keras_batch_norm(3)}, {"batch_norm_keras_features", keras_batch_norm(5)},
      {"batch_norm_no_gamma", no_gamma},
  };
  return rows;
}

// Sets what the golden file has under prefix + (the part of the name after the last dot).
void fill_norm(const BatchNorm& norm, const std::string& name) {
  for (const NamedValue& entry : norm.state()) {
    const std::string key = entry.name.substr(entry.name.rfind('.') + 1);
    const bool running = key.starts_with("running");
    Tensor(std::get<Tensor>(entry.value)).set(golden().host(name + (running ? "/" : "/in/") + key).values);
  }
}

TEST_CASE("batch norm agrees with PyTorch and Keras, running statistics too") {
  Machine machine({.device = GENERATE(from_range(devices())), .threads = 2});
  for (const NormRow& row : norm_rows()) {
    INFO(row.name);
    Context context(machine, 1);
    struct Holder : Module {
      using Module::Module;
    } holder(context, "holder");
    BatchNorm norm(holder, "norm", row.options);
    fill_norm(norm, row.name);
    Tensor x = golden().tensor(row.name + "/in/x", machine.device());
    x.require_grad();
    const Tensor out = norm(x);
    check_near(row.name + "/out", out);
    NamedTensors wanted = {{"x", x}};
    for (NamedTensor named : norm.named_parameters()) {
      wanted.push_back({named.name.substr(named.name.rfind('.') + 1), named.tensor});
    }
    check_gradients(row.name, out, wanted);
    for (const NamedValue& entry : norm.state()) {
      const std::string key = entry.name.substr(entry.name.rfind('.') + 1);
      if (key.starts_with("running")) check_near(row.name + "/" + key + "_after", std::get<Tensor>(entry.value));
    }
  }
}

TEST_CASE("every golden case is looked at") {
  std::set<std::string> known, looked_at;
  for (const std::string& name : golden().below("")) known.insert(name.substr(0, name.find('/')));
  for (const Row& row : rows()) looked_at.insert(row.name);
  for (const NormRow& row : norm_rows()) looked_at.insert(row.name);
  CHECK(known == looked_at);
}

}  // namespace
}  // namespace tobogan
