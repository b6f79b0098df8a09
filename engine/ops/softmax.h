// Softmax over the classes of a matrix {N, K}.
#pragma once
#include "engine/tensor.h"

namespace tobogan {

// x - log(sum of e^x) in each row, without overflow.
Tensor log_softmax(const Tensor& x);
Tensor softmax(const Tensor& x);

}  // namespace tobogan
