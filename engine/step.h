// A training step: what is done over and over.
//
//   Step step(context, [&] { adam.step(grad(loss_of(data.next()), adam.parameters())); });
//   while (...) step();
//
// Each call advances the random numbers of the context first.  On the CPU it runs the body.  On a GPU the body runs
// once as it stands, is captured as a CUDA graph the second time, and from then on the graph is replayed without the
// host: everything that changes from step to step lives in device memory, and both ways lead to the same bits.
#pragma once
#include <functional>
#include <map>
#include <memory>

#include "engine/context.h"

namespace tobogan {

struct StepOptions {
  bool capture = true;  // on a GPU
};

class Step {
 public:
  Step(Context& context, std::function<void()> body, const StepOptions& options = {});
  ~Step();
  Step(const Step&) = delete;
  Step& operator=(const Step&) = delete;

  // `shapes` names what the shapes inside the body depend on, if anything, such as the size of the batch: each value
  // has a graph of its own.  Throws Error for what a captured step cannot do, such as reading a tensor on the host.
  void operator()(int64_t shapes = 0);

  int launches() const;  // of the graph captured last: kernels, copies and fills; 0 before
 private:
  struct Captured;
  void run();
  void run_captured(const Device& device, Captured& captured);

  Context& context_;
  std::function<void()> body_;
  StepOptions options_;
  std::map<int64_t, std::unique_ptr<Captured>> captured_;  // by shapes
  int launches_ = 0;
};

}  // namespace tobogan
