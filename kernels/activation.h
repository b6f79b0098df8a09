// What happens to a layer's sum on its way out: bias, leaky ReLU and dropout, in one pass, and the way back.
#pragma once
#include "kernels/random.h"

namespace tobogan::kernels {

// y = dropout(leaky_relu(x)).  slope 1 is the identity, 0 is ReLU.  REQUIRES: slope >= 0, 0 <= dropout < 1.
// Dropout keeps an element where its 16-bit uniform is >= round(dropout * 65536), and scales it by the inverse of the
// exact share that is kept.  Which element is kept depends on the key and the element's place alone.
struct Activation {
  Real slope = 1;
  Real dropout = 0;
  RandomKey key;  // used where dropout > 0
};

// y[r][c] = activation(x[r][c] + bias[c]); without bias where bias is null.  y may be x.
void activate(Cpu on, const Activation& how, int64_t rows, int64_t columns, const Real* x, const Real* bias, Real* y);

// dx = dy times the derivative of the activation where its *result* was y (rows x columns).  dx may be dy.
// The result tells enough: y > 0 exactly where x > 0 and the element was kept.
void activate_grad(Cpu on, const Activation& how, int64_t rows, int64_t columns, const Real* dy, const Real* y,
                   Real* dx);

}  // namespace tobogan::kernels
