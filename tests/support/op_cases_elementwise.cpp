// Rows of engine/ops/elementwise.h, activation.h, reduce.h and softmax.h.
#include <cmath>

#include "tests/support/op_cases.h"

namespace tobogan {
namespace {

using reference::Bend;
using reference::Plain;

const Plain kNone(reference::Sizes{0});

OpCase arithmetic(const std::string& name, Tensor (*run)(const Tensor&, const Tensor&), double (*f)(double, double)) {
  return {.name = name,
          .shapes = {{{3, 33}, {3, 33}},
                     {{2, 3, 1, 5}, {1, 3, 4, 1}},
                     {{3, 5}, {}},
                     {{}, {2, 3, 2, 1}},
                     {{7, 1}, {1, 3}},
                     {{33}, {1}},
                     {{}, {}}},
          .large = {{64, 128, 14, 14}, {64, 128, 14, 14}},
          .low = 0.5,
          .run = [=](const OpInputs& in) { return run(in[0], in[1]); },
          .reference = [=](const PlainInputs& in) { return pairwise(in[0], in[1], f); },
          .tolerance = {.of_each = 1},
          .asked = {0, 1},
          .refused = {{{2, 3}, {3, 2}}, {{2, 3}, {3}}, {{2, 3, 4, 5}, {2, 3, 4, 4}}}};
}

OpCase of_one(const std::string& name, std::function<Tensor(const Tensor&)> run, double (*f)(double),
              Tolerance tolerance) {
  return {.name = name,
          .shapes = {{{3, 33}}, {{1}}, {{2, 3, 3, 5}}, {{}}},
          .large = {{64, 128, 14, 14}},
          .low = -5,
          .high = 5,
          .run = [=](const OpInputs& in) { return run(in[0]); },
          .reference = [=](const PlainInputs& in) { return each(in[0], f); },
          .tolerance = tolerance};
}

// Of one tensor with positive elements.
OpCase of_positive(const std::string& name, Tensor (*run)(const Tensor&), double (*f)(double), Tolerance tolerance) {
  OpCase row = of_one(name, run, f, tolerance);
  row.low = 0.4;
  return row;
}

OpCase activation(const std::string& name, const Bend& bend, bool bias, const std::vector<Shapes>& shapes) {
  return {.name = name,
          .shapes = shapes,
          .large = bias ? Shapes{{64, 128, 14, 14}, {128}} : Shapes{{64, 128, 14, 14}},
          .run =
              [=](const OpInputs& in) {
                return activate(
                    in[0], bias ? in[1] : Tensor(),
                    {.slope = static_cast<Real>(bend.slope), .dropout = static_cast<Real>(bend.rate), .key = in.key});
              },
          .reference = [=](const PlainInputs& in) { return reference::activate(in[0], bias ? in[1] : kNone, bend); },
          .tolerance = {.of_each = 3},
          .asked = bias ? std::vector<int>{0, 1} : std::vector<int>{0},
          .refused = bias ? std::vector<Shapes>{{{2, 3}, {2}}, {{2, 3, 4, 5}, {5}}, {{2, 3}, {1, 3}}, {{3}, {3}}}
                          : std::vector<Shapes>{}};
}

std::vector<OpCase> functions() {
  return {
      of_one(
          "affine", [](const Tensor& x) { return affine(x, 1.75, -0.5); }, [](double x) { return 1.75 * x - 0.5; },
          {.of_largest = 2}),
      of_one(
          "operator+/number", [](const Tensor& x) { return 2.5 + (x + 1); }, [](double x) { return x + 3.5; },
          {.of_largest = 2}),
      of_one(
          "operator-/number", [](const Tensor& x) { return -(1.5 - (x - 0.25)); }, [](double x) { return x - 1.75; },
          {.of_largest = 2}),
      of_one(
          "operator*/number", [](const Tensor& x) { return 3 * (x * -0.5); }, [](double x) { return -1.5 * x; },
          {.of_each = 2}),
      of_one(
          "operator//number", [](const Tensor& x) { return x / 3; }, [](double x) { return x / 3; }, {.of_each = 2}),
      of_one("exp", tobogan::exp, std::exp, {.of_each = 4}),
      of_positive("log", tobogan::log, std::log, {.of_each = 4}),
      of_positive("sqrt", tobogan::sqrt, std::sqrt, {.of_each = 1}),
      of_positive("reciprocal", reciprocal, [](double x) { return 1 / x; }, {.of_each = 1}),
      of_one("square", square, [](double x) { return x * x; }, {.of_each = 1}),
      of_one("tanh", tobogan::tanh, std::tanh, {.of_each = 4}),
      of_one("sigmoid", sigmoid, [](double x) { return 1 / (1 + std::exp(-x)); }, {.of_each = 5}),
      of_one("softplus", softplus, [](double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))); },
             {.of_each = 4}),
      of_one("abs", tobogan::abs, [](double x) { return std::abs(x); }, {}),
      of_one("sign", sign, [](double x) { return x > 0   ? 1.0
                                                 : x < 0 ? -1.0
                                                         : 0.0; }, {}),
      of_one(
          "clamp", [](const Tensor& x) { return clamp(x, -1.5, 2); },
          [](double x) { return std::min(std::max(x, -1.5), 2.0); }, {}),
      of_one(
          "leaky_relu", [](const Tensor& x) { return leaky_relu(x, 0.25); },
          [](double x) { return x > 0 ? x : 0.25 * x; }, {}),
      of_one("relu", relu, [](double x) { return x > 0 ? x : 0.0; }, {}),
  };
}

std::vector<OpCase> activations() {
  OpCase dropped =
      activation("dropout", {.slope = 1, .rate = 0.375, .stream = 7}, false, {{{3, 33}}, {{2, 3, 5, 3}}, {{7}}, {{}}});
  OpCase slope = {.name = "activation_grad",
                  .shapes = {{{3, 33}, {3, 33}}, {{2, 3, 1, 5}, {2, 3, 1, 5}}, {{7}, {7}}},
                  .large = {{64, 128, 14, 14}, {64, 128, 14, 14}},
                  .run = [](const OpInputs& in) { return activation_grad(in[0], in[1], {.slope = 0.25f}); },
                  .reference =
                      [](const PlainInputs& in) {
                        return pairwise(in[0], in[1], [](double dy, double y) { return y > 0 ? dy : 0.25 * dy; });
                      },
                  .tolerance = {},
                  .refused = {{{2, 3}, {3, 2}}}};
  OpCase bias = activation("add_bias", {}, true, {{{3, 33}, {33}}, {{2, 3, 5, 3}, {3}}, {{1, 1}, {1}}});
  bias.run = [](const OpInputs& in) { return add_bias(in[0], in[1]); };
  dropped.tolerance = {.of_each = 2};
  bias.tolerance = {.of_each = 1};
  OpCase bounded = activation("activate/bias_tanh", {}, true, {{{3, 33}, {33}}, {{2, 3, 5, 3}, {3}}});
  bounded.run = [](const OpInputs& in) { return activate(in[0], in[1], {.tanh = true}); };
  bounded.reference = [](const PlainInputs& in) {
    return each(reference::activate(in[0], in[1], {}), [](double x) { return std::tanh(x); });
  };
  bounded.tolerance = {.of_each = 5};
  return {
      dropped,
      slope,
      bias,
      activation("activate/bias_leaky", {.slope = 0.2}, true, {{{3, 33}, {33}}, {{2, 3, 5, 3}, {3}}, {{1, 5}, {5}}}),
      activation("activate/bias_relu_dropout", {.slope = 0, .rate = 0.3, .stream = 7}, true,
                 {{{5, 33}, {33}}, {{3, 5, 3, 2}, {5}}}),
      bounded,
      activation("activate/leaky_dropout", {.slope = 0.3, .rate = 0.5, .stream = 7}, false,
                 {{{5, 33}}, {{3, 5, 3, 3}}}),
  };
}

// `divisor`: what a mean divides by, or 1.
OpCase reduction(const std::string& name, const std::vector<Shapes>& shapes,
                 const std::function<Shape(const Shape&)>& to, std::function<Tensor(const Tensor&)> run, bool mean) {
  return {.name = name,
          .shapes = shapes,
          .large = {{64, 128, 14, 14}},
          .run = [=](const OpInputs& in) { return run(in[0]); },
          .reference =
              [=](const PlainInputs& in) {
                reference::Sizes sizes = in[0].sizes;
                Shape shape;  // of the input, as an engine's shape
                if (sizes.size() == 1) shape = {sizes[0]};
                if (sizes.size() == 2) shape = {sizes[0], sizes[1]};
                if (sizes.size() == 4) shape = {sizes[0], sizes[1], sizes[2], sizes[3]};
                const Shape target = to(shape);
                sizes.resize(target.rank());
                for (int axis = 0; axis < target.rank(); ++axis) sizes[axis] = target[axis];
                const Plain sum = sum_to(in[0], sizes);
                const double parts = static_cast<double>(in[0].values.size()) / static_cast<double>(sum.values.size());
                return each(sum, [=](double x) { return mean ? x / parts : x; });
              },
          .tolerance = {.of_largest = 16}};
}

std::vector<OpCase> reductions() {
  const std::vector<Shapes> any = {{{3, 33}}, {{2, 3, 5, 3}}, {{7}}, {{1}}};
  const auto scalar = [](const Shape&) { return Shape{}; };
  const auto channels = [](const Shape& s) { return s.rank() == 4 ? Shape{1, s[1], 1, 1} : Shape{1, s[1]}; };
  const auto columns = [](const Shape& s) { return s.with(s.rank() - 1, 1); };
  const auto samples = [](const Shape& s) { return s.rank() == 4 ? Shape{s[0], 1, 1, 1} : Shape{s[0], 1}; };
  const std::vector<Shapes> images = {{{3, 33}}, {{2, 3, 5, 3}}, {{33, 5}}, {{1, 1, 3, 1}}};
  OpCase repeat = {.name = "broadcast_to",
                   .shapes = {{{1, 33}}, {{3, 1}}, {{1, 1}}},
                   .run =
                       [](const OpInputs& in) {
                         return broadcast_to(in[0], {3, 33});
                       },
                   .reference =
                       [](const PlainInputs& in) {
                         return broadcast_to(in[0], {3, 33});
                       },
                   .tolerance = {},
                   .refused = {{{2, 33}}, {{33, 3}}, {{33}}}};
  OpCase images_repeat = repeat;
  images_repeat.name = "broadcast_to/images";
  images_repeat.shapes = {{{1, 3, 1, 1}}, {{2, 1, 5, 3}}, {{2, 3, 1, 3}}, {{}}};
  images_repeat.run = [](const OpInputs& in) { return broadcast_to(in[0], {2, 3, 5, 3}); };
  images_repeat.reference = [](const PlainInputs& in) { return broadcast_to(in[0], {2, 3, 5, 3}); };
  images_repeat.refused = {{{2, 3, 5, 4}}};
  return {
      repeat,
      images_repeat,
      reduction(
          "sum_to/channels", images, channels, [=](const Tensor& x) { return sum_to(x, channels(x.shape())); }, false),
      reduction(
          "sum_to/columns", images, columns, [=](const Tensor& x) { return sum_to(x, columns(x.shape())); }, false),
      reduction(
          "mean_to", images, channels, [=](const Tensor& x) { return mean_to(x, channels(x.shape())); }, true),
      reduction(
          "sum", any, scalar, [](const Tensor& x) { return sum(x); }, false),
      reduction(
          "mean", any, scalar, [](const Tensor& x) { return mean(x); }, true),
      reduction(
          "sum_samples", images, samples, [](const Tensor& x) { return sum_samples(x); }, false)};
}

// As a 1 in each row: positions have no derivative.
Tensor argmax_as_numbers(const Tensor& x) {
  const Indices positions = argmax_rows(x);
  return one_hot(positions, x.shape()[1]);
}

std::vector<OpCase> rows_of_matrices() {
  const std::vector<Shapes> refused = {{{7}}, {{2, 3, 4, 5}}};
  return {{.name = "argmax_rows",
           .shapes = {{{33, 3}}, {{3, 33}}, {{5, 1}}},
           .run = [](const OpInputs& in) { return argmax_as_numbers(in[0]); },
           .reference = [](const PlainInputs& in) { return argmax_rows(in[0]); },
           .tolerance = {},
           .asked = {},
           .refused = refused},
          {.name = "log_softmax",
           .shapes = {{{5, 33}}, {{33, 3}}, {{3, 1}}},
           .large = {{4096, 10}},
           .low = -8,
           .high = 8,
           .run = [](const OpInputs& in) { return log_softmax(in[0]); },
           .reference = [](const PlainInputs& in) { return log_softmax(in[0]); },
           .tolerance = {.of_largest = 3},
           .refused = refused},
          {.name = "softmax",
           .shapes = {{{5, 33}}, {{33, 3}}, {{3, 1}}},
           .large = {{4096, 10}},
           .low = -8,
           .high = 8,
           .run = [](const OpInputs& in) { return softmax(in[0]); },
           .reference =
               [](const PlainInputs& in) { return each(log_softmax(in[0]), [](double x) { return std::exp(x); }); },
           .tolerance = {.of_each = 48},
           .refused = refused}};
}

}  // namespace

std::vector<OpCase> elementwise_cases() {
  std::vector<OpCase> rows = {
      arithmetic("operator+", operator+, [](double a, double b) { return a + b; }),
      arithmetic("operator-", operator-, [](double a, double b) { return a - b; }),
      arithmetic("operator*", operator*, [](double a, double b) { return a * b; }),
      arithmetic("operator/", operator/, [](double a, double b) { return a / b; }),
  };
  for (const auto part : {functions, activations, reductions, rows_of_matrices})
    for (OpCase& row : part()) rows.push_back(std::move(row));
  return rows;
}

}  // namespace tobogan
