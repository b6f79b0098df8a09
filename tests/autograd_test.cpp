// record() and grad(): which rules run, what may be asked twice, what is refused, and the gradient penalty, whose
// gradient is a derivative of a derivative.  Compiled in float and in double.
#include "engine/autograd.h"

#include <cmath>
#include <optional>

#include "engine/nn/layers.h"
#include "engine/nn/loss.h"
#include "engine/optim.h"
#include "tests/support/catch.h"
#include "tests/support/close.h"
#include "tests/support/devices.h"
#include "tests/support/gradcheck.h"

namespace tobogan {
namespace {

using Catch::Matchers::ContainsSubstring;

const double kClose = sizeof(Real) == 4 ? 2e-6 : 1e-13;

struct Fixture {
  Machine machine{{.threads = 1}};
  Context context{machine, 5};
  const Device& on = machine.device();

  Tensor leaf(const Shape& shape, const std::vector<Real>& values) {
    Tensor tensor = Tensor::from_host(shape, values, on);
    return tensor.require_grad();
  }
  Tensor drawn(const Shape& shape, const char* name) { return context.rng[name].normal(shape); }
};

TEST_CASE_METHOD(Fixture, "derivatives of any order: x^3 has 3 x^2, 6 x, 6 and 0") {
  const Tensor x = leaf({3}, {1, -2, 0.5});
  const Tensor y = sum(x * x * x);
  const Tensor first = grad(y, x, {.create_graph = true});
  const Tensor second = grad(sum(first), x, {.create_graph = true});
  const Tensor third = grad(sum(second), x, {.create_graph = true});
  const Tensor fourth = grad(sum(third), x);
  CHECK(first.to_host() == std::vector<Real>{3, 12, 0.75});
  CHECK(second.to_host() == std::vector<Real>{6, -12, 3});
  CHECK(third.to_host() == std::vector<Real>{6, 6, 6});
  CHECK(fourth.to_host() == std::vector<Real>{0, 0, 0});
}

// A copy of a whose rules count how often they run.
Tensor counted(const Tensor& a, const Tensor& b, int* by_a, int* by_b) {
  return record((a + b).detach(), {{a,
                                    [=](const Tensor& dy, const Tensor&) {
                                      ++*by_a;
                                      return dy;
                                    }},
                                   {b, [=](const Tensor& dy, const Tensor&) {
                                      ++*by_b;
                                      return dy;
                                    }}});
}

TEST_CASE_METHOD(Fixture, "a rule runs only on a path to what was asked about") {
  const Tensor a = leaf({2}, {1, 2}), b = leaf({2}, {3, 4}), constant = Tensor::full({2}, 5, on);
  int by_a = 0, by_b = 0;
  const Tensor y = sum(counted(a, b, &by_a, &by_b));
  CHECK(grad(y, a, {.keep_graph = true}).to_host() == std::vector<Real>{1, 1});
  CHECK((by_a == 1 && by_b == 0));
  grad(y, b, {.keep_graph = true});
  CHECK((by_a == 1 && by_b == 1));
  grad(y, std::vector<Tensor>{a, b});
  CHECK((by_a == 2 && by_b == 2));
  // An input that nobody can ask about: its rule is never run, even where the other input is wanted.
  grad(sum(counted(a, constant, &by_a, &by_b)), a);
  CHECK((by_a == 3 && by_b == 2));
  // Neither is a whole branch that leads elsewhere.
  const Tensor elsewhere =
      record(b.detach(), {{b, [](const Tensor&, const Tensor&) -> Tensor { throw Error("this rule must not run"); }}});
  CHECK(grad(sum(a * elsewhere), a).to_host() == std::vector<Real>{3, 4});
  CHECK_THROWS_WITH(grad(sum(a * elsewhere), b), ContainsSubstring("must not run"));
}

TEST_CASE_METHOD(Fixture, "a joint rule is told which gradients are wanted") {
  const Tensor a = leaf({1}, {1}), b = leaf({1}, {2}), c = leaf({1}, {3});
  std::vector<bool> told;
  auto joint = [&] {
    return record((a + b + c).detach(), {a, b, c}, [&](const Tensor& dy, const Tensor&, const Wanted& wanted) {
      told = {wanted[0], wanted[1], wanted[2]};
      std::vector<Tensor> gradients(3);
      for (int i = 0; i < 3; ++i)
        if (wanted[i]) gradients[i] = dy * (i + 1);
      return gradients;
    });
  };
  const std::vector<Tensor> gradients = grad(joint(), std::vector<Tensor>{c, a});
  CHECK(told == std::vector<bool>{true, false, true});
  CHECK(gradients[0].item() == 3);
  CHECK(gradients[1].item() == 1);
  CHECK(grad(joint(), b).item() == 2);
  CHECK(told == std::vector<bool>{false, true, false});
}

TEST_CASE_METHOD(Fixture, "a graph is used up by grad() unless it is told to keep it") {
  const Tensor x = leaf({2}, {1, 2});
  const Tensor y = sum(square(x));
  CHECK(grad(y, x, {.keep_graph = true}).to_host() == std::vector<Real>{2, 4});
  CHECK(grad(y, x, {.create_graph = true}).to_host() == std::vector<Real>{2, 4});
  CHECK(grad(y, x).to_host() == std::vector<Real>{2, 4});
  CHECK_THROWS_WITH(grad(y, x), ContainsSubstring("used up") && ContainsSubstring(".keep_graph = true"));
  // The part shared with another result is gone too, and that is said rather than answered by zeros.
  const Tensor shared = square(x);
  const Tensor one = sum(shared), two = sum(shared * 3);
  grad(one, x);
  CHECK_THROWS_WITH(grad(two, x), ContainsSubstring("used up"));
}

TEST_CASE_METHOD(Fixture, "a tensor changed between forward and grad is noticed") {
  const Tensor w = leaf({2}, {1, 2}), x = leaf({2}, {3, 4});
  Sgd sgd({{"w", w}}, {.rate = 0.5});
  const Tensor loss = sum(w * x);
  sgd.step(std::vector<Tensor>{Tensor::full({2}, 1, on)});
  CHECK_THROWS_WITH(grad(loss, x), ContainsSubstring("changed in place") && ContainsSubstring("optimiser"));
  CHECK(grad(sum(w * x), x).to_host() == std::vector<Real>{0.5, 1.5});  // a forward after the step is fine
  // Loading values is a change as well; that of a tensor which no rule met is not one.
  const Tensor again = sum(w * x);
  Tensor other = Tensor::zeros({2}, on);
  other.set(std::vector<Real>{1, 1});
  CHECK(grad(again, w, {.keep_graph = true}).to_host() == std::vector<Real>{3, 4});
  Tensor(w).set(std::vector<Real>{0, 0});
  CHECK_THROWS_WITH(grad(again, w), ContainsSubstring("changed in place"));
  // Nor does a second derivative read what has moved since the first.
  const Tensor v = leaf({2}, {3, 4});
  const Tensor slope = grad(sum(square(clamp(v, 0, 5))), v, {.create_graph = true});
  const Tensor rectified = leaky_relu(v, 0.2);
  const Tensor leaky_slope = grad(sum(square(rectified)), v, {.create_graph = true});
  Tensor(v).set(std::vector<Real>{7, 8});
  CHECK_THROWS_WITH(grad(sum(slope), v), ContainsSubstring("changed in place"));
  Tensor(rectified).set(std::vector<Real>{-1, -1});
  CHECK_THROWS_WITH(grad(sum(leaky_slope), v), ContainsSubstring("changed in place"));
}

TEST_CASE_METHOD(Fixture, "what a result does not depend on has zero gradient") {
  const Tensor x = leaf({2}, {1, 2}), unused = leaf({2, 3}, {1, 2, 3, 4, 5, 6});
  const std::vector<Tensor> gradients = grad(sum(x), std::vector<Tensor>{unused, x});
  CHECK(gradients[0].shape() == Shape{2, 3});
  CHECK(gradients[0].to_host() == std::vector<Real>(6, 0));
  CHECK(gradients[1].to_host() == std::vector<Real>{1, 1});
  CHECK(grad(sum(x.detach()), x).to_host() == std::vector<Real>{0, 0});
  CHECK(grad(sum(sign(x)), x).to_host() == std::vector<Real>{0, 0});
}

TEST_CASE_METHOD(Fixture, "asking about the result, a tensor twice, and a tensor on the way") {
  const Tensor x = leaf({2}, {1, 2});
  const Tensor hidden = square(x);
  const Tensor y = sum(hidden * hidden);
  const std::vector<Tensor> gradients = grad(y, std::vector<Tensor>{x, hidden, y, x}, {.keep_graph = true});
  CHECK(gradients[0].to_host() == std::vector<Real>{4, 32});
  CHECK(gradients[1].to_host() == std::vector<Real>{2, 8});
  CHECK(gradients[2].item() == 1);
  CHECK(gradients[3].to_host() == std::vector<Real>{4, 32});
  CHECK(grad(y, hidden, {.keep_graph = true}).to_host() == std::vector<Real>{2, 8});
  const Tensor single = leaf({}, {3});
  CHECK(grad(single, single).item() == 1);
  // The way back ends at what was asked about: what made it is neither run nor used up.
  const Tensor unkept = square(x);
  CHECK(grad(sum(unkept * unkept), unkept).to_host() == std::vector<Real>{2, 8});
  CHECK(grad(sum(unkept), x).to_host() == std::vector<Real>{2, 4});
}

TEST_CASE_METHOD(Fixture, "paths that meet again are added up") {
  const Tensor x = leaf({}, {2});
  const Tensor a = x * 3, b = x * x;
  CHECK(grad(a * b + b / a + a, x).item() == Approx(27 * 2 * 2 * 1.0 / 3 + 1.0 / 3 + 3));  // 9 x^2 + 1/3 + 3
  Tensor doubled = x;
  for (int i = 0; i < 40; ++i) doubled = doubled + doubled;  // 2^40 paths, 40 operations
  CHECK(grad(doubled, x).item() == static_cast<Real>(std::exp2(40)));
}

TEST_CASE_METHOD(Fixture, "nothing is recorded under NoGrad, and recording comes back") {
  const Tensor x = leaf({2}, {1, 2});
  {
    NoGrad off;
    CHECK_FALSE(recording());
    CHECK_FALSE(square(x).requires_grad());
    { NoGrad inner; }
    CHECK_FALSE(recording());
  }
  CHECK(recording());
  CHECK(square(x).requires_grad());
  CHECK_FALSE(square(x.detach()).requires_grad());
  CHECK_FALSE(grad(sum(square(x)), x).requires_grad());
  CHECK(grad(sum(square(x)), x, {.create_graph = true}).requires_grad());
  const Tensor failing = record(x.detach(), {{x, [](const Tensor&, const Tensor&) -> Tensor { throw Error("no"); }}});
  CHECK_THROWS_AS(grad(sum(failing), x), Error);
  CHECK(recording());
}

// A wrong answer of zeros would train on for hours.
TEST_CASE_METHOD(Fixture, "what was made while nobody was recording has no derivative, and grad() says so") {
  const Tensor x = leaf({2}, {1, 2});
  std::optional<NoGrad> off(std::in_place);
  const Tensor y = square(x);
  off.reset();
  CHECK_THROWS_WITH(grad(sum(y), x), ContainsSubstring("nobody was recording"));
  const Tensor slope = grad(sum(x * x * x), x);  // without create_graph
  CHECK_THROWS_WITH(grad(sum(slope), x), ContainsSubstring(".create_graph = true"));
  // Where a rule's own kernels made the gradient, and where the forward pass has results without a rule.
  const Tensor images = drawn({4, 3}, "images").require_grad(), logits = drawn({4, 1}, "logits").require_grad();
  const BatchNormResult normalized = batch_norm(images, {}, {});
  const GanLosses losses = gan_losses(logits);
  for (const auto& [made, from] : std::vector<std::pair<Tensor, Tensor>>{
           {grad(sum(tanh(x)), x), x},
           {grad(sum(activate(images, drawn({3}, "bias"), {.slope = 0.2})), images), images},
           {grad(sum(square(normalized.y)), images), images},
           {grad(bce_with_logits(logits, 1), logits), logits},
           {grad(losses.discriminator, logits), logits},
           {normalized.mean, images},
           {normalized.variance, images},
           {losses.generator, logits},
           {losses.fake_scale, logits},
       })
    CHECK_THROWS_WITH(grad(sum(made), from), ContainsSubstring("nobody was recording"));
  // Made from nothing that was asked about, or cut off on purpose: constants.
  CHECK(grad(sum(y.detach()), x).to_host() == std::vector<Real>{0, 0});
  CHECK(grad(sum(y * x), x).to_host() == std::vector<Real>{1, 4});
}

TEST_CASE_METHOD(Fixture, "who asks about a tensor that nobody marked hears of it") {
  const Tensor x = leaf({2}, {1, 2}), constant = Tensor::full({2}, 3, on);
  CHECK_THROWS_WITH(grad(sum(x * constant), constant), ContainsSubstring("require_grad()") && ContainsSubstring("{2}"));
  const Tensor one = Tensor::full({}, 1, on);
  CHECK(grad(one, one).item() == 1);  // by itself
}

TEST_CASE_METHOD(Fixture, "a rule for all inputs returns a gradient for each, and there are not too many") {
  const Tensor a = leaf({}, {1}), b = leaf({}, {2});
  const JointRule one = [](const Tensor& dy, const Tensor&, const Wanted&) { return std::vector<Tensor>{dy}; };
  CHECK_THROWS_WITH(grad(record((a + b).detach(), {a, b}, one), b),
                    ContainsSubstring("2 inputs") && ContainsSubstring("1 gradients"));
  CHECK_THROWS_WITH(record(a.detach(), std::vector<Tensor>(33, a), one), ContainsSubstring("33"));
  std::vector<Tensor> parts(40, reshape(a, {1}));  // with a rule each there may be any number
  CHECK(grad(sum(concat(parts, 0)), a).item() == 40);
}

TEST_CASE_METHOD(Fixture, "running statistics that move between forward and grad are noticed") {
  const Tensor x = drawn({4, 3}, "x").require_grad(), gamma = drawn({3}, "gamma").require_grad();
  const Tensor mean = Tensor::zeros({3}, on), variance = Tensor::full({3}, 1, on);
  const Tensor used = batch_norm_with(x, mean, variance, gamma, {});
  batch_norm(x, gamma, {}, {}, {.mean = mean, .variance = variance});
  CHECK_THROWS_WITH(grad(sum(used), gamma), ContainsSubstring("changed in place"));
  // The mean is a constant to this operation, also where it was made of what is asked about.
  const Tensor shift = drawn({3}, "shift").require_grad();
  const Tensor moved = batch_norm_with(x, shift * 2, variance, gamma, {});
  const std::vector<Tensor> slopes = grad(sum(square(moved)), std::vector<Tensor>{shift, gamma});
  CHECK(slopes[0].to_host() == std::vector<Real>{0, 0, 0});
  CHECK(slopes[1].to_host() != std::vector<Real>{0, 0, 0});
  CHECK_THROWS_WITH(batch_norm(x, gamma, {}, {.activation = {.slope = 2}}), ContainsSubstring("slope"));
  CHECK_THROWS_WITH(batch_norm_with(x, mean, variance, gamma, {}, {.activation = {.dropout = 1}}),
                    ContainsSubstring("dropout"));
}

TEST_CASE_METHOD(Fixture, "a seed is the gradient of the result") {
  const Tensor x = leaf({3}, {1, 2, 3});
  const Tensor y = square(x);
  const Tensor seed = Tensor::from_host({3}, std::vector<Real>{1, 0, -2}, on);
  CHECK(grad(y, x, {.keep_graph = true, .seed = seed}).to_host() == std::vector<Real>{2, 0, -12});
  CHECK_THROWS_WITH(grad(y, x), ContainsSubstring("scalar") && ContainsSubstring("{3}"));
  CHECK_THROWS_WITH(grad(y, x, {.seed = Tensor::zeros({2}, on)}), ContainsSubstring("{2}") && ContainsSubstring("{3}"));
}

TEST_CASE_METHOD(Fixture, "a rule that returns the wrong shape is named") {
  const Tensor x = leaf({3}, {1, 2, 3});
  const Tensor wrong = record(x.detach(), {{x, [](const Tensor& dy, const Tensor&) { return slice(dy, 0, 0, 2); }}});
  CHECK_THROWS_WITH(grad(sum(wrong), x), ContainsSubstring("{2}") && ContainsSubstring("{3}"));
  const Tensor nothing = record(x.detach(), {{x, [](const Tensor&, const Tensor&) { return Tensor(); }}});
  CHECK_THROWS_WITH(grad(sum(nothing), x), ContainsSubstring("nothing"));
  CHECK_THROWS_WITH(square(x).require_grad(), ContainsSubstring("detach()"));
}

TEST_CASE_METHOD(Fixture, "chains of 200,000 operations neither overflow the stack nor take quadratic time") {
  constexpr int kLength = 200000;
  const Tensor x = leaf({}, {0.5});
  auto chain = [&] {
    Tensor y = x;
    for (int i = 0; i < kLength / 4; ++i) y = clamp(sqrt(y * y), -1, 1) + 0.0;
    return y;
  };
  { const Tensor forgotten = chain(); }
  CHECK(grad(chain(), x).item() == Approx(1));
  Tensor first = grad(chain(), x, {.create_graph = true});
  CHECK(first.item() == Approx(1));
  first = {};  // the graph of the gradient goes, and with it the chain that its rules held
  CHECK(machine.bytes_in_use() < 100000);
}

TEST_CASE_METHOD(Fixture, "the graph's memory is freed as the rules are run") {
  const Tensor x = drawn({256, 256}, "x").require_grad();
  const size_t before = machine.bytes_in_use();
  const Tensor y = sum(tanh(tanh(tanh(tanh(tanh(x))))));
  const size_t forward = machine.bytes_in_use();
  CHECK(forward - before >= 5 * 256 * 256 * sizeof(Real));
  {
    const Tensor gradient = grad(y, x);
    CHECK(machine.bytes_in_use() - before <= 256 * 256 * sizeof(Real) + 4096);  // x's gradient and y are left
  }
  CHECK(machine.bytes_in_use() - before <= 4096);
}

// Batch norm has two backward paths: a fused kernel, and operations that can be differentiated again.
TEST_CASE_METHOD(Fixture, "fused and composed gradients of batch norm agree") {
  for (const Shape& shape : {Shape{9, 5}, Shape{4, 5, 3, 2}}) {
    const Tensor x = drawn(shape, "x").require_grad(), gamma = drawn({5}, "gamma").require_grad(),
                 beta = drawn({5}, "beta").require_grad(), seed = drawn(shape, "seed");
    Counter step(1, on);
    step.set(std::vector<uint64_t>{0});
    const kernels::Activation how{
        .slope = static_cast<Real>(0.2), .dropout = static_cast<Real>(0.3), .key = {.stream = 3, .step = step.data()}};
    const Tensor y = batch_norm(x, gamma, beta, {.epsilon = 1e-3, .activation = how}).y;
    const std::vector<Tensor> wrt{x, gamma, beta};
    const std::vector<Tensor> composed = grad(y, wrt, {.create_graph = true, .seed = seed});
    const std::vector<Tensor> fused = grad(y, wrt, {.seed = seed});
    for (int i = 0; i < 3; ++i) {
      CHECK(composed[i].requires_grad() == (i < 2));  // beta's is a sum: flat
      CHECK_FALSE(fused[i].requires_grad());
      CHECK(difference("batch_norm", values_of(fused[i]), values_of(composed[i]), 3 * kClose) == "");
    }
  }
}

// A small network of every operation with a first step that a convolution behind it can take: bias and activation,
// batch norm, an activation alone.  `twice`: a tensor in the middle has two users, so that nobody may take its step.
struct SteppedNetwork {
  Context& context;
  int maps;
  bool twice;
  Counter step{1, context.device};
  Tensor x = drawn({3, 2, 9, 8}, "x"), w1 = drawn({maps, 2, 3, 3}, "w1"), b1 = drawn({maps}, "b1");
  Tensor w2 = drawn({maps, maps, 3, 3}, "w2"), gamma = drawn({maps}, "gamma"), beta = drawn({maps}, "beta");
  Tensor w3 = drawn({maps, maps, 4, 4}, "w3"), w4 = drawn({1, maps, 3, 3}, "w4"), b4 = drawn({1}, "b4");

  SteppedNetwork(Context& context, int maps, bool twice) : context(context), maps(maps), twice(twice) {
    step.set(std::vector<uint64_t>{0});
  }
  std::vector<Tensor> leaves() const { return {x, w1, b1, w2, gamma, beta, w3, w4, b4}; }
  Tensor operator()() const {
    const kernels::Activation bent{.slope = static_cast<Real>(0.3)};
    const kernels::Activation dropped{
        .slope = static_cast<Real>(0.2), .dropout = static_cast<Real>(0.3), .key = {.stream = 3, .step = step.data()}};
    const Tensor h1 = conv2d(x, w1, b1, dropped, {.padding = 1});
    BatchMoments moments{.epsilon = 1e-3};
    const Tensor h2 = conv2d(h1, w2, {}, {}, {.stride = 2}, &moments);
    const Tensor h3 = batch_norm(h2, moments, gamma, beta, bent);
    const Tensor h4 = leaky_relu(conv_transpose2d(h3, w3, {.stride = 2, .padding = 1}), 0.1);
    const Tensor y = conv2d(h4, w4, b4, bent);
    return sum(square(y)) + (twice ? sum(h3 * h3) + sum(h1) : sum(y));
  }

 private:
  Tensor drawn(const Shape& shape, const std::string& name) const {
    return context.rng[name].uniform(shape, -1, 1).require_grad();
  }
};

TEST_CASE("gradients are the same whether convolutions take the first steps of others or not") {
  Machine machine({.device = GENERATE(from_range(devices())), .threads = 2});
  for (const int maps : {5, 8}) {
    for (const bool twice : {false, true}) {
      Context context(machine, 1);
      const SteppedNetwork network(context, maps, twice);
      const std::vector<Tensor> composed = grad(network(), network.leaves(), {.create_graph = true});
      const std::vector<Tensor> stepped = grad(network(), network.leaves());
      for (size_t i = 0; i < composed.size(); ++i) {
        INFO(maps << " maps, leaf " << i << ", twice " << twice);
        CHECK(difference("gradient", values_of(stepped[i]), values_of(composed[i]), 64 * kClose) == "");
      }
    }
  }
}

// D(x) = w . x has the slope w everywhere.
TEST_CASE_METHOD(Fixture, "the gradient penalty of a linear critic is (|w| - 1)^2, its gradient 2 (|w| - 1) w / |w|") {
  const Tensor real = drawn({7, 2, 3, 3}, "real"), fake = drawn({7, 2, 3, 3}, "fake");
  const Tensor u = context.rng["u"].uniform({7, 1, 1, 1});
  const Tensor w = drawn({1, 18}, "w").require_grad();
  const Tensor penalty = 10 * gradient_penalty([&](const Tensor& x) { return linear(flatten(x), w); }, real, fake, u);
  double norm = 0;
  for (const double value : values_of(w)) norm += value * value;
  norm = std::sqrt(norm);
  std::vector<double> wanted = values_of(w);
  for (double& value : wanted) value *= 20 * (norm - 1) / norm;
  CHECK(penalty.item() ==
        Approx(10 * (norm - 1) * (norm - 1)).epsilon(std::max(kClose, 1e-11)));  // 1e-12 is under the root
  CHECK(difference("gradient of the penalty", values_of(grad(penalty, w)), wanted, std::max(kClose, 1e-11)) == "");
  NoGrad off;
  const auto critic = [&](const Tensor& x) { return linear(flatten(x), w); };
  CHECK_THROWS_WITH(gradient_penalty(critic, real, fake, u), ContainsSubstring("NoGrad"));
}

#ifdef TOBOGAN_DOUBLE
// Critics with kinks and without: their penalty against differences, relative error below 1e-6.
TEST_CASE_METHOD(Fixture, "the penalty of nonlinear critics has the gradient that central differences have") {
  const Tensor real = drawn({3, 2, 6, 5}, "real"), fake = drawn({3, 2, 6, 5}, "fake");
  const Tensor u = context.rng["u"].uniform({3, 1, 1, 1});
  auto scaled = [&](const Shape& shape, const char* name) { return 0.3 * drawn(shape, name); };
  auto penalty_of = [&](const std::function<Tensor(const Tensor&, const std::vector<Tensor>&)>& critic) {
    return [=](const std::vector<Tensor>& weights) {
      return gradient_penalty([&](const Tensor& x) { return critic(x, weights); }, real, fake, u);
    };
  };
  const auto dense = penalty_of([](const Tensor& x, const std::vector<Tensor>& w) {
    return linear(activate(linear(flatten(x), w[0]), w[1], {.slope = 0.2}), w[2]);
  });
  CHECK(wrong_first_derivative("two dense layers", dense,
                               {scaled({9, 60}, "w0"), scaled({9}, "w1"), scaled({1, 9}, "w2")}, {0, 1, 2}) == "");
  const auto convolution = penalty_of([](const Tensor& x, const std::vector<Tensor>& w) {
    const Tensor a = activate(conv2d(x, w[0], {.stride = 2, .padding = Padding::same()}), w[1], {.slope = 0.2});
    const Tensor b = tanh(conv2d(a, w[2], {.padding = 1}));
    return flatten(conv2d(b, w[3]));
  });
  CHECK(wrong_first_derivative(
            "convolutions", convolution,
            {scaled({4, 2, 5, 5}, "c0"), scaled({4}, "c1"), scaled({3, 4, 3, 3}, "c2"), scaled({1, 3, 3, 3}, "c3")},
            {0, 1, 2, 3}) == "");
}
#endif

}  // namespace
}  // namespace tobogan
