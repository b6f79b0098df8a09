// A module is a struct whose members are its layers; declaring a member registers it.
//
//   struct Critic : Module {
//     using Module::Module;
//     Conv2d first{*this, "first", {.in = 1, .out = 64, .kernel = 4, .stride = 2, .padding = Padding::same()}};
//     Linear score{*this, "score", {.in = 64 * 14 * 14, .out = 1}};
//     Tensor operator()(const Tensor& x) { return score(flatten(leaky_relu(first(x), 0.2))); }
//   };
//   Critic critic(context, "critic");        // parameters "critic.first.weight", ...
//
// Names are dotted and in the order of declaration.  A module is neither copied nor moved.
#pragma once
#include <string>
#include <vector>

#include "engine/context.h"
#include "engine/state.h"

namespace tobogan {

class Module {
 public:
  // A module of its own.  Its name begins the names of its parameters and of the random streams they are drawn from.
  Module(Context& context, std::string name);
  // Part of another module.
  Module(Module& parent, const std::string& name);
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;
  // A part that goes before its parent is no part of it any more.
  virtual ~Module();

  Context& context() const { return context_; }
  const std::string& name() const { return name_; }  // dotted, from the root

  // What is trained.
  std::vector<Tensor> parameters() const { return tensors_of(named_parameters()); }
  NamedTensors named_parameters() const;
  // What a file holds: parameters and buffers (running statistics), as named_parameters() orders them.
  State state() const;
  // The number of trained values.
  int64_t parameter_count() const;

  // Whether layers act as in training (dropout, batch statistics) or as in use.  True at first; sets all parts.
  void train(bool on = true);
  void eval() { train(false); }
  bool training() const { return training_; }

  // Whether batch norm, while training, lets a batch move its running statistics.  True at first; sets all parts.
  void track_statistics(bool on);
  bool tracks_statistics() const { return tracks_statistics_; }

 protected:
  // Registers a tensor under this module's name and returns it: trained, or only kept in files.
  Tensor parameter(const std::string& name, Tensor initial);
  Tensor buffer(const std::string& name, Tensor initial);

 private:
  struct Entry {
    NamedTensor named;
    bool trained;
  };
  template <class Visit>
  void for_each_entry(Visit visit) const;

  Context& context_;
  std::string name_;
  std::vector<Entry> entries_;
  Module* parent_ = nullptr;
  std::vector<Module*> parts_;
  bool training_ = true, tracks_statistics_ = true;
};

}  // namespace tobogan
