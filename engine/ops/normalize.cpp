// Forward is two fused kernels.  Backward is one more, when nobody is recording; when somebody is, the same formula in
// public operations, so that it can be differentiated again.  A test asserts that both agree.
#include "engine/ops/normalize.h"

#include "engine/autograd.h"
#include "engine/ops/elementwise.h"
#include "engine/ops/layout.h"
#include "engine/ops/reduce.h"
#include "kernels/normalize.h"

namespace tobogan {
namespace {

TallMatrix matrix_of(const Shape& shape) {
  check(shape.rank() == 2 || shape.rank() == 4,
        "batch_norm: expected a matrix {N, C} or images {N, C, H, W}, got shape ", shape);
  return tall_matrix(shape);
}

void check_channels(const char* what, const Tensor& values, const Shape& x, const Device& device) {
  if (!values.defined()) return;
  check(values.shape() == Shape{x[1]}, "batch_norm: expected ", what, " of shape ", Shape{x[1]},
        " for an input of shape ", x, ", got ", values.shape());
  check_same_machine("batch_norm", device, values.device());
}

const Real* data_or_null(const Tensor& tensor) {
  return tensor.defined() ? tensor.data() : nullptr;
}

// For the kernel that is about to change them.
kernels::RunningMoments averages_of(const RunningStatistics& running, const TallMatrix& m, const Shape& x,
                                    const Device& device) {
  if (!running.mean.defined()) return {};
  check_channels("a running mean", running.mean, x, device);
  check_channels("a running variance", running.variance, x, device);
  running.mean.modified();
  running.variance.modified();
  const double rows = static_cast<double>(m.rows);
  return {.keep = static_cast<Real>(running.keep),
          .correction = static_cast<Real>(running.unbiased && rows > 1 ? rows / (rows - 1) : 1),
          .mean = running.mean.data(),
          .variance = running.variance.data()};
}

Tensor inverse_deviation(const Tensor& variance, double epsilon) {
  Tensor scale(variance.shape(), variance.device());
  dispatch(variance.device(), [&](auto on) {
    kernels::inverse_deviation(on, variance.count(), static_cast<Real>(epsilon), variance.data(), scale.data());
  });
  return scale;
}

Tensor apply(const Tensor& x, const Tensor& mean, const Tensor& scale, const Tensor& gamma, const Tensor& beta,
             const NormalizeOptions& options) {
  const TallMatrix m = matrix_of(x.shape());
  Tensor y(x.shape(), x.device());
  dispatch(x.device(), [&](auto on) {
    kernels::normalize(on, options.activation, m.rows, m.columns, x.data(), mean.data(), scale.data(),
                       data_or_null(gamma), data_or_null(beta), y.data());
  });
  return y;
}

// The rows of a tensor {3, C}.
kernels::NormalizeFactors factors_in(const Tensor& factors) {
  const int64_t columns = factors.shape()[1];
  return {factors.data(), factors.data() + columns, factors.data() + 2 * columns};
}

// The gradients of x, gamma and beta by the fused kernels, of which somebody may have run the first already.
std::vector<Tensor> fused_grad(const Tensor& dy, const Tensor& y, const FirstStep& step,
                               const SteppedGradient* arrived) {
  const Tensor& x = step.x;
  const TallMatrix m = matrix_of(x.shape());
  Tensor dx(x.shape(), x.device());
  SteppedGradient back;
  if (arrived) {
    back = *arrived;
  } else {
    back.gradient = dx;
    const kernels::NormalizeSums sums = normalize_sums(step, back);
    dispatch(x.device(), [&](auto on) {
      kernels::normalize_grad_sums(on, step.activation, m.rows, m.columns, dy.data(), y.data(), sums, dx.data());
    });
  }
  dispatch(x.device(), [&](auto on) {
    kernels::normalize_grad_apply(on, m.rows, m.columns, back.gradient.data(), x.data(), step.mean.data(),
                                  factors_in(back.factors), dx.data());
  });
  return {dx, back.gamma, back.beta};
}

// The same from public operations, with the moments as functions of x.
std::vector<Tensor> composed_grad(const Tensor& dy, const Tensor& y, const Tensor& x, const Tensor& gamma,
                                  const NormalizeOptions& options) {
  const Shape channels = channel_shape(x.shape());
  const Tensor centred = x - mean_to(x, channels);
  const Tensor scale = reciprocal(sqrt(mean_to(square(centred), channels) + options.epsilon));
  const Tensor h = centred * scale;
  const Tensor g = activation_grad(dy, y, options.activation);
  const Tensor gh = g * h;
  const Tensor factor = gamma.defined() ? reshape(gamma, channels) * scale : scale;
  const Tensor dx = factor * (g - mean_to(g, channels) - h * mean_to(gh, channels));
  const Shape flat{x.shape()[1]};
  return {dx, reshape(sum_to(gh, channels), flat), reshape(sum_to(g, channels), flat)};
}

std::vector<Tensor> defined_of(const Tensor& x, const Tensor& gamma, const Tensor& beta) {
  std::vector<Tensor> inputs{x};
  if (gamma.defined()) inputs.push_back(gamma);
  if (beta.defined()) inputs.push_back(beta);
  return inputs;
}

// Gradients of (x, gamma, beta) to those of the inputs that there are.
std::vector<Tensor> keep_defined(std::vector<Tensor> gradients, const Tensor& gamma, bool has_beta) {
  if (!has_beta) gradients.pop_back();
  if (!gamma.defined()) gradients.erase(gradients.begin() + 1);
  return gradients;
}

}  // namespace

kernels::NormalizeSums normalize_sums(const FirstStep& step, SteppedGradient& to) {
  const Tensor& x = step.x;
  to.gamma = Tensor(step.mean.shape(), x.device());
  to.beta = Tensor(step.mean.shape(), x.device());
  to.factors = Tensor({3, x.shape()[1]}, x.device());
  return {.x = x.data(),
          .mean = step.mean.data(),
          .scale = step.scale.data(),
          .gamma = data_or_null(step.gamma),
          .dgamma = to.gamma.data(),
          .dbeta = to.beta.data(),
          .factors = factors_in(to.factors)};
}

kernels::ColumnMoments column_moments(BatchMoments& moments, const Shape& x, const Device& device) {
  const TallMatrix m = matrix_of(x);
  check(m.rows >= 1, "batch_norm: nothing to take the moments of in shape ", x);
  const Shape channels{x[1]};
  const kernels::RunningMoments running = averages_of(moments.running, m, x, device);
  moments.mean = Tensor(channels, device);
  moments.variance = Tensor(channels, device);
  moments.scale = Tensor(channels, device);
  return {.epsilon = static_cast<Real>(moments.epsilon),
          .mean = moments.mean.data(),
          .variance = moments.variance.data(),
          .scale = moments.scale.data(),
          .running = running};
}

BatchNormResult batch_norm(const Tensor& x, const Tensor& gamma, const Tensor& beta, const NormalizeOptions& options,
                           const RunningStatistics& running) {
  const TallMatrix m = matrix_of(x.shape());
  BatchMoments moments{.epsilon = options.epsilon, .running = running};
  const kernels::ColumnMoments to = column_moments(moments, x.shape(), x.device());
  dispatch(x.device(), [&](auto on) { kernels::column_moments(on, m.rows, m.columns, x.data(), to); });
  return {batch_norm(x, moments, gamma, beta, options.activation), without_rule(moments.mean, x),
          without_rule(moments.variance, x)};
}

Tensor batch_norm(const Tensor& x, const BatchMoments& moments, const Tensor& gamma, const Tensor& beta,
                  const kernels::Activation& activation) {
  check_activation("batch_norm", activation);
  check_channels("gamma", gamma, x.shape(), x.device());
  check_channels("beta", beta, x.shape(), x.device());
  const NormalizeOptions options{.epsilon = moments.epsilon, .activation = activation};
  const bool has_beta = beta.defined();
  const auto step = std::make_shared<FirstStep>(
      FirstStep{.activation = activation, .x = x, .mean = moments.mean, .scale = moments.scale, .gamma = gamma});
  const auto rule = [=](const Tensor& dy, const Tensor& y, const Wanted& wanted) {
    return keep_defined(
        recording() ? composed_grad(dy, y, x, gamma, options) : fused_grad(dy, y, *step, wanted.arrived), gamma,
        has_beta);
  };
  const Tensor y = apply(x, moments.mean, moments.scale, gamma, beta, options);
  const std::vector<Tensor> inputs = defined_of(x, gamma, beta);
  return record(y, inputs, step, -1, rule);
}

Tensor batch_norm_with(const Tensor& x, const Tensor& mean, const Tensor& variance, const Tensor& gamma,
                       const Tensor& beta, const NormalizeOptions& options) {
  matrix_of(x.shape());
  check_activation("batch_norm", options.activation);
  check_channels("a mean", mean, x.shape(), x.device());
  check_channels("a variance", variance, x.shape(), x.device());
  check_channels("gamma", gamma, x.shape(), x.device());
  check_channels("beta", beta, x.shape(), x.device());
  const Tensor scale = inverse_deviation(variance, options.epsilon), centre = mean.detach();
  const bool has_beta = beta.defined();
  std::vector<Tensor> inputs = defined_of(x, gamma, beta);
  inputs.push_back(centre);  // has no gradient, but the rule reads it: it must not have moved until then
  return record(
      apply(x, centre, scale, gamma, beta, options), inputs, [=](const Tensor& dy, const Tensor& y, const Wanted&) {
        const Shape channels = channel_shape(x.shape()), flat{x.shape()[1]};
        const Tensor s = reshape(scale, channels);
        const Tensor g = activation_grad(dy, y, options.activation);
        const Tensor dgamma = reshape(sum_to(g * (x - reshape(centre, channels)) * s, channels), flat);
        const Tensor dx = g * (gamma.defined() ? reshape(gamma, channels) * s : s);
        std::vector<Tensor> gradients = keep_defined({dx, dgamma, reshape(sum_to(g, channels), flat)}, gamma, has_beta);
        gradients.emplace_back();
        return gradients;
      });
}

}  // namespace tobogan
