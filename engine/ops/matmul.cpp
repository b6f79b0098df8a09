// The gradient of a product is a product with the other factor, on the side and transposed as its shape asks.
#include "engine/ops/matmul.h"

#include "engine/autograd.h"
#include "kernels/matmul.h"

namespace tobogan {

Tensor matmul(const Tensor& a, const Tensor& b, const MatmulOptions& o) {
  check(a.shape().rank() == 2 && b.shape().rank() == 2, "matmul: expected two matrices, got shapes ", a.shape(),
        " and ", b.shape());
  const int rows = a.shape()[o.transpose_a ? 1 : 0], inner = a.shape()[o.transpose_a ? 0 : 1];
  const int columns = b.shape()[o.transpose_b ? 0 : 1];
  check(inner == b.shape()[o.transpose_b ? 1 : 0], "matmul: shapes ", a.shape(), o.transpose_a ? " (transposed)" : "",
        " and ", b.shape(), o.transpose_b ? " (transposed)" : "", " do not go together");
  check_same_machine("matmul", a, b);
  Tensor c({rows, columns}, a.device());
  dispatch(a.device(), [&](auto on) {
    kernels::matmul(on, {rows, columns, inner, o.transpose_a, o.transpose_b}, a.data(), b.data(), c.data());
  });
  auto grad_a = [b, o](const Tensor& dc, const Tensor&) {
    return o.transpose_a ? matmul(b, dc, {o.transpose_b, true}) : matmul(dc, b, {false, !o.transpose_b});
  };
  auto grad_b = [a, o](const Tensor& dc, const Tensor&) {
    return o.transpose_b ? matmul(dc, a, {true, o.transpose_a}) : matmul(a, dc, {!o.transpose_a, false});
  };
  return record(c, {{a, grad_a}, {b, grad_b}});
}

Tensor linear(const Tensor& x, const Tensor& weight) {
  check(x.shape().rank() == 2 && weight.shape().rank() == 2 && x.shape()[1] == weight.shape()[1],
        "linear: a weight {out, in} of shape ", weight.shape(), " does not take an input {N, in} of shape ", x.shape());
  return matmul(x, weight, {.transpose_b = true});
}

}  // namespace tobogan
