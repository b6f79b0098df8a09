// The tree of modules, walked in order of declaration.
#include "engine/nn/module.h"

namespace tobogan {

Module::Module(Context& context, std::string name) : context_(context), name_(std::move(name)) {}

Module::Module(Module& parent, const std::string& name)
    : context_(parent.context_), name_(parent.name_ + "." + name), parent_(&parent) {
  parent.parts_.push_back(this);
}

Module::~Module() {
  if (parent_) std::erase(parent_->parts_, this);
  for (Module* part : parts_) part->parent_ = nullptr;
}

template <class Visit>
void Module::for_each_entry(Visit visit) const {
  for (const Entry& entry : entries_) visit(entry);
  for (const Module* part : parts_) part->for_each_entry(visit);
}

NamedTensors Module::named_parameters() const {
  NamedTensors named;
  for_each_entry([&](const Entry& entry) {
    if (entry.trained) named.push_back(entry.named);
  });
  return named;
}

State Module::state() const {
  State state;
  for_each_entry([&](const Entry& entry) { state.push_back({entry.named.name, entry.named.tensor}); });
  return state;
}

int64_t Module::parameter_count() const {
  int64_t count = 0;
  for (const NamedTensor& entry : named_parameters()) count += entry.tensor.count();
  return count;
}

void Module::train(bool on) {
  training_ = on;
  for (Module* part : parts_) part->train(on);
}

void Module::track_statistics(bool on) {
  tracks_statistics_ = on;
  for (Module* part : parts_) part->track_statistics(on);
}

Tensor Module::parameter(const std::string& name, Tensor initial) {
  initial.require_grad();
  entries_.push_back({{name_ + "." + name, initial}, true});
  return initial;
}

Tensor Module::buffer(const std::string& name, Tensor initial) {
  entries_.push_back({{name_ + "." + name, initial}, false});
  return initial;
}

}  // namespace tobogan
