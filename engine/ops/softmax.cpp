// The softmax is the exponential of its logarithm, which is the one that is computed.
#include "engine/ops/softmax.h"

#include "engine/autograd.h"
#include "engine/ops/elementwise.h"
#include "engine/ops/reduce.h"
#include "kernels/softmax.h"

namespace tobogan {

Tensor log_softmax(const Tensor& x) {
  check(x.shape().rank() == 2 && x.shape()[1] > 0, "log_softmax: expected a matrix {N, K}, got shape ", x.shape());
  Tensor y(x.shape(), x.device());
  dispatch(x.device(), [&](auto on) { kernels::log_softmax(on, x.shape()[0], x.shape()[1], x.data(), y.data()); });
  return record(y, {{x, [](const Tensor& dy, const Tensor& y) {
                       return dy - exp(y) * sum_to(dy, {dy.shape()[0], 1});
                     }}});
}

Tensor softmax(const Tensor& x) {
  return exp(log_softmax(x));
}

}  // namespace tobogan
