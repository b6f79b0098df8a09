// Weights and projections are drawn, so that no coincidence (a sum of ones, a symmetric point) hides a wrong rule.
#include "tests/support/gradcheck.h"

#include <algorithm>
#include <cmath>

#include "datasets/random.h"
#include "engine/autograd.h"
#include "engine/ops/elementwise.h"
#include "engine/ops/reduce.h"
#include "tests/support/close.h"

namespace tobogan {
namespace {

Tensor drawn(const Shape& shape, const std::string& purpose, uint64_t item, const Device& device) {
  Draws draws(2, purpose, item);
  std::vector<Real> values(static_cast<size_t>(shape.count()));
  for (Real& value : values) value = static_cast<Real>(draws.uniform(0.5, 1.5) * (draws.chance(0.5) ? 1 : -1));
  return Tensor::from_host(shape, values, device);
}

// The inputs anew, those that are asked about as leaves.
std::vector<Tensor> fresh(const std::vector<Tensor>& at, const std::vector<int>& asked) {
  std::vector<Tensor> inputs;
  for (size_t i = 0; i < at.size(); ++i) {
    Tensor input = Tensor::from_host(at[i].shape(), at[i].to_host(), at[i].device());
    if (std::find(asked.begin(), asked.end(), static_cast<int>(i)) != asked.end()) input.require_grad();
    inputs.push_back(input);
  }
  return inputs;
}

std::vector<Tensor> pick_inputs(const std::vector<Tensor>& inputs, const std::vector<int>& asked) {
  std::vector<Tensor> picked;
  for (const int i : asked) picked.push_back(inputs[i]);
  return picked;
}

double dot(const Tensor& a, const Tensor& b) {
  const std::vector<double> x = values_of(a), y = values_of(b);
  double sum = 0;
  for (size_t i = 0; i < x.size(); ++i) sum += x[i] * y[i];
  return sum;
}

// `difference` in units of the largest derivative, but at least of 1.
std::string compare(const std::string& what, const Tensor& gradient, const std::vector<double>& numeric,
                    double tolerance) {
  double largest = 1;
  for (const double value : numeric) largest = std::max(largest, std::abs(value));
  std::vector<double> got = values_of(gradient), wanted = numeric;
  got.push_back(largest), wanted.push_back(largest);  // the unit
  return difference(what, got, wanted, tolerance);
}

// <p, gradient> of <weight, f(inputs)>, as a function of inputs whose last one is the weight.
Tensor projected_gradient(const TensorFunction& function, const std::vector<Tensor>& inputs_and_weight,
                          const std::vector<int>& asked) {
  std::vector<Tensor> inputs(inputs_and_weight.begin(), inputs_and_weight.end() - 1);
  const std::vector<Tensor> gradients =
      grad(function(inputs), pick_inputs(inputs, asked), {.create_graph = true, .seed = inputs_and_weight.back()});
  Tensor projected;
  for (size_t i = 0; i < gradients.size(); ++i) {
    const Tensor term = sum(gradients[i] * drawn(gradients[i].shape(), "projection", i, gradients[i].device()));
    projected = projected.defined() ? projected + term : term;
  }
  return projected;
}

}  // namespace

std::vector<double> central_differences(const std::function<double(const std::vector<Tensor>&)>& function,
                                        std::vector<Tensor> at, int input, double step) {
  const std::vector<Real> values = at[input].to_host();
  const Shape shape = at[input].shape();
  auto value_with = [&](size_t i, double moved) {
    std::vector<Real> changed = values;
    changed[i] = static_cast<Real>(values[i] + moved);
    Tensor tensor = Tensor::from_host(shape, changed, at[input].device());
    if (at[input].requires_grad()) tensor.require_grad();
    at[input] = tensor;
    return function(at);
  };
  std::vector<double> differences(values.size());
  for (size_t i = 0; i < values.size(); ++i) differences[i] = (value_with(i, step) - value_with(i, -step)) / (2 * step);
  return differences;
}

std::string wrong_first_derivative(const std::string& name, const TensorFunction& function,
                                   const std::vector<Tensor>& at, const std::vector<int>& asked,
                                   const GradcheckOptions& options) {
  const std::vector<Tensor> inputs = fresh(at, asked);
  const Tensor y = function(inputs);
  const Tensor weight = drawn(y.shape(), "weight", 0, y.device());
  const std::vector<Tensor> wrt = pick_inputs(inputs, asked);
  const std::vector<Tensor> composed = grad(y, wrt, {.create_graph = true, .seed = weight});
  const std::vector<Tensor> fused = grad(y, wrt, {.seed = weight});
  auto value = [&](const std::vector<Tensor>& x) { return dot(function(x), weight); };
  for (size_t i = 0; i < asked.size(); ++i) {
    const std::vector<double> numeric = central_differences(value, inputs, asked[i], options.step);
    const std::string what = name + ": first derivative by input " + std::to_string(asked[i]);
    for (const auto& [gradient, how] : {std::pair{fused[i], ""}, std::pair{composed[i], " (create_graph)"}}) {
      const std::string wrong = compare(what + how, gradient, numeric, options.tolerance);
      if (!wrong.empty()) return wrong;
    }
  }
  return "";
}

std::string wrong_second_derivative(const std::string& name, const TensorFunction& function,
                                    const std::vector<Tensor>& at, const std::vector<int>& asked,
                                    const GradcheckOptions& options) {
  std::vector<Tensor> inputs = fresh(at, asked);
  const Shape shape = function(inputs).shape();
  inputs.push_back(drawn(shape, "weight", 0, at[0].device()).require_grad());
  std::vector<int> all = asked;
  all.push_back(static_cast<int>(inputs.size()) - 1);
  const std::vector<Tensor> gradients = grad(projected_gradient(function, inputs, asked), pick_inputs(inputs, all));
  auto value = [&](const std::vector<Tensor>& x) { return double{projected_gradient(function, x, asked).item()}; };
  for (size_t i = 0; i < all.size(); ++i) {
    const std::vector<double> numeric = central_differences(value, inputs, all[i], options.step);
    const std::string by = i < asked.size() ? "input " + std::to_string(all[i]) : "the gradient of the result";
    const std::string wrong = compare(name + ": second derivative by " + by, gradients[i], numeric, options.tolerance);
    if (!wrong.empty()) return wrong;
  }
  return "";
}

}  // namespace tobogan
