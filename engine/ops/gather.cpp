// Two pairs of adjoints.
#include "engine/ops/gather.h"

#include "engine/autograd.h"
#include "kernels/gather.h"

namespace tobogan {
namespace {

// On the CPU, where looking costs nothing beside the picking.  A GPU would have to be waited for.
void check_indices(const char* name, const Tensor& x, const Indices& index, int bound) {
  if (index.count() == 0) return;
  check_same_machine(name, x.device(), index.device());
  if (gpu_of(index.device())) return;
  for (const int32_t i : std::span(index.data(), static_cast<size_t>(index.count())))
    check(i >= 0 && i < bound, name, ": expected indices from 0 to below ", bound, ", got ", i);
}

}  // namespace

Tensor embedding(const Tensor& table, const Indices& index) {
  check(table.shape().rank() == 2, "embedding: expected a table {K, C}, got shape ", table.shape());
  check_indices("embedding", table, index, table.shape()[0]);
  Tensor y({static_cast<int>(index.count()), table.shape()[1]}, table.device());
  dispatch(table.device(), [&](auto on) {
    kernels::gather_rows(on, index.count(), table.shape()[1], table.data(), index.data(), y.data());
  });
  return record(y, {{table, [index, rows = table.shape()[0]](const Tensor& dy, const Tensor&) {
                       return scatter_rows(dy, index, rows);
                     }}});
}

Tensor scatter_rows(const Tensor& x, const Indices& index, int rows) {
  check(x.shape().rank() == 2 && x.shape()[0] == index.count(), "scatter_rows: expected ", index.count(),
        " rows, got shape ", x.shape());
  check_indices("scatter_rows", x, index, rows);
  Tensor table({rows, x.shape()[1]}, x.device());
  dispatch(x.device(), [&](auto on) {
    kernels::scatter_add_rows(on, index.count(), x.shape()[1], rows, x.data(), index.data(), table.data());
  });
  return record(table, {{x, [index](const Tensor& d, const Tensor&) { return embedding(d, index); }}});
}

Tensor pick(const Tensor& x, const Indices& index) {
  check(x.shape().rank() == 2 && x.shape()[0] == index.count(), "pick: expected a matrix of ", index.count(),
        " rows, one an index, got shape ", x.shape());
  check_indices("pick", x, index, x.shape()[1]);
  Tensor y({x.shape()[0]}, x.device());
  dispatch(x.device(),
           [&](auto on) { kernels::pick_columns(on, x.shape()[0], x.shape()[1], x.data(), index.data(), y.data()); });
  return record(
      y,
      {{x, [index, columns = x.shape()[1]](const Tensor& dy, const Tensor&) { return unpick(dy, index, columns); }}});
}

Tensor unpick(const Tensor& x, const Indices& index, int columns) {
  check(x.shape() == Shape{static_cast<int>(index.count())}, "unpick: expected shape {", index.count(), "}, got ",
        x.shape());
  check_indices("unpick", x, index, columns);
  Tensor y({x.shape()[0], columns}, x.device());
  dispatch(x.device(),
           [&](auto on) { kernels::place_columns(on, x.shape()[0], columns, x.data(), index.data(), y.data()); });
  return record(y, {{x, [index](const Tensor& dy, const Tensor&) { return pick(dy, index); }}});
}

Tensor one_hot(const Indices& labels, int classes) {
  return unpick(Tensor::full({static_cast<int>(labels.count())}, 1, labels.device()), labels, classes);
}

}  // namespace tobogan
