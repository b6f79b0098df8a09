// What a checkpoint holds: tensors and counters with names, in the order in which they were declared.
#pragma once
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/tensor.h"

namespace tobogan {

struct NamedTensor {
  std::string name;
  Tensor tensor;
};
using NamedTensors = std::vector<NamedTensor>;

using Counter = Array<uint64_t>;

struct NamedValue {
  std::string name;
  std::variant<Tensor, Counter> value;
};
using State = std::vector<NamedValue>;

// The tensors without their names.
std::vector<Tensor> tensors_of(const NamedTensors& named);

// One list after the other.
NamedTensors join(NamedTensors a, const NamedTensors& b);

// Adds `more` to `state`, each name behind "prefix.".
void append(State& state, std::string_view prefix, const State& more);

}  // namespace tobogan
