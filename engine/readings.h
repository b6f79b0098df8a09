// What a training says about itself, such as its losses: written inside the step, read when somebody wants to know.
//
//   Readings losses(context, 2);
//   Step step(context, [&] { ...; losses.add({loss_d, loss_g}); });
//   while (...) { step(); if (it is time) plot(losses.take()); }
//
// The numbers stay on the device in a ring, so a step neither waits for them nor ends a captured graph.
#pragma once
#include <initializer_list>
#include <vector>

#include "engine/context.h"
#include "engine/tensor.h"

namespace tobogan {

class Readings {
 public:
  // Rows of `columns` numbers, of which the newest `capacity` are kept.  REQUIRES: context outlives it.
  Readings(Context& context, int columns, int64_t capacity = 1024);

  // Appends a row of scalars.  Throws Error for another number of them than there are columns.
  void add(std::initializer_list<Tensor> scalars);

  // The rows since the last call, oldest first.
  std::vector<std::vector<Real>> take();

 private:
  Context& context_;
  int columns_;
  int64_t capacity_;
  Array<Real> table_;
  Array<uint64_t> counter_;
  int64_t written_ = 0, taken_ = 0;
};

}  // namespace tobogan
