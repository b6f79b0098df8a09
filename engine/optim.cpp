// Optimisers gather their parameters into one list, so that a step is one kernel over all of them.
#include "engine/optim.h"

#include <cmath>

#include "engine/autograd.h"
#include "engine/ops/elementwise.h"
#include "engine/ops/reduce.h"
#include "kernels/elementwise.h"

namespace tobogan {
namespace {

void check_at_least_0(const char* what, double value) {
  check(value >= 0 && std::isfinite(value), "expected ", what, " of at least 0, got ", value);
}
// Of the past in an average.
void check_share(const char* what, double value) {
  check(value >= 0 && value < 1, "expected ", what, " from 0 to below 1, got ", value);
}

}  // namespace

Optimizer::Optimizer(const NamedTensors& parameters, double rate) : parameters_(tensors_of(parameters)) {
  check(!parameters.empty(), "an optimizer needs at least one parameter");
  for (const NamedTensor& entry : parameters) {
    names_.push_back(entry.name);
    check_same_machine("an optimizer", parameters_[0], entry.tensor);
  }
  rate_ = Tensor({}, parameters_[0].device());
  set_rate(rate);
}

void Optimizer::set_rate(double rate) {
  check_at_least_0("a learning rate", rate);
  const Real value = static_cast<Real>(rate);
  rate_.set({&value, 1});
}

std::vector<kernels::ParameterSlot> Optimizer::slots(std::span<const Tensor> grads, const std::vector<Tensor>& first,
                                                     const std::vector<Tensor>& second) const {
  check(grads.size() == parameters_.size(), "step: expected ", parameters_.size(), " gradients, one a parameter, got ",
        grads.size());
  std::vector<kernels::ParameterSlot> slots;
  slots.reserve(grads.size());
  for (size_t i = 0; i < grads.size(); ++i) {
    check(grads[i].shape() == parameters_[i].shape(), "step: the gradient of ", names_[i], " has shape ",
          grads[i].shape(), ", the parameter ", parameters_[i].shape());
    check_same_machine("step", grads[i], parameters_[i]);
    slots.push_back({parameters_[i].data(), grads[i].data(), first.empty() ? nullptr : first[i].data(),
                     second.empty() ? nullptr : second[i].data(), parameters_[i].count()});
  }
  return slots;
}

std::vector<Tensor> Optimizer::moments(double value) const {
  std::vector<Tensor> moments;
  for (const Tensor& parameter : parameters_)
    moments.push_back(Tensor::full(parameter.shape(), value, parameter.device()));
  return moments;
}

void Optimizer::add_moments(State& state, const char* what, const std::vector<Tensor>& moments) const {
  for (size_t i = 0; i < moments.size(); ++i) state.push_back({names_[i] + "." + what, moments[i]});
}

void Optimizer::parameters_modified() const {
  for (const Tensor& parameter : parameters_) parameter.modified();
}

Adam::Adam(const NamedTensors& parameters, const AdamOptions& o)
    : Optimizer(parameters, o.rate),
      dims_{.beta1 = static_cast<Real>(o.beta1),
            .beta2 = static_cast<Real>(o.beta2),
            .epsilon = static_cast<Real>(o.epsilon),
            .weight_decay = static_cast<Real>(o.weight_decay),
            .keras_form = o.keras_form},
      first_(moments(0)),
      second_(moments(0)),
      step_(1, this->parameters()[0].device()) {
  check_share("Adam's beta1", o.beta1);
  check_share("Adam's beta2", o.beta2);
  check_at_least_0("Adam's epsilon", o.epsilon);
  check_at_least_0("a weight decay", o.weight_decay);
  step_.set(std::vector<uint64_t>{0});
}

void Adam::step(std::span<const Tensor> grads) {
  const auto all = slots(grads, first_, second_);
  dispatch(rate_.device(), [&](auto on) { kernels::adam(on, dims_, all, rate_.data(), step_.data()); });
  parameters_modified();
}

State Adam::state() const {
  State state{{"rate", rate_}, {"step", step_}};
  add_moments(state, "first_moment", first_);
  add_moments(state, "second_moment", second_);
  return state;
}

RmsProp::RmsProp(const NamedTensors& parameters, const RmsPropOptions& o)
    : Optimizer(parameters, o.rate), options_(o), square_(moments(o.initial)) {
  check_share("RMSProp's decay", o.decay);
  check_at_least_0("RMSProp's epsilon", o.epsilon);
  check_at_least_0("RMSProp's first mean square", o.initial);
  check_at_least_0("a weight decay", o.weight_decay);
}

void RmsProp::step(std::span<const Tensor> grads) {
  const auto all = slots(grads, {}, square_);
  dispatch(rate_.device(), [&](auto on) {
    kernels::rmsprop(on, static_cast<Real>(options_.decay), static_cast<Real>(options_.epsilon),
                     static_cast<Real>(options_.weight_decay), all, rate_.data());
  });
  parameters_modified();
}

State RmsProp::state() const {
  State state{{"rate", rate_}};
  add_moments(state, "mean_square", square_);
  return state;
}

Sgd::Sgd(const NamedTensors& parameters, const SgdOptions& o) : Optimizer(parameters, o.rate), options_(o) {
  check_at_least_0("a momentum", o.momentum);
  check_at_least_0("a weight decay", o.weight_decay);
  if (o.momentum != 0) velocity_ = moments(0);
}

void Sgd::step(std::span<const Tensor> grads) {
  const auto all = slots(grads, velocity_, {});
  dispatch(rate_.device(), [&](auto on) {
    kernels::sgd(on, static_cast<Real>(options_.momentum), static_cast<Real>(options_.weight_decay), all, rate_.data());
  });
  parameters_modified();
}

State Sgd::state() const {
  State state{{"rate", rate_}};
  add_moments(state, "velocity", velocity_);
  return state;
}

Ema::Ema(const NamedTensors& parameters, double decay) : parameters_(parameters), decay_(decay) {
  check_share("Ema's decay", decay);
  check(!parameters.empty(), "Ema: expected at least one parameter");
  NoGrad off;
  for (const NamedTensor& entry : parameters) averages_.push_back(entry.tensor * 1.0);
}

void Ema::update() {
  std::vector<kernels::ParameterSlot> slots;
  for (size_t i = 0; i < averages_.size(); ++i)
    slots.push_back({parameters_[i].tensor.data(), nullptr, averages_[i].data(), nullptr, averages_[i].count()});
  dispatch(averages_[0].device(), [&](auto on) { kernels::moving_average(on, static_cast<Real>(decay_), slots); });
  for (const Tensor& average : averages_) average.modified();
}

void Ema::swap() {
  NoGrad off;
  for (size_t i = 0; i < averages_.size(); ++i) {
    const Tensor kept = averages_[i] * 1.0;
    dispatch(kept.device(), [&](auto on) {
      kernels::copy(on, kept.count(), parameters_[i].tensor.data(), averages_[i].data());
      kernels::copy(on, kept.count(), kept.data(), parameters_[i].tensor.data());
    });
    averages_[i].modified();
    parameters_[i].tensor.modified();
  }
}

State Ema::state() const {
  State state;
  for (size_t i = 0; i < averages_.size(); ++i) state.push_back({parameters_[i].name + ".average", averages_[i]});
  return state;
}

std::vector<Tensor> clip_by_global_norm(std::span<const Tensor> grads, double norm) {
  check(norm > 0, "clip_by_global_norm: expected a positive norm, got ", norm);
  Tensor total;
  for (const Tensor& gradient : grads) {
    const Tensor squares = sum(square(gradient));
    total = total.defined() ? total + squares : squares;
  }
  std::vector<Tensor> clipped;
  if (!total.defined()) return clipped;
  const Tensor scale = clamp(norm * reciprocal(sqrt(total) + 1e-30), 0, 1);
  for (const Tensor& gradient : grads) clipped.push_back(gradient * scale);
  return clipped;
}

}  // namespace tobogan
