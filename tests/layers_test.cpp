// Layers and models: how many parameters, which sizes, how they start, what training and use differ in.
#include "engine/nn/layers.h"

#include <cmath>
#include <set>

#include "engine/autograd.h"
#include "engine/nn/gan.h"
#include "engine/nn/loss.h"
#include "models/dcgan.h"
#include "models/lenet.h"
#include "models/mlp.h"
#include "models/resnet.h"
#include "models/small_cnn.h"
#include "models/tutorial_dcgan.h"
#include "tests/support/catch.h"
#include "tests/support/close.h"
#include "tests/support/hostile.h"

namespace tobogan {
namespace {

using Catch::Matchers::ContainsSubstring;

struct Fixture {
  Machine machine{{.threads = 2}};
  Context context{machine, 11};
  const Device& on = machine.device();

  Tensor drawn(const Shape& shape, const char* name) { return context.rng[name].normal(shape); }
};

// A module around one layer.
template <class Layer, class Options>
struct Only : Module {
  Only(Context& context, const Options& options) : Module(context, "only"), layer(*this, "layer", options) {}
  Layer layer;
};

Tensor tensor_named(const State& state, const std::string& name) {
  for (const NamedValue& entry : state)
    if (entry.name == name) return std::get<Tensor>(entry.value);
  throw Error("no tensor is called " + name);
}

// The counts that follow from the papers' tables of layers.
TEST_CASE_METHOD(Fixture, "models have the parameters that their papers count") {
  struct Row {
    double alpha;
    int channels, side;
    int64_t generator, discriminator;
  };
  for (const Row& row : {Row{1, 1, 28, 1243840, 55233}, Row{2, 1, 28, 3716480, 212865}, Row{4, 1, 28, 12348160, 835329},
                         Row{2, 3, 32, 4106880, 217985}}) {
    const TutorialDcganOptions options{.alpha = row.alpha, .channels = row.channels, .side = row.side};
    CHECK(TutorialGenerator(context, "g", options).parameter_count() == row.generator);
    CHECK(TutorialDiscriminator(context, "d", options).parameter_count() == row.discriminator);
  }
  CHECK(DcganGenerator(context, "g", {}).parameter_count() == 3448576);
  CHECK(DcganDiscriminator(context, "d", {}).parameter_count() == 2637312);
  CHECK(Mlp(context, "mlp").parameter_count() == 239110);
  CHECK(LeNet(context, "lenet").parameter_count() == 62006);
  CHECK(ResNet18(context, "resnet").parameter_count() == 11181642);
  CHECK(SmallCnn(context, "cnn").parameter_count() == 896 + 18496 + 2097664 + 5130);
}

TEST_CASE_METHOD(Fixture, "models map the shapes they promise") {
  const TutorialDcganOptions tiny{.alpha = 0.0625, .channels = 3, .side = 32};
  TutorialGenerator generator(context, "g", tiny);
  TutorialDiscriminator discriminator(context, "d", tiny);
  const Tensor images = generator(drawn({3, 100}, "z"));
  CHECK(images.shape() == Shape{3, 3, 32, 32});
  CHECK(discriminator(images).shape() == Shape{3, 1});
  TutorialGenerator by_feature(context, "f", {.alpha = 0.0625, .normalize_features = true});
  CHECK(by_feature(drawn({3, 100}, "z")).shape() == Shape{3, 1, 28, 28});
  CHECK(by_feature.norm0.parameter_count() == 2 * 8 * 7 * 7);
  DcganGenerator dcgan(context, "dg", {.width = 0.0625});
  DcganDiscriminator critic(context, "dd", {.width = 0.0625});
  CHECK(dcgan(drawn({2, 100}, "z")).shape() == Shape{2, 3, 32, 32});
  CHECK(critic(dcgan(drawn({2, 100}, "z"))).shape() == Shape{2, 1});
  CHECK(Mlp(context, "m")(drawn({4, 1, 28, 28}, "x")).shape() == Shape{4, 10});
  CHECK(LeNet(context, "l")(drawn({4, 3, 32, 32}, "x")).shape() == Shape{4, 10});
  CHECK(SmallCnn(context, "s", {.width = 0.25})(drawn({4, 3, 32, 32}, "x")).shape() == Shape{4, 10});
}

// SAME as TensorFlow: k5 s2 on 28 pads 1 before and 2 after; k5 s2 from 7 crops 1 and 2 of the full 17.
TEST_CASE_METHOD(Fixture, "SAME pads and crops what is odd at the end") {
  const ConvOptions same{.stride = 2, .padding = Padding::same()};
  const Tensor x = drawn({2, 3, 28, 28}, "x"), weight = drawn({4, 3, 5, 5}, "w");
  const Tensor down = conv2d(x, weight, same);
  CHECK(down.shape() == Shape{2, 4, 14, 14});
  CHECK(bit_difference("k5 s2", conv2d(x, weight, {.stride = 2, .padding = {1, 2, 1, 2}}), down) == "");
  CHECK(bit_difference("k5 s2, other way", conv2d(x, weight, {.stride = 2, .padding = {2, 1, 2, 1}}), down) != "");
  const Tensor small = drawn({2, 3, 7, 7}, "small"), up_weight = drawn({3, 4, 5, 5}, "up");
  const Tensor up = conv_transpose2d(small, up_weight, same);
  CHECK(up.shape() == Shape{2, 4, 14, 14});
  CHECK(bit_difference("crop 1, 2", conv_transpose2d(small, up_weight, {.stride = 2, .padding = {1, 2, 1, 2}}), up) ==
        "");
  const Tensor k3 = drawn({4, 3, 3, 3}, "k3"), even = drawn({1, 3, 8, 8}, "even");
  CHECK(bit_difference("k3 s2", conv2d(even, k3, {.stride = 2, .padding = {0, 1, 0, 1}}), conv2d(even, k3, same)) ==
        "");
}

TEST_CASE_METHOD(Fixture, "a SAME transposed convolution is the input gradient of the SAME convolution") {
  const ConvOptions same{.stride = 2, .padding = Padding::same()};
  const Tensor weight = drawn({4, 3, 5, 5}, "w"), dy = drawn({2, 4, 7, 7}, "dy");
  Tensor x = Tensor::zeros({2, 3, 14, 14}, on);
  x.require_grad();
  const Tensor dx = grad(conv2d(x, weight, same), x, {.seed = dy});
  CHECK(bit_difference("gradient", conv_transpose2d(dy, weight, same), dx) == "");
}

TEST_CASE_METHOD(Fixture, "dense layers to and from images are a dense layer and a reshape") {
  Only<LinearToImage, DenseImageOptions> to(context, {.features = 6, .channels = 3, .height = 2, .width = 4});
  const Tensor z = drawn({5, 6}, "z");
  const Tensor rows = flatten(to.parameters()[0]);  // {features, C * H * W}
  CHECK(difference("to image", values_of(to.layer(z)), values_of(matmul(z, rows)), 1e-6) == "");
  Only<ImageToLinear, DenseImageOptions> from(context, {.features = 6, .channels = 3, .height = 2, .width = 4});
  const Tensor x = drawn({5, 3, 2, 4}, "x");
  const Tensor wanted = linear(flatten(x), flatten(from.parameters()[0]));
  CHECK(difference("from image", values_of(from.layer(x)), values_of(wanted), 1e-6) == "");
  CHECK_THROWS_WITH(to.layer(x), ContainsSubstring("only.layer") && ContainsSubstring("{5, 3, 2, 4}"));
  CHECK_THROWS_WITH(from.layer(z), ContainsSubstring("only.layer") && ContainsSubstring("{5, 6}"));
}

TEST_CASE_METHOD(Fixture, "names are dotted, in order of declaration, and buffers are not trained") {
  const Mlp mlp(context, "mlp");
  std::vector<std::string> names, all;
  for (const NamedTensor& entry : mlp.named_parameters()) names.push_back(entry.name);
  for (const NamedValue& entry : mlp.state()) all.push_back(entry.name);
  CHECK(names == std::vector<std::string>{"mlp.hidden.weight", "mlp.hidden.bias", "mlp.norm.gamma", "mlp.norm.beta",
                                          "mlp.scores.weight", "mlp.scores.bias"});
  CHECK(all == std::vector<std::string>{"mlp.hidden.weight", "mlp.hidden.bias", "mlp.norm.gamma", "mlp.norm.beta",
                                        "mlp.norm.running_mean", "mlp.norm.running_variance", "mlp.scores.weight",
                                        "mlp.scores.bias"});
  for (const Tensor& parameter : mlp.parameters()) CHECK(parameter.requires_grad());
}

// Running values after one batch, by the two families' formulas.
TEST_CASE_METHOD(Fixture, "batch norm averages its moments as Keras does and as PyTorch does") {
  const Tensor x = 3 * drawn({4, 2, 3, 5}, "x") + 1;
  const std::vector<double> values = values_of(x);
  std::vector<double> mean(2), biased(2);
  for (size_t i = 0; i < values.size(); ++i) mean[i / 15 % 2] += values[i] / 60;
  for (size_t i = 0; i < values.size(); ++i) biased[i / 15 % 2] += std::pow(values[i] - mean[i / 15 % 2], 2) / 60;
  struct Family {
    BatchNormOptions options;
    double keep, factor;
  };
  for (const Family& family : {Family{keras_batch_norm(2), 0.99, 1}, Family{keras_batch_norm(2, 0.8), 0.8, 1},
                               Family{{.channels = 2}, 0.9, 60.0 / 59}}) {
    Only<BatchNorm, BatchNormOptions> norm(context, family.options);
    norm.layer(x);
    norm.layer.track_statistics(false);
    norm.layer(x * 7);  // leaves the statistics alone
    norm.track_statistics(true);
    norm.eval();
    norm.layer(x * 7);  // so does use
    std::vector<double> running_mean(2), running_variance(2);
    for (int c = 0; c < 2; ++c) {
      running_mean[c] = (1 - family.keep) * mean[c];
      running_variance[c] = family.keep + (1 - family.keep) * family.factor * biased[c];
    }
    CHECK(difference("mean", values_of(tensor_named(norm.state(), "only.layer.running_mean")), running_mean, 1e-6) ==
          "");
    CHECK(difference("variance", values_of(tensor_named(norm.state(), "only.layer.running_variance")), running_variance,
                     1e-6) == "");
  }
}

TEST_CASE_METHOD(Fixture, "batch norm normalises by the batch in training, by its averages in use") {
  Only<BatchNorm, BatchNormOptions> norm(context, {.channels = 3, .epsilon = 1e-3});
  const Tensor x = 2 * drawn({50, 3}, "x") + 5;
  const std::vector<double> trained = values_of(norm.layer(x));
  double sum = 0, squares = 0;
  for (size_t i = 0; i < trained.size(); i += 3) sum += trained[i] / 50, squares += trained[i] * trained[i] / 50;
  CHECK(sum == Approx(0).margin(1e-5));
  CHECK(squares == Approx(1).epsilon(2e-3));
  norm.eval();
  const double mean = values_of(tensor_named(norm.state(), "only.layer.running_mean"))[0];
  const double variance = values_of(tensor_named(norm.state(), "only.layer.running_variance"))[0];
  const double used = values_of(norm.layer(x))[0];
  CHECK(used == Approx((values_of(x)[0] - mean) / std::sqrt(variance + 1e-3)).epsilon(1e-5));
  CHECK(norm.layer(slice(x, 0, 0, 1)).to_host()[0] == norm.layer(x).to_host()[0]);  // a sample does not see its batch
}

TEST_CASE_METHOD(Fixture, "dropout drops its share in training, keeps the mean, and is nothing in use") {
  Only<Dropout, double> dropout(context, 0.3);
  const Tensor ones = Tensor::full({1000, 100}, 1, on);
  const std::vector<double> kept = values_of(dropout.layer(ones));
  int dropped = 0;
  double furthest = 0;  // of the kept elements from 1 / 0.7
  for (const double value : kept) {
    if (value == 0) {
      ++dropped;
    } else {
      furthest = std::max(furthest, std::abs(value - 1 / 0.7));
    }
  }
  CHECK(furthest < 1e-4);
  // 100,000 draws: the share has a deviation of 0.00145.
  CHECK(dropped / 1e5 == Approx(0.3).margin(0.007));
  const std::vector<double> other = values_of(dropout.layer(ones));
  CHECK(other != kept);  // a second draw of the same step
  context.rng.advance();
  const std::vector<double> later = values_of(dropout.layer(ones));
  CHECK((later != kept && later != other));
  dropout.eval();
  CHECK(bit_difference("in use", dropout.layer(ones), ones) == "");
}

TEST_CASE_METHOD(Fixture, "an activation fused into a layer is the activation after it") {
  const LinearOptions plain{.in = 7, .out = 5, .bias_init = Init::normal(0, 1)};
  LinearOptions fused = plain;
  fused.activation = {.slope = 0.2};
  Context again(machine, 11);  // the same start under the same names
  Only<Linear, LinearOptions> one(context, plain), two(again, fused);
  const Tensor x = drawn({9, 7}, "x");
  CHECK(bit_difference("linear", two.layer(x), leaky_relu(one.layer(x), 0.2)) == "");
  BatchNormOptions norm{.channels = 7}, bent = norm;
  bent.activation = {.slope = 0.2};
  Only<BatchNorm, BatchNormOptions> a(context, norm), b(context, bent);
  CHECK(difference("norm", values_of(b.layer(x)), values_of(leaky_relu(a.layer(x), 0.2)), 1e-6) == "");
}

TEST_CASE_METHOD(Fixture, "train() and track_statistics() reach every part") {
  SmallCnn cnn(context, "cnn", {.width = 0.25});
  CHECK((cnn.training() && cnn.drop.training() && cnn.hidden.training()));
  const Tensor x = drawn({2, 3, 32, 32}, "x");
  CHECK(bit_difference("training draws anew", cnn(x), cnn(x)) != "");
  cnn.eval();
  CHECK_FALSE((cnn.training() || cnn.drop.training() || cnn.hidden.training()));
  CHECK(bit_difference("use does not", cnn(x), cnn(x)) == "");
  cnn.train();
  CHECK((cnn.drop.training() && cnn.hidden.training()));
}

struct Moments {
  double mean, deviation, low, high;
};

Moments moments_of(const Tensor& tensor) {
  const std::vector<double> values = values_of(tensor);
  Moments m{0, 0, values[0], values[0]};
  for (const double v : values) m.mean += v / values.size(), m.low = std::min(m.low, v), m.high = std::max(m.high, v);
  for (const double v : values) m.deviation += (v - m.mean) * (v - m.mean) / values.size();
  m.deviation = std::sqrt(m.deviation);
  return m;
}

// 90,000 values: means are off by a deviation / 300, deviations by a deviation / 420.
TEST_CASE_METHOD(Fixture, "initial values have the spread that their rule says") {
  const Shape shape{300, 300};
  const Fans fans{.in = 300, .out = 900};
  auto start = [&](const Init& init) { return moments_of(init(shape, fans, context.rng["init"], on)); };
  const double glorot = std::sqrt(6.0 / 1200), torch = 1 / std::sqrt(300.0);
  struct Row {
    Init init;
    double mean, deviation, bound;
  };
  for (const Row& row : {
           Row{Init::normal(1, 0.02), 1, 0.02, 0.02 * 6},
           Row{Init::uniform(-0.05, 0.05), 0, 0.1 / std::sqrt(12.0), 0.05},
           Row{Init::glorot_uniform(), 0, glorot / std::sqrt(3.0), glorot},
           Row{Init::torch_default(), 0, torch / std::sqrt(3.0), torch},
           Row{Init::glorot_normal(), 0, std::sqrt(2.0 / 1200), 2 * std::sqrt(2.0 / 1200) / 0.87962566},
           Row{Init::truncated_normal(0, 0.01), 0, 0.01 * 0.87962566, 0.02},
           Row{Init::kaiming_fan_out(), 0, std::sqrt(2.0 / 900), 6 * std::sqrt(2.0 / 900)},
       }) {
    const Moments m = start(row.init);
    INFO("expected mean " << row.mean << " and deviation " << row.deviation);
    CHECK(m.mean == Approx(row.mean).margin(row.deviation / 60));
    CHECK(m.deviation == Approx(row.deviation).epsilon(0.01));
    CHECK((m.low >= row.mean - row.bound * 1.000001 && m.high <= row.mean + row.bound * 1.000001));
    CHECK((m.low < row.mean - 1.5 * row.deviation && m.high > row.mean + 1.5 * row.deviation));
  }
  CHECK((start(Init::constant(2.5)).low == 2.5 && start(Init::constant(2.5)).high == 2.5));
  CHECK((start(Init::zeros()).high == 0 && start(Init::ones()).low == 1));
}

// A part may be made and thrown away while its parent lives on.
TEST_CASE_METHOD(Fixture, "a part that is gone is no part any more") {
  struct Whole : Module {
    using Module::Module;
    Linear first{*this, "first", {.in = 4, .out = 3}};
  } whole(context, "whole");
  auto extra = std::make_unique<Linear>(whole, "extra", LinearOptions{.in = 3, .out = 2});
  CHECK(whole.parameters().size() == 4);
  extra.reset();
  CHECK(whole.parameters().size() == 2);
  whole.eval();
  auto parent = std::make_unique<Whole>(context, "parent");
  const Linear longer(*parent, "longer", {.in = 3, .out = 2});
  parent.reset();
  CHECK(longer.parameter_count() == 8);
  std::unique_ptr<Module> owned = std::make_unique<Whole>(context, "owned");  // by what all models are
  const size_t held = machine.bytes_in_use();
  owned.reset();
  CHECK(machine.bytes_in_use() < held);
}

// Fans of the layers: taps times channels.
TEST_CASE_METHOD(Fixture, "layers count their fans by taps and channels") {
  Only<Conv2d, ConvLayerOptions> conv(context, {.in = 30, .out = 50, .kernel = {5, 3}});
  CHECK(moments_of(conv.parameters()[0]).high == Approx(std::sqrt(6.0 / (15 * 80))).epsilon(0.01));
  Only<ConvTranspose2d, ConvLayerOptions> up(context,
                                             {.in = 30, .out = 50, .kernel = 4, .init = Init::torch_default()});
  CHECK(moments_of(up.parameters()[0]).high == Approx(1 / std::sqrt(16.0 * 50)).epsilon(0.01));
  Only<LinearToImage, DenseImageOptions> to(context, {.features = 100, .channels = 16, .height = 7, .width = 7});
  CHECK(moments_of(to.parameters()[0]).high == Approx(std::sqrt(6.0 / (100 + 784))).epsilon(0.01));
  Only<ImageToLinear, DenseImageOptions> from(context, {.features = 100, .channels = 16, .height = 7, .width = 7});
  CHECK(moments_of(from.parameters()[0]).high == Approx(std::sqrt(6.0 / (100 + 784))).epsilon(0.01));
}

struct Short : Module {
  using Module::Module;
  Linear first{*this, "first", {.in = 4, .out = 3}};
  Linear last{*this, "last", {.in = 3, .out = 2}};
};
struct Long : Module {
  using Module::Module;
  Linear first{*this, "first", {.in = 4, .out = 3}};
  Linear between{*this, "between", {.in = 3, .out = 3}};
  BatchNorm norm{*this, "norm", {.channels = 3, .gamma_init = Init::normal(1, 0.02)}};
  Linear last{*this, "last", {.in = 3, .out = 2}};
};

TEST_CASE_METHOD(Fixture, "a new layer changes no other's start; names and seeds do") {
  Short a(context, "net");
  Context again(machine, 11), other(machine, 12);
  Long b(again, "net");
  Short c(other, "net"), d(context, "other");
  for (const char* name : {"first.weight", "last.weight"}) {
    const Tensor start = tensor_named(a.state(), std::string("net.") + name);
    CHECK(bit_difference(name, start, tensor_named(b.state(), std::string("net.") + name)) == "");
    CHECK(bit_difference(name, start, tensor_named(c.state(), std::string("net.") + name)) != "");
    CHECK(bit_difference(name, start, tensor_named(d.state(), std::string("other.") + name)) != "");
  }
}

TEST_CASE_METHOD(Fixture, "gan_gradients are those of the two losses, from two ways back") {
  TutorialDcganOptions small{.alpha = 1.0 / 16};
  TutorialGenerator generator(context, "generator", small);
  TutorialDiscriminator discriminator(context, "discriminator", small);
  discriminator.eval();  // without dropout, so that both ways see the same network
  const Tensor real = drawn({6, 1, 28, 28}, "real"), fake = generator(drawn({6, 100}, "z"));
  const auto judge = [&](const Tensor& x) { return discriminator(x); };
  const Tensor on_fake = discriminator(fake), loss_g = bce_with_logits(on_fake, 1);
  const Tensor loss_d = 0.5 * (bce_with_logits(discriminator(real), 1) + bce_with_logits(on_fake, 0));
  const std::vector<Tensor> d = grad(loss_d, discriminator.parameters(), {.keep_graph = true});
  const std::vector<Tensor> g = grad(loss_g, generator.parameters(), {.keep_graph = true});
  const GanGradients got = gan_gradients(real, fake, judge, discriminator.parameters(), generator.parameters());
  const auto close = [](const Tensor& a, const Tensor& b) {
    return difference("gan_gradients", values_of(a), values_of(b), 1e-5) == "";
  };
  CHECK(close(got.discriminator_loss, loss_d));
  CHECK(close(got.generator_loss, loss_g));
  for (size_t i = 0; i < d.size(); ++i) CHECK(close(got.discriminator[i], d[i]));
  for (size_t i = 0; i < g.size(); ++i) CHECK(close(got.generator[i], g[i]));
  // A generator that is not trained needs no way back.
  const GanGradients fixed = gan_gradients(real, fake.detach(), judge, discriminator.parameters(), {});
  CHECK(fixed.generator.empty());
  for (size_t i = 0; i < d.size(); ++i) CHECK(close(fixed.discriminator[i], d[i]));
  const Tensor fewer = drawn({5, 1, 28, 28}, "fewer");
  CHECK_THAT(refusal([&] { gan_gradients(fewer, fake, judge, d, g); }),
             ContainsSubstring("{5, 1, 28, 28}") && ContainsSubstring("{6, 1, 28, 28}"));
  CHECK_THAT(refusal([&] { gan_gradients(real, fake.detach(), judge, d, g); }), ContainsSubstring("nobody recorded"));
}

TEST_CASE_METHOD(Fixture, "an embedding looks rows up") {
  Only<Embedding, EmbeddingOptions> table(context, {.entries = 5, .size = 3});
  const Indices index(std::vector<int32_t>{4, 0, 4}, on);
  const std::vector<Real> rows = table.layer(index).to_host(), all = table.parameters()[0].to_host();
  for (int i = 0; i < 9; ++i) CHECK(rows[i] == all[std::vector<int>{4, 0, 4}[i / 3] * 3 + i % 3]);
}

}  // namespace
}  // namespace tobogan
