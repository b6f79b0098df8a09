// Log-softmax: short rows are treated many at a time, so that the exponentials are one flat loop.
#include "kernels/softmax.h"

#include "kernels/cpu/loops.h"
#include "kernels/cpu/vector_math.h"

namespace tobogan::kernels {
namespace {

// y = x minus the largest of its row.
void subtract_largest(int64_t columns, const Real* x, Real* y) {
  Real largest = x[0];
  for (int64_t c = 1; c < columns; ++c) largest = x[c] > largest ? x[c] : largest;
  for (int64_t c = 0; c < columns; ++c) y[c] = x[c] - largest;
}

// y = log-softmax of x.  REQUIRES: one row, or at most kPiece elements.
void log_softmax_rows(int64_t rows, int64_t columns, const Real* x, Real* y) {
  double totals[kPiece] = {};
  int64_t row = 0, column = 0;
  for (int64_t r = 0; r < rows; ++r) subtract_largest(columns, x + r * columns, y + r * columns);
  for_pieces(0, rows * columns, [&](int64_t begin, int64_t size) {
    Real powers[kPiece];
    for (int64_t i = 0; i < size; ++i) powers[i] = vector_math::exp(y[begin + i]);
    for (int64_t i = 0; i < size; ++i) {
      totals[row] += static_cast<double>(powers[i]);
      if (++column == columns) column = 0, ++row;
    }
  });
  Real logs[kPiece];
  for (int64_t r = 0; r < rows; ++r) logs[r] = vector_math::log(static_cast<Real>(totals[r]));
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < columns; ++c) y[r * columns + c] -= logs[r];
  }
}

}  // namespace

void log_softmax(Cpu on, int64_t rows, int64_t columns, const Real* x, Real* y) {
  const int64_t together = std::max<int64_t>(1, kPiece / columns);  // rows
  constexpr int64_t kCost = 4;                                      // an exponential is dearer than an addition
  for_rows(on, rows, columns * kCost, [=](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; row += together) {
      log_softmax_rows(std::min(together, end - row), columns, x + row * columns, y + row * columns);
    }
  });
}

}  // namespace tobogan::kernels
