// Reverse mode in three parts: find the operations between y and what was asked about, run their rules from the last to
// the first, free what they held on the way.
#include "engine/autograd.h"

#include <optional>
#include <unordered_map>

#include "engine/ops/elementwise.h"

namespace tobogan {
namespace {

thread_local bool is_recording = true;

using History = Tensor::History;

Tensor remember(Tensor y, History::Edges edges) {
  bool asked = false;
  for (const Tensor& input : edges.inputs) {
    asked |= input.requires_grad();
    y.node()->forgotten |= input.node()->forgotten;
  }
  if (!asked) return y;
  edges.versions.reserve(edges.inputs.size());
  for (const Tensor& input : edges.inputs) edges.versions.push_back(input.node()->storage->version());
  auto history = std::make_unique<History>();
  history->edges = std::move(edges);
  history->version = y.node()->storage->version();
  y.node()->history = std::move(history);
  return y;
}

// What would have been remembered is marked, so that who asks for its derivative by mistake hears of it.
void forget(const Tensor& y, const Tensor& input) {
  y.node()->forgotten |= input.requires_grad() || input.node()->forgotten;
}

// What is known about one tensor of the graph.
struct Visit {
  bool target = false;   // asked about
  bool reached = false;  // a target is at or below it
  int uses = 0;          // how many gradients will be added up
  Tensor gradient;
  std::shared_ptr<const SteppedGradient> stepped;
};
using Visits = std::unordered_map<const Tensor::Node*, Visit>;

// The operations on a path from y to a target, inputs before results.
std::vector<Tensor> operations_between(const Tensor& y, Visits& visits) {
  struct Frame {
    Tensor tensor;
    size_t next_input;
  };
  std::vector<Tensor> order;
  std::vector<Frame> stack{{y, 0}};
  visits.try_emplace(y.node());
  while (!stack.empty()) {
    Frame& frame = stack.back();
    const History* history = frame.tensor.node()->history.get();
    if (history && frame.next_input < history->edges.inputs.size()) {
      const Tensor& input = history->edges.inputs[frame.next_input++];
      if (!input.requires_grad()) continue;
      const auto [visit, fresh] = visits.try_emplace(input.node());
      if (fresh || (visit->second.target && !visit->second.reached)) {
        visit->second.reached = visit->second.target;
        stack.push_back({input, 0});
      }
      continue;
    }
    Visit& visit = visits[frame.tensor.node()];
    bool passed_on = false;  // down to a target
    if (history) {
      check(!history->used_up, "grad: an earlier grad() has used up the graph behind a tensor of shape ",
            frame.tensor.shape(), "; give that call {.keep_graph = true}");
      for (const Tensor& input : history->edges.inputs) {
        const auto below = visits.find(input.node());
        if (below == visits.end() || !below->second.reached) continue;
        passed_on = true;
        ++below->second.uses;
      }
      if (passed_on) order.push_back(frame.tensor);
    }
    visit.reached = passed_on || visit.target;
    stack.pop_back();
  }
  return order;
}

void check_unchanged(const Tensor& y, const History& history) {
  bool unchanged = history.version == y.node()->storage->version();
  for (size_t i = 0; i < history.edges.inputs.size(); ++i)
    unchanged &= history.edges.versions[i] == history.edges.inputs[i].node()->storage->version();
  check(unchanged, "grad: a tensor that made the result of shape ", y.shape(),
        " was changed in place after it was used (did an optimiser step between forward and grad?)");
}

void add_gradient(Visit& visit, Tensor gradient, const Tensor& of) {
  check(gradient.defined() && gradient.shape() == of.shape(), "grad: a rule returned ",
        gradient.defined() ? concat_text("shape ", gradient.shape()) : "nothing", " for an input of shape ",
        of.shape());
  visit.gradient = visit.gradient.defined() ? visit.gradient + gradient : std::move(gradient);
}

// Lets the rule take the first step of the operation that made input 0.
void offer_step(const Tensor& input, Visit& visit, const Visits& visits, Wanted& wanted) {
  const History* history = input.node()->history.get();
  if (!history || !history->edges.first_step || visit.uses != 1 || visit.target || recording()) return;
  const History::Edges& edges = history->edges;
  wanted.step = edges.first_step.get();
  wanted.stepped = &visit.stepped;
  if (edges.bias < 0) return;
  const auto bias = visits.find(edges.inputs[edges.bias].node());
  wanted.step_bias = bias != visits.end() && bias->second.reached;
}

// Runs the rules of one operation for the inputs on a path.
void propagate(const Tensor& y, const Visit& of_y, Visits& visits) {
  const Tensor& dy = of_y.gradient;
  const History::Edges& edges = y.node()->history->edges;
  auto visit_of = [&](size_t i) -> Visit* {
    const auto found = visits.find(edges.inputs[i].node());
    return found != visits.end() && found->second.reached ? &found->second : nullptr;
  };
  if (edges.joint) {
    Wanted wanted;
    for (size_t i = 0; i < edges.inputs.size(); ++i)
      if (visit_of(i)) wanted.add(static_cast<int>(i));
    wanted.arrived = of_y.stepped.get();
    if (Visit* visit = visit_of(0)) offer_step(edges.inputs[0], *visit, visits, wanted);
    std::vector<Tensor> gradients = edges.joint(dy, y, wanted);
    check(gradients.size() >= edges.inputs.size(), "grad: a rule for ", edges.inputs.size(), " inputs returned ",
          gradients.size(), " gradients");
    for (size_t i = 0; i < edges.inputs.size(); ++i)
      if (Visit* visit = visit_of(i)) add_gradient(*visit, std::move(gradients[i]), edges.inputs[i]);
  } else {
    for (size_t i = 0; i < edges.inputs.size(); ++i)
      if (Visit* visit = visit_of(i)) add_gradient(*visit, edges.rules[i](dy, y), edges.inputs[i]);
  }
}

}  // namespace

bool recording() {
  return is_recording;
}
NoGrad::NoGrad() : previous_(is_recording) {
  is_recording = false;
}
NoGrad::~NoGrad() {
  is_recording = previous_;
}

Tensor without_rule(Tensor y, const Tensor& x) {
  forget(y, x);
  return y;
}

Tensor record(Tensor y, std::vector<Edge> edges) {
  if (!is_recording) {
    for (const Edge& edge : edges) forget(y, edge.input);
    return y;
  }
  History::Edges all;
  all.inputs.reserve(edges.size());
  all.rules.reserve(edges.size());
  for (Edge& edge : edges) {
    all.inputs.push_back(std::move(edge.input));
    all.rules.push_back(std::move(edge.rule));
  }
  return remember(std::move(y), std::move(all));
}

Tensor record(Tensor y, std::vector<Tensor> inputs, JointRule rule) {
  return record(std::move(y), std::move(inputs), nullptr, -1, std::move(rule));
}

Tensor record(Tensor y, std::vector<Tensor> inputs, std::shared_ptr<const FirstStep> first_step, int bias,
              JointRule rule) {
  if (!is_recording) {
    for (const Tensor& input : inputs) forget(y, input);
    return y;
  }
  check(inputs.size() <= Wanted::kMost, "record: a rule for all inputs takes at most ", Wanted::kMost, " of them, got ",
        inputs.size());
  History::Edges edges;
  edges.inputs = std::move(inputs);
  edges.joint = std::move(rule);
  edges.first_step = std::move(first_step);
  edges.bias = bias;
  return remember(std::move(y), std::move(edges));
}

std::vector<Tensor> grad(const Tensor& y, std::span<const Tensor> wrt, const GradOptions& options) {
  check(options.seed.defined() || y.count() == 1, "grad: expected a scalar to differentiate, got shape ", y.shape());
  check(!options.seed.defined() || options.seed.shape() == y.shape(), "grad: a seed of shape ",
        options.seed.defined() ? options.seed.shape() : Shape{}, " for a result of shape ", y.shape());
  check(y.requires_grad() || !y.node()->forgotten, "grad: the result of shape ", y.shape(),
        " was made while nobody was recording (under NoGrad, or by a grad() without {.create_graph = true})");
  Visits visits;
  for (const Tensor& w : wrt) {
    check(w.requires_grad() || w.node() == y.node(), "grad: nothing was recorded of a tensor of shape ", w.shape(),
          " that is asked about; require_grad() it before it is used");
    visits[w.node()].target = true;
  }
  std::vector<Tensor> order = operations_between(y, visits);

  std::optional<NoGrad> off;
  if (!options.create_graph) off.emplace();
  visits[y.node()].gradient = options.seed.defined() ? options.seed : Tensor::one(y.shape(), y.device());
  for (; !order.empty(); order.pop_back()) {
    const Tensor result = std::move(order.back());
    History& history = *result.node()->history;
    Visit& visit = visits[result.node()];
    check_unchanged(result, history);
    propagate(result, visit, visits);
    visit.stepped.reset();
    if (!visit.target) visit.gradient = {};
    if (!options.create_graph && !options.keep_graph) {
      history.edges = {};
      history.used_up = true;
    }
  }

  std::vector<Tensor> gradients;
  gradients.reserve(wrt.size());
  for (const Tensor& w : wrt) {
    Tensor gradient = visits[w.node()].gradient;
    if (!gradient.defined()) {
      gradient = Tensor::zeros(w.shape(), w.device());
    } else if (!recording() && w.node() != y.node()) {
      gradient = gradient.detach();  // a rule may have returned a tensor that others hold: it is not to be marked
      gradient.node()->forgotten = true;
    }
    gradients.push_back(std::move(gradient));
  }
  return gradients;
}

Tensor grad(const Tensor& y, const Tensor& wrt, const GradOptions& options) {
  return grad(y, std::span<const Tensor>(&wrt, 1), options)[0];
}

}  // namespace tobogan
