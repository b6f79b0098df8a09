// Record and grad: derivatives of any order from one table of rules.
//
// An operation computes its result y and calls record(y, ...), naming for each input how a gradient dy of y becomes a
// gradient of that input.  The rule is written in public operations, so it is recorded and can be differentiated again.
// Gradients are returned, never stored: there is nothing to zero and nothing to detach, and a rule runs only where its
// edge lies on a path to a tensor that was asked about.
#pragma once
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "engine/tensor.h"

namespace tobogan {

// Whether operations are remembered now (thread-local; true by default).
bool recording();

// Nothing is remembered while it lives: sampling, evaluation.
class NoGrad {
 public:
  NoGrad();
  ~NoGrad();
  NoGrad(const NoGrad&) = delete;
  NoGrad& operator=(const NoGrad&) = delete;

 private:
  bool previous_;
};

// The gradient of one input, given that of the result.  y is the result itself: a rule must take it from here (tanh's
// is dy * (1 - y * y)), since a rule that held its own result would keep it alive for ever.
using Rule = std::function<Tensor(const Tensor& dy, const Tensor& y)>;

struct Edge {
  Tensor input;
  Rule rule;
};

// The first step of an operation's way back, which the rule that makes the gradient of its result may take (only
// convolutions do), and what comes of it: engine/ops/first_step.h.  Handed on here unseen.
struct FirstStep;
struct SteppedGradient;

// Which inputs of an operation a gradient is wanted for.
class Wanted {
 public:
  static constexpr size_t kMost = 32;

  bool operator[](int input) const { return mask_ >> input & 1; }
  void add(int input) { mask_ |= 1u << input; }

  // Not null: dy has this operation's own first step behind it.
  const SteppedGradient* arrived = nullptr;
  // Not null: nobody else adds to the gradient of input 0 or looks at it, and this is the first step of the operation
  // that made it.  A rule that takes it leaves what comes of it in *stepped, and returns the gradient as well.
  const FirstStep* step = nullptr;
  bool step_bias = false;  // that operation's bias wants its gradient
  std::shared_ptr<const SteppedGradient>* stepped = nullptr;

 private:
  uint32_t mask_ = 0;
};

// The gradients of all inputs at once, for operations whose gradients share work (batch norm); Wanted::kMost at most.
// Entries of inputs that are not wanted may be left undefined, and those behind the last input are not looked at.
using JointRule = std::function<std::vector<Tensor>(const Tensor& dy, const Tensor& y, const Wanted& wanted)>;

// Remembers how y was made if somebody is recording and some input may be asked about.  Returns y.
Tensor record(Tensor y, std::vector<Edge> edges);
Tensor record(Tensor y, std::vector<Tensor> inputs, JointRule rule);
// For a rule that looks at `wanted.arrived`.  bias: which input is a bias that gets its gradient in the first step; -1:
// none.
Tensor record(Tensor y, std::vector<Tensor> inputs, std::shared_ptr<const FirstStep> first_step, int bias,
              JointRule rule);

// y, made of x by arithmetic that has no rule: unless it is detached, grad() refuses to differentiate it.
Tensor without_rule(Tensor y, const Tensor& x);

struct GradOptions {
  bool create_graph = false;  // the gradients can be differentiated again (and y's graph is kept)
  bool keep_graph = false;    // y's graph is kept for another grad(); otherwise its memory is freed on the way
  Tensor seed = {};           // the gradient of y itself; 1 if not given
};

// dy/dw for each w of wrt, zeros where y does not depend on w.
// Throws Error where y is not a scalar and no seed is given, where nothing of y was recorded although it was made from
// tensors that were (by an earlier grad() without create_graph, say), where nobody marked a w with require_grad(),
// where an earlier grad() has used up the graph, and where a tensor that a rule reads was changed in place since (an
// optimiser stepped between forward and backward).
std::vector<Tensor> grad(const Tensor& y, std::span<const Tensor> wrt, const GradOptions& options = {});
Tensor grad(const Tensor& y, const Tensor& wrt, const GradOptions& options = {});

// How a tensor was made.
struct Tensor::History {
  struct Edges {
    std::vector<Tensor> inputs;
    std::vector<uint32_t> versions;               // of the inputs' memory when they were read
    std::vector<Rule> rules;                      // one an input, or
    JointRule joint;                              // one for all
    std::shared_ptr<const FirstStep> first_step;  // which others may take; null: none
    int bias = -1;
    void clear_rules() {
      rules.clear();
      joint = nullptr;
      first_step = nullptr;
    }
  } edges;
  uint32_t version = 0;  // of the result's memory
  bool used_up = false;  // a grad() has freed the edges
};

}  // namespace tobogan
