// Log-softmax, row by row; exponentials by the piece so that they vectorise.
#include "kernels/softmax.h"

#include "kernels/cpu/loops.h"
#include "kernels/cpu/vector_math.h"

namespace tobogan::kernels {
namespace {

void log_softmax_row(int64_t columns, const Real* x, Real* y) {
  Real largest = x[0];
  for (int64_t c = 1; c < columns; ++c) largest = x[c] > largest ? x[c] : largest;
  double total = 0;
  for_pieces(0, columns, [&](int64_t begin, int64_t size) {
    Real powers[kPiece];
    for (int64_t i = 0; i < size; ++i) powers[i] = vector_math::exp(x[begin + i] - largest);
    for (int64_t i = 0; i < size; ++i) total += static_cast<double>(powers[i]);
  });
  const Real log_total = vector_math::log(static_cast<Real>(total));
  for (int64_t c = 0; c < columns; ++c) y[c] = (x[c] - largest) - log_total;
}

}  // namespace

void log_softmax(Cpu on, int64_t rows, int64_t columns, const Real* x, Real* y) {
  constexpr int64_t kCost = 4;  // an exponential is dearer than an addition
  for_rows(on, rows, columns * kCost, [=](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) log_softmax_row(columns, x + row * columns, y + row * columns);
  });
}

}  // namespace tobogan::kernels
