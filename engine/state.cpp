// Lists of named things, put together.
#include "engine/state.h"

namespace tobogan {

std::vector<Tensor> tensors_of(const NamedTensors& named) {
  std::vector<Tensor> tensors;
  tensors.reserve(named.size());
  for (const NamedTensor& entry : named) tensors.push_back(entry.tensor);
  return tensors;
}

NamedTensors join(NamedTensors a, const NamedTensors& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

void append(State& state, std::string_view prefix, const State& more) {
  for (const NamedValue& entry : more) state.push_back({concat_text(prefix, ".", entry.name), entry.value});
}

}  // namespace tobogan
