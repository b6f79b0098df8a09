// Optimisers against their formulas in plain double loops, and their state through a file.
#include "engine/optim.h"

#include <cmath>

#include "engine/ops/ops.h"
#include "engine/serialize.h"
#include "tests/support/catch.h"
#include "tests/support/close.h"
#include "tests/support/temp_folder.h"

namespace tobogan {
namespace {

using Catch::Matchers::ContainsSubstring;
using Values = std::vector<double>;

constexpr int kSteps = 12;
// Twelve steps of some ten roundings each.
const double kClose = sizeof(Real) == 4 ? 2e-6 : 1e-14;

struct Fixture {
  Machine machine{{.threads = 2}};
  Context context{machine, 3};
  const Device& on = machine.device();

  NamedTensors weights() {
    Tensor image = context.rng["w"].normal({3, 2, 3, 5}), row = context.rng["w"].normal({33});
    return {{"image", image.require_grad()}, {"row", row.require_grad()}};
  }
  // From 1e-6 to 10, and zeros: a first gradient of 0 must not divide by 0.
  std::vector<Tensor> gradients(int step) {
    RandomStream& stream = context.rng["gradients"];
    const Tensor image = stream.normal({3, 2, 3, 5}) * std::pow(10, step % 8 - 6);
    return {image, step < 2 ? Tensor::zeros({33}, on) : stream.normal({33})};
  }
};

// Plays `rule` (weight, gradient, step from 1; keeps its state by element) beside the optimiser.
template <class Step, class Rule>
void compare(Fixture& f, const NamedTensors& weights, Step step, Rule rule) {
  std::vector<Values> wanted;
  for (const NamedTensor& entry : weights) wanted.push_back(values_of(entry.tensor));
  for (int t = 1; t <= kSteps; ++t) {
    const std::vector<Tensor> gradients = f.gradients(t);
    step(gradients);
    for (size_t p = 0; p < weights.size(); ++p) {
      const Values g = values_of(gradients[p]);
      for (size_t i = 0; i < g.size(); ++i) wanted[p][i] = rule(1000 * p + i, wanted[p][i], g[i], t);
      const std::string what = weights[p].name + " after step " + std::to_string(t);
      REQUIRE(difference(what, values_of(weights[p].tensor), wanted[p], kClose) == "");
    }
  }
}

struct AdamRule {
  AdamOptions o;
  std::map<size_t, std::pair<double, double>> moments = {};

  double operator()(size_t i, double w, double g, int t) {
    g += o.weight_decay * w;
    auto& [m, v] = moments[i];
    m = o.beta1 * m + (1 - o.beta1) * g;
    v = o.beta2 * v + (1 - o.beta2) * g * g;
    const double c1 = 1 - std::pow(o.beta1, t), c2 = 1 - std::pow(o.beta2, t);
    if (o.keras_form) return w - o.rate * std::sqrt(c2) / c1 * m / (std::sqrt(v) + o.epsilon);
    return w - o.rate * (m / c1) / (std::sqrt(v / c2) + o.epsilon);
  }
};

TEST_CASE_METHOD(Fixture, "Adam follows its formula, in PyTorch's form and in Keras'") {
  for (const AdamOptions& options :
       {AdamOptions{}, AdamOptions{.rate = 2e-4, .beta1 = 0.5}, AdamOptions{.epsilon = 1e-7, .keras_form = true},
        AdamOptions{.rate = 0.01, .epsilon = 1e-3, .weight_decay = 0.1},
        AdamOptions{.rate = 0.01, .beta1 = 0, .beta2 = 0.9, .epsilon = 1e-3, .keras_form = true}}) {
    const NamedTensors w = weights();
    Adam adam(w, options);
    compare(
        *this, w, [&](const auto& g) { adam.step(g); }, AdamRule{options});
  }
}

TEST_CASE_METHOD(Fixture, "RMSProp follows TensorFlow 1: mean square from 1, epsilon inside the root") {
  const NamedTensors w = weights();
  RmsProp optimiser(w, {.rate = 0.01, .weight_decay = 0.1});
  std::map<size_t, double> squares;
  compare(
      *this, w, [&](const auto& g) { optimiser.step(g); },
      [&](size_t i, double weight, double g, int) {
        g += 0.1 * weight;
        double& s = squares.try_emplace(i, 1).first->second;
        s = 0.9 * s + 0.1 * g * g;
        return weight - 0.01 * g / std::sqrt(s + 1e-10);
      });
}

TEST_CASE_METHOD(Fixture, "SGD follows its formula, with momentum and without") {
  for (const double momentum : {0.0, 0.9}) {
    const NamedTensors w = weights();
    Sgd optimiser(w, {.rate = 0.05, .momentum = momentum, .weight_decay = 0.01});
    std::map<size_t, double> velocity;
    compare(
        *this, w, [&](const auto& g) { optimiser.step(g); },
        [&](size_t i, double weight, double g, int) {
          velocity[i] = momentum * velocity[i] + g + 0.01 * weight;
          return weight - 0.05 * velocity[i];
        });
  }
}

TEST_CASE_METHOD(Fixture, "a learning rate holds from the next step on") {
  const NamedTensors w = weights();
  Sgd optimiser(w, {.rate = 0.5});
  const Values before = values_of(w[1].tensor);
  const std::vector<Tensor> ones{Tensor::full({3, 2, 3, 5}, 1, on), Tensor::full({33}, 1, on)};
  optimiser.set_rate(0.25);
  optimiser.step(ones);
  optimiser.set_rate(0);
  optimiser.step(ones);
  Values wanted = before;
  for (double& value : wanted) value -= 0.25;
  CHECK(difference("row", values_of(w[1].tensor), wanted, kClose) == "");
}

TEST_CASE_METHOD(Fixture, "an average follows the weights, and swapping twice is nothing") {
  const NamedTensors w = weights();
  Ema ema(w, 0.9);
  Values wanted = values_of(w[1].tensor);
  Sgd optimiser(w, {.rate = 0.1});
  for (int t = 1; t <= 5; ++t) {
    optimiser.step(gradients(t));
    ema.update();
    const Values now = values_of(w[1].tensor);
    for (size_t i = 0; i < wanted.size(); ++i) wanted[i] = 0.9 * wanted[i] + 0.1 * now[i];
  }
  const Values trained = values_of(w[1].tensor);
  ema.swap();
  CHECK(difference("average", values_of(w[1].tensor), wanted, kClose) == "");
  ema.swap();
  CHECK(values_of(w[1].tensor) == trained);
}

TEST_CASE_METHOD(Fixture, "clipping scales all gradients together, and only long ones") {
  const std::vector<Tensor> g{Tensor::full({4}, 3, on), Tensor::full({2, 2}, -4, on)};  // norm sqrt(36 + 64) = 10
  const std::vector<Tensor> clipped = clip_by_global_norm(g, 2);
  CHECK(difference("first", values_of(clipped[0]), Values(4, 0.6), 1e-6) == "");
  CHECK(difference("second", values_of(clipped[1]), Values(4, -0.8), 1e-6) == "");
  CHECK(values_of(clip_by_global_norm(g, 11)[0]) == Values(4, 3));
  CHECK(values_of(clip_by_global_norm(std::vector<Tensor>{Tensor::zeros({3}, on)}, 1)[0]) == Values(3, 0));
  CHECK(clip_by_global_norm({}, 1).empty());
  CHECK_THROWS_AS(clip_by_global_norm(g, 0), Error);
}

// Six steps, the state through a file into new objects, six more: the same bits as twelve.
template <class Optimiser, class Options>
void check_resume(Fixture& f, const Options& options) {
  const TempFolder folder;
  const auto file = folder.path() / "state.safetensors";
  std::vector<std::vector<Tensor>> gradients;
  for (int t = 0; t < kSteps; ++t) gradients.push_back(f.gradients(t));
  const NamedTensors w = f.weights();
  Optimiser optimiser(w, options);
  auto everything = [](const NamedTensors& weights, const State& moments) {
    State state;
    for (const NamedTensor& entry : weights) state.push_back({entry.name, entry.tensor});
    append(state, "optimiser", moments);
    return state;
  };
  for (int t = 0; t < kSteps; ++t) {
    if (t == kSteps / 2) save(file, everything(w, optimiser.state()));
    optimiser.step(gradients[t]);
  }
  const NamedTensors resumed = f.weights();
  Optimiser second(resumed, options);
  second.step(gradients[0]);  // whatever it was before, it is overwritten
  load(file, everything(resumed, second.state()));
  for (int t = kSteps / 2; t < kSteps; ++t) second.step(gradients[t]);
  for (size_t i = 0; i < w.size(); ++i) CHECK(bit_difference(w[i].name, resumed[i].tensor, w[i].tensor) == "");
}

TEST_CASE_METHOD(Fixture, "an optimiser goes on from a file bit for bit") {
  check_resume<Adam>(*this, AdamOptions{.rate = 0.01});
  check_resume<Adam>(*this, AdamOptions{.rate = 0.01, .keras_form = true});
  check_resume<RmsProp>(*this, RmsPropOptions{});
  check_resume<Sgd>(*this, SgdOptions{.momentum = 0.9});
  check_resume<Sgd>(*this, SgdOptions{});
}

TEST_CASE_METHOD(Fixture, "gradients that are not the parameters' are refused by name") {
  const NamedTensors w = weights();
  Adam adam(w);
  CHECK_THROWS_WITH(adam.step(std::vector<Tensor>{w[0].tensor}),
                    ContainsSubstring("2 gradients") && ContainsSubstring("1"));
  CHECK_THROWS_WITH(adam.step(std::vector<Tensor>{w[0].tensor, w[0].tensor}),
                    ContainsSubstring("row") && ContainsSubstring("{33}") && ContainsSubstring("{3, 2, 3, 5}"));
  CHECK_THROWS_AS(Adam(NamedTensors{}), Error);
  CHECK_THROWS_AS(Ema(w, 1), Error);
}

TEST_CASE_METHOD(Fixture, "options out of range are refused by name") {
  const NamedTensors w = weights();
  const double nan = std::nan("");
  CHECK_THROWS_WITH(Adam(w, {.rate = -1}), ContainsSubstring("rate"));
  CHECK_THROWS_WITH(Adam(w, {.rate = nan}), ContainsSubstring("rate"));
  CHECK_THROWS_WITH(Adam(w, {.beta1 = 1}), ContainsSubstring("beta1"));
  CHECK_THROWS_WITH(Adam(w, {.beta2 = nan}), ContainsSubstring("beta2"));
  CHECK_THROWS_WITH(Adam(w, {.epsilon = -1e-8}), ContainsSubstring("epsilon"));
  CHECK_THROWS_WITH(Adam(w, {.weight_decay = -1}), ContainsSubstring("weight decay"));
  CHECK_THROWS_WITH(RmsProp(w, {.decay = 1}), ContainsSubstring("decay"));
  CHECK_THROWS_WITH(RmsProp(w, {.initial = -1}), ContainsSubstring("mean square"));
  CHECK_THROWS_WITH(Sgd(w, {.momentum = -0.1}), ContainsSubstring("momentum"));
  Sgd sgd(w);
  CHECK_THROWS_WITH(sgd.set_rate(-0.1), ContainsSubstring("rate"));
}

}  // namespace
}  // namespace tobogan
