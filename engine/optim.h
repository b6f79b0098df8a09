// Optimisers.  Step number and learning rate live in device memory, so a captured step goes on counting, and they and
// the moments are named state for checkpoints.  Options out of range throw Error.
//
//   Adam adam(generator.named_parameters(), {.rate = 2e-4, .beta1 = 0.5});
//   adam.step(grad(loss, adam.parameters()));
#pragma once
#include "engine/nn/module.h"
#include "kernels/optimizer.h"

namespace tobogan {

// What all optimisers share: parameters with names, and a learning rate in device memory.
class Optimizer {
 public:
  const std::vector<Tensor>& parameters() const { return parameters_; }
  // Learning rate of the steps to come.
  void set_rate(double rate);

 protected:
  // REQUIRES: at least one parameter.
  Optimizer(const NamedTensors& parameters, double rate);
  // Checks that there is one gradient a parameter, of its shape; pairs them up with the moments (empty: none).
  std::vector<kernels::ParameterSlot> slots(std::span<const Tensor> grads, const std::vector<Tensor>& first,
                                            const std::vector<Tensor>& second) const;
  // A tensor for each parameter, filled with a value.
  std::vector<Tensor> moments(double value) const;
  void add_moments(State& state, const char* what, const std::vector<Tensor>& moments) const;
  void parameters_modified() const;

  Tensor rate_;  // {}

 private:
  std::vector<std::string> names_;
  std::vector<Tensor> parameters_;
};

struct AdamOptions {
  double rate = 1e-3;
  double beta1 = 0.9, beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0;  // times the parameter is added to its gradient (L2; not AdamW's decoupled decay)
  bool keras_form = false;  // see kernels/optimizer.h; tf.keras has epsilon 1e-7
};

class Adam : public Optimizer {
 public:
  explicit Adam(const NamedTensors& parameters, const AdamOptions& options = {});
  void step(std::span<const Tensor> grads);
  State state() const;

 private:
  kernels::AdamDims dims_;
  std::vector<Tensor> first_, second_;
  Counter step_;
};

struct RmsPropOptions {
  double rate = 1e-3;
  double decay = 0.9, epsilon = 1e-10;
  double initial = 1;  // of the mean square, as in TensorFlow 1
  double weight_decay = 0;
};

class RmsProp : public Optimizer {
 public:
  explicit RmsProp(const NamedTensors& parameters, const RmsPropOptions& options = {});
  void step(std::span<const Tensor> grads);
  State state() const;

 private:
  RmsPropOptions options_;
  std::vector<Tensor> square_;
};

struct SgdOptions {
  double rate = 1e-2;
  double momentum = 0;
  double weight_decay = 0;
};

class Sgd : public Optimizer {
 public:
  explicit Sgd(const NamedTensors& parameters, const SgdOptions& options = {});
  void step(std::span<const Tensor> grads);
  State state() const;

 private:
  SgdOptions options_;
  std::vector<Tensor> velocity_;
};

// An exponential moving average of parameters, for sampling.
class Ema {
 public:
  explicit Ema(const NamedTensors& parameters, double decay = 0.999);
  void update();
  // Exchanges averages and parameters; twice is nothing.
  void swap();
  State state() const;

 private:
  NamedTensors parameters_;
  std::vector<Tensor> averages_;
  double decay_;
};

// The gradients scaled down together so that their joint norm is at most `norm`.
std::vector<Tensor> clip_by_global_norm(std::span<const Tensor> grads, double norm);

}  // namespace tobogan
