// A training step: what is done over and over.
//
//   Step step(context, [&] { adam.step(grad(loss_of(data.next()), adam.parameters())); });
//   while (...) step();
//
// Each call advances the random numbers of the context first.  Everything that changes from step to step lives in
// device memory, so that on a GPU the body can be captured once and replayed; on the CPU it is run.
#pragma once
#include <functional>

#include "engine/context.h"

namespace tobogan {

class Step {
 public:
  Step(Context& context, std::function<void()> body) : context_(context), body_(std::move(body)) {}
  void operator()();

 private:
  Context& context_;
  std::function<void()> body_;
};

}  // namespace tobogan
