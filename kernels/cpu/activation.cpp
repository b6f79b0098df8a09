// Bias, leaky ReLU and dropout in one pass over memory.
#include "kernels/activation.h"

#include "kernels/cpu/activation_piece.h"

namespace tobogan::kernels {

void activate(Cpu on, const Activation& how, int64_t rows, int64_t columns, const Real* x, const Real* bias, Real* y) {
  const Dropout dropout(how);
  const Real slope = how.slope;
  for_elements(on, rows * columns, [=](int64_t chunk_begin, int64_t chunk_end) {
    RepeatedRow biases(bias, columns, chunk_end - chunk_begin);
    for_pieces(chunk_begin, chunk_end, [&](int64_t begin, int64_t size) {
      const Real* in = x + begin;
      const Real* shift = biases.at(begin, size);
      activate_piece(
          slope, dropout, begin, size, [=](int64_t i) { return in[i] + shift[i]; }, y + begin);
    });
  });
}

void activate_grad(Cpu on, const Activation& how, int64_t rows, int64_t columns, const Real* dy, const Real* y,
                   Real* dx) {
  const ActivationDerivative derivative(how);
  for_elements(on, rows * columns, [=](int64_t begin, int64_t end) {
#pragma GCC ivdep
    for (int64_t i = begin; i < end; ++i) dx[i] = derivative(y[i]) * dy[i];
  });
}

}  // namespace tobogan::kernels
