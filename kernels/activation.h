// What happens to a layer's sum on its way out: bias, leaky ReLU and dropout, in one pass, and the way back.
#pragma once
#include "kernels/random.h"

namespace tobogan::kernels {

// y = dropout(leaky_relu(x)), or tanh(x).  slope 1 is the identity, 0 is ReLU.  What is below zero is multiplied by the
// slope, so ReLU of minus infinity is NaN: a training that overflowed is seen.  REQUIRES: slope >= 0, 0 <= dropout < 1.
// Dropout keeps an element where its 16-bit uniform is >= T = min(round(dropout * 65536), 65535), and scales it by the
// inverse of the exact share that is kept, 65536 / (65536 - T).  The uniform of element i = r * columns + c is
// half-word i % 8 of Philox block i / 8: the low half of word (i % 8) / 2 where i is even, its high half where i is
// odd.  So which element is kept depends on the key and the element's place alone. With dropout, an element that was
// dropped is -0 and one that was kept never is (a zero is written as +0).
struct Activation {
  Real slope = 1;
  Real dropout = 0;
  RandomKey key{};    // used where dropout > 0
  bool tanh = false;  // REQUIRES: then slope is 1 and dropout 0

  bool is_identity() const { return slope == 1 && dropout == 0 && !tanh; }
};

// y[r][c] = activation(x[r][c] + bias[c]); without bias where bias is null.  y may be x.
void activate(Cpu on, const Activation& how, int64_t rows, int64_t columns, const Real* x, const Real* bias, Real* y);
void activate(Cuda on, const Activation& how, int64_t rows, int64_t columns, const Real* x, const Real* bias, Real* y);

// dx = dy times the derivative of the activation where its *result* was y (rows x columns), and unless dbias is null
// dbias[c] = the sum of column c of dx.  dx may be dy.
// The result tells enough: 1 - y^2 is the derivative of tanh; with dropout -0 was dropped; else y > 0 says that x > 0,
// and at 0 the derivative is the slope.
void activate_grad(Cpu on, const Activation& how, int64_t rows, int64_t columns, const Real* dy, const Real* y,
                   Real* dx, Real* dbias = nullptr);
void activate_grad(Cuda on, const Activation& how, int64_t rows, int64_t columns, const Real* dy, const Real* y,
                   Real* dx, Real* dbias = nullptr);

}  // namespace tobogan::kernels
