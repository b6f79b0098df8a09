// Arithmetic and elementary functions, element by element, of tensors whose shapes go together.
//
// Shapes go together when ranks are equal and sizes equal or 1 (an axis of size 1 is repeated), or when one tensor is a
// scalar {}.  All operations have derivatives of every order.
#pragma once
#include "engine/tensor.h"

namespace tobogan {

Tensor operator+(const Tensor& a, const Tensor& b);
Tensor operator-(const Tensor& a, const Tensor& b);
Tensor operator*(const Tensor& a, const Tensor& b);
Tensor operator/(const Tensor& a, const Tensor& b);

// scale * x + shift.
Tensor affine(const Tensor& x, double scale, double shift);
inline Tensor operator+(const Tensor& x, double c) {
  return affine(x, 1, c);
}
inline Tensor operator+(double c, const Tensor& x) {
  return affine(x, 1, c);
}
inline Tensor operator-(const Tensor& x, double c) {
  return affine(x, 1, -c);
}
inline Tensor operator-(double c, const Tensor& x) {
  return affine(x, -1, c);
}
inline Tensor operator-(const Tensor& x) {
  return affine(x, -1, 0);
}
inline Tensor operator*(const Tensor& x, double c) {
  return affine(x, c, 0);
}
inline Tensor operator*(double c, const Tensor& x) {
  return affine(x, c, 0);
}
inline Tensor operator/(const Tensor& x, double c) {
  return affine(x, 1 / c, 0);
}

Tensor exp(const Tensor& x);
Tensor log(const Tensor& x);
Tensor sqrt(const Tensor& x);
Tensor square(const Tensor& x);
Tensor reciprocal(const Tensor& x);
Tensor tanh(const Tensor& x);
Tensor sigmoid(const Tensor& x);
// log(1 + e^x), without overflow.
Tensor softplus(const Tensor& x);
// |x| and its derivative: -1, 0 or 1.
Tensor abs(const Tensor& x);
Tensor sign(const Tensor& x);
// min(max(x, low), high); the derivative is 1 inside and 0 outside and at the bounds.
Tensor clamp(const Tensor& x, double low, double high);

}  // namespace tobogan
