// Bias, leaky ReLU and dropout in one pass over memory, and the way back with the bias's gradient in one more.
#include "kernels/activation.h"

#include "kernels/cpu/activation_piece.h"
#include "kernels/cpu/columns.h"

namespace tobogan::kernels {

void activate(Cpu on, const Activation& how, int64_t rows, int64_t columns, const Real* x, const Real* bias, Real* y) {
  const Dropout dropout(how);
  for_elements(on, rows * columns, [=](int64_t chunk_begin, int64_t chunk_end) {
    RepeatedRow biases(bias, columns, chunk_end - chunk_begin);
    for_pieces(chunk_begin, chunk_end, [&](int64_t begin, int64_t size) {
      const Real* in = x + begin;
      const Real* shift = biases.at(begin, size);
      activate_piece(
          how, dropout, begin, size, [=](int64_t i) { return in[i] + shift[i]; }, y + begin);
    });
  });
}

void activate_grad(Cpu on, const Activation& how, int64_t rows, int64_t columns, const Real* dy, const Real* y,
                   Real* dx, Real* dbias) {
  with_derivative(how, [=](const auto& derivative) {
    if (dbias != nullptr && columns > 0) {
      over_columns<1>(
          on, rows, columns,
          [=](const ColumnTile& tile, TileSums<1>& sums) {
            sum_tile<1>(
                tile, [=](int64_t i, int64_t) { return dx[i] = derivative(y[i]) * dy[i]; }, sums);
          },
          [=](int64_t column, const ColumnParts& parts) { dbias[column] = static_cast<Real>(parts.total(0)); });
      return;
    }
    for_elements(on, rows * columns, [=](int64_t begin, int64_t end) {
#pragma GCC ivdep
      for (int64_t i = begin; i < end; ++i) dx[i] = derivative(y[i]) * dy[i];
    });
  });
}

}  // namespace tobogan::kernels
