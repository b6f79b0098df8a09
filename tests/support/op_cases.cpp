// Drawing inputs: uniform numbers, named by the row, so that a new row changes no other.
#include "tests/support/op_cases.h"

#include "datasets/random.h"

namespace tobogan {
namespace {

reference::Sizes sizes_of(const Shape& shape) {
  reference::Sizes sizes;
  for (int axis = 0; axis < shape.rank(); ++axis) sizes.push_back(shape[axis]);
  return sizes;
}

}  // namespace

std::vector<OpCase> op_cases() {
  std::vector<OpCase> all;
  for (const auto family : {elementwise_cases, loss_cases, matrix_cases, image_cases})
    for (OpCase& row : family()) all.push_back(std::move(row));
  return all;
}

DrawnInputs draw_inputs(const OpCase& row, const Shapes& shapes, const Device& device) {
  DrawnInputs drawn{.inputs = {.tensors = {}, .key = {}, .device = device}, .plain = {}, .step = Counter(1, device)};
  drawn.step.set(std::vector<uint64_t>{0});
  drawn.inputs.key = {.stream = 7, .draw = 0, .step = drawn.step.data()};
  for (const Shape& shape : shapes) {
    Draws draws(1, row.name, drawn.plain.size());
    std::vector<Real> values(static_cast<size_t>(shape.count()));
    for (Real& value : values) value = static_cast<Real>(draws.uniform(row.low, row.high));
    drawn.inputs.tensors.push_back(Tensor::from_host(shape, values, device));
    drawn.plain.emplace_back(sizes_of(shape));
    drawn.plain.back().values.assign(values.begin(), values.end());
  }
  return drawn;
}

int some_index(int i, int bound) {
  return (5 * i + 2) % bound;
}

Indices OpInputs::indices(int64_t count, int bound) const {
  const auto [found, is_new] = made->try_emplace({count, bound});
  if (is_new) found->second = some_indices(count, bound, device);
  return found->second;
}

Indices some_indices(int64_t count, int bound, const Device& device) {
  std::vector<int32_t> indices;
  for (int i = 0; i < count; ++i) indices.push_back(some_index(i, bound));
  return {std::span<const int32_t>(indices), device};
}

}  // namespace tobogan
