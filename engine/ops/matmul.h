// Products of matrices.
#pragma once
#include "engine/tensor.h"

namespace tobogan {

struct MatmulOptions {
  bool transpose_a = false, transpose_b = false;
};

// op(a) {N, K} times op(b) {K, M}, where op transposes if asked to.
Tensor matmul(const Tensor& a, const Tensor& b, const MatmulOptions& options = {});

// x {N, in} times the transpose of weight {out, in}: a dense layer without its bias.
Tensor linear(const Tensor& x, const Tensor& weight);

}  // namespace tobogan
