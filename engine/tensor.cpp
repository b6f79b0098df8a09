// Host copies speak API order; memory is pixel-major; the permutation between them is done here, on the host, once.
#include "engine/tensor.h"

#include <algorithm>

#include "engine/autograd.h"
#include "kernels/elementwise.h"

namespace tobogan {
namespace {

// visit(i, m) for every element, with its position i in API order and m in memory.
template <class Visit>
void for_each_position(const Shape& shape, Visit visit) {
  const auto extents = api_extents(shape).size;
  const auto step = api_strides(shape).step;
  int64_t i = 0;
  for (int64_t a = 0; a < extents[0]; ++a)
    for (int64_t b = 0; b < extents[1]; ++b)
      for (int64_t c = 0; c < extents[2]; ++c)
        for (int64_t d = 0; d < extents[3]; ++d) visit(i++, a * step[0] + b * step[1] + c * step[2] + d * step[3]);
}

}  // namespace

Tensor::Node::Node() = default;

// A long chain of operations is taken apart in a loop: left to the members it would recurse as deep as the chain is
// long.
Tensor::Node::~Node() {
  if (!history) return;
  std::vector<Tensor> pending;
  auto take_apart = [&](Node& node) {
    if (!node.history) return;
    node.history->edges.clear_rules();
    for (Tensor& input : node.history->edges.inputs) pending.push_back(std::move(input));
    node.history.reset();
  };
  take_apart(*this);
  while (!pending.empty()) {
    const Tensor tensor = std::move(pending.back());
    pending.pop_back();
    if (tensor.node_.use_count() == 1) take_apart(*tensor.node_);
  }
}

Tensor::Tensor(const Shape& shape, const Device& device) : node_(std::make_shared<Node>()) {
  node_->shape = shape;
  node_->storage = std::make_shared<Storage>(device, static_cast<size_t>(shape.count()) * sizeof(Real));
}

Tensor Tensor::full(const Shape& shape, double value, const Device& device) {
  Tensor tensor(shape, device);
  dispatch(device, [&](auto on) { kernels::fill(on, tensor.count(), static_cast<Real>(value), tensor.data()); });
  return tensor;
}

Tensor Tensor::one(const Shape& shape, const Device& device) {
  check(shape.count() == 1, "Tensor::one: expected a shape of one element, got ", shape);
  Tensor tensor;
  tensor.node_ = std::make_shared<Node>();
  tensor.node_->storage =
      std::make_shared<Storage>(device, dispatch(device, [](auto on) { return kernels::constant_one(on); }));
  tensor.node_->shape = shape;
  tensor.node_->is_one = true;
  return tensor;
}

Tensor Tensor::from_host(const Shape& shape, std::span<const Real> values, const Device& device) {
  Tensor tensor(shape, device);
  tensor.set(values);
  return tensor;
}

void Tensor::set(std::span<const Real> values) {
  check(static_cast<int64_t>(values.size()) == count(), "Tensor: a tensor of shape ", shape(), " takes ", count(),
        " values, got ", values.size());
  std::vector<Real> in_memory(values.size());
  for_each_position(shape(), [&](int64_t i, int64_t m) { in_memory[m] = values[i]; });
  copy_from_host(device(), in_memory.size() * sizeof(Real), in_memory.data(), data());
  modified();
}

std::vector<Real> Tensor::to_host() const {
  std::vector<Real> in_memory(count()), values(count());
  copy_to_host(device(), in_memory.size() * sizeof(Real), data(), in_memory.data());
  for_each_position(shape(), [&](int64_t i, int64_t m) { values[i] = in_memory[m]; });
  return values;
}

Real Tensor::item() const {
  check(count() == 1, "item: expected a tensor of one element, got shape ", shape());
  Real value;
  copy_to_host(device(), sizeof(Real), data(), &value);
  return value;
}

Tensor& Tensor::require_grad() {
  check(!node_->history, "require_grad: this tensor of shape ", shape(),
        " is the result of an operation; detach() it first");
  node_->leaf = true;
  return *this;
}

Tensor Tensor::detach() const {
  return alias(shape());
}

Tensor Tensor::alias(const Shape& shape) const {
  check(shape.count() == count() && same_memory_order(this->shape(), shape), "alias: ", this->shape(), " and ", shape,
        " do not lie in memory alike");
  Tensor tensor;
  tensor.node_ = std::make_shared<Node>();
  tensor.node_->shape = shape;
  tensor.node_->storage = node_->storage;
  return tensor;
}

void check_same_machine(const char* operation, const Device& a, const Device& b) {
  check(same_machine(a, b), operation, ": the operands live on two machines");
}

bool same_memory_order(const Shape& a, const Shape& b) {
  // Pixel-major and row-major agree where the axes longer than 1 keep their order.
  auto keeps_order = [](const Shape& s) {
    return s.rank() < 4 || (s[2] == 1 && s[3] == 1) || (s[0] == 1 && s[1] == 1);
  };
  const bool same_pixels = a.rank() == 4 && b.rank() == 4 && a[2] == b[2] && a[3] == b[3];  // another N x C matrix each
  return a == b || same_pixels || (keeps_order(a) && keeps_order(b));
}

}  // namespace tobogan
