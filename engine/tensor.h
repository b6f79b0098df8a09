// A tensor: a shape, memory on a device, and how it was made, as far as somebody may ask for derivatives.
//
// A Tensor is a handle; copies are the same tensor.  Operations (engine/ops) never change their arguments: what changes
// in place are parameters, by optimisers, and running statistics, by batch norm.
#pragma once
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "engine/memory.h"
#include "engine/shape.h"

namespace tobogan {

class Tensor {
 public:
  Tensor() = default;  // no tensor; only defined() and assignment may be called
  // Contents undefined.
  Tensor(const Shape& shape, const Device& device);

  static Tensor full(const Shape& shape, double value, const Device& device);
  static Tensor zeros(const Shape& shape, const Device& device) { return full(shape, 0, device); }
  // A 1 that is known to be one (is_one), so that rules can leave out a product.  Costs neither time nor memory.
  // REQUIRES: shape.count() == 1.
  static Tensor one(const Shape& shape, const Device& device);
  // From values in API order (row-major; {N, C, H, W} for images).  REQUIRES: values.size() == shape.count().
  static Tensor from_host(const Shape& shape, std::span<const Real> values, const Device& device);

  bool defined() const { return node_ != nullptr; }
  const Shape& shape() const { return node_->shape; }
  int64_t count() const { return node_->shape.count(); }
  bool is_one() const { return node_->is_one; }
  const Device& device() const { return node_->storage->device(); }
  Real* data() const { return static_cast<Real*>(node_->storage->data()); }  // in memory order (shape.h)

  std::vector<Real> to_host() const;  // in API order
  Real item() const;                  // REQUIRES: count() == 1
  // Overwrites the contents, in API order, as optimisers do: in place.
  void set(std::span<const Real> values);
  // Tells that the contents were changed in place.
  void modified() const { node_->storage->modified(); }

  // Marks a tensor that derivatives may be asked for (a parameter, an interpolated image).  REQUIRES: no operation made
  // it.
  Tensor& require_grad();
  bool requires_grad() const { return node_ && (node_->leaf || node_->history); }
  // The same values, of which nobody remembers how they were made.
  Tensor detach() const;
  // The same memory under another shape.  REQUIRES: equal count and the same order in memory (see same_memory_order).
  Tensor alias(const Shape& shape) const;

  struct History;  // how it was made: autograd.h
  struct Node {
    Shape shape;
    std::shared_ptr<Storage> storage;
    std::unique_ptr<History> history;  // null: a leaf, or made while nobody was recording
    bool leaf = false;
    bool is_one = false;     // Tensor::one
    bool forgotten = false;  // has no history since nobody was recording, and would have had one

    Node();
    ~Node();
  };
  Node* node() const { return node_.get(); }

 private:
  std::shared_ptr<Node> node_;
};

// Throws Error, beginning with the operation's name, unless both live on one Machine.
void check_same_machine(const char* operation, const Device& a, const Device& b);
inline void check_same_machine(const char* operation, const Tensor& a, const Tensor& b) {
  check_same_machine(operation, a.device(), b.device());
}

// Whether elements of both shapes, equal in count, lie in the same order in memory, so that one may alias the other.
bool same_memory_order(const Shape& a, const Shape& b);

}  // namespace tobogan
