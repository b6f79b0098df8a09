// Two pairs of adjoints.
#include "engine/ops/gather.h"

#include "engine/autograd.h"
#include "kernels/gather.h"

namespace tobogan {

Tensor embedding(const Tensor& table, const Indices& index) {
  check(table.shape().rank() == 2, "embedding: expected a table {K, C}, got shape ", table.shape());
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
  Tensor table({rows, x.shape()[1]}, x.device());
  dispatch(x.device(), [&](auto on) {
    kernels::scatter_add_rows(on, index.count(), x.shape()[1], rows, x.data(), index.data(), table.data());
  });
  return record(table, {{x, [index](const Tensor& d, const Tensor&) { return embedding(d, index); }}});
}

Tensor pick(const Tensor& x, const Indices& index) {
  check(x.shape().rank() == 2 && x.shape()[0] == index.count(), "pick: expected a matrix of ", index.count(),
        " rows, one an index, got shape ", x.shape());
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
  Tensor y({x.shape()[0], columns}, x.device());
  dispatch(x.device(),
           [&](auto on) { kernels::place_columns(on, x.shape()[0], columns, x.data(), index.data(), y.data()); });
  return record(y, {{x, [index](const Tensor& dy, const Tensor&) { return pick(dy, index); }}});
}

Tensor one_hot(const Indices& labels, int classes) {
  return unpick(Tensor::full({static_cast<int>(labels.count())}, 1, labels.device()), labels, classes);
}

}  // namespace tobogan
