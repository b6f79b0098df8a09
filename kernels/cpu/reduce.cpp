// Sums: neighbouring axes with the same fate are merged, then one pattern after the other is summed away from the
// inside.
#include "kernels/reduce.h"

#include "kernels/axes.h"
#include "kernels/cpu/columns.h"

namespace tobogan::kernels {
namespace {

// y[c] = sum over r of x[r][c].
void sum_rows(Cpu on, int64_t rows, int64_t columns, const Real* x, Real* y) {
  over_columns<1>(
      on, rows, columns,
      [x](const ColumnTile& tile, TileSums<1>& sums) {
        sum_tile<1>(
            tile, [x](int64_t i, int64_t) { return x[i]; }, sums);
      },
      [y](int64_t c, const ColumnParts& parts) { y[c] = static_cast<Real>(parts.total(0)); });
}

// The sum of a row: eight partial sums, so that additions need not wait for each other.
double sum_line(int64_t size, const Real* x) {
  constexpr int kLanes = 8;
  double lanes[kLanes] = {}, rest = 0;
  int64_t i = 0;
  for (; i + kLanes <= size; i += kLanes) {
    for (int k = 0; k < kLanes; ++k) lanes[k] += static_cast<double>(x[i + k]);
  }
  for (; i < size; ++i) rest += static_cast<double>(x[i]);
  return (((lanes[0] + lanes[4]) + (lanes[1] + lanes[5])) + ((lanes[2] + lanes[6]) + (lanes[3] + lanes[7]))) + rest;
}

// y[r] = sum over c of x[r][c], each row by itself.
void sum_columns(Cpu on, int64_t rows, int64_t columns, const Real* x, Real* y) {
  if (columns > 2 * kGrain) {
    for (int64_t row = 0; row < rows; ++row) sum_rows(on, columns, 1, x + row * columns, y + row);
    return;
  }
  for_rows(on, rows, columns, [=](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) y[row] = static_cast<Real>(sum_line(columns, x + row * columns));
  });
}

// [outer][rows][columns] to [outer][columns].
void sum_middle(Cpu on, int64_t outer, int64_t rows, int64_t columns, const Real* x, Real* y) {
  for (int64_t o = 0; o < outer; ++o) sum_rows(on, rows, columns, x + o * rows * columns, y + o * columns);
}

void sum_alternating(Cpu on, const KeptAxes& axes, const Real* x, Real* y) {
  const auto& n = axes.size;
  const int last = axes.rank - 1;
  if (axes.rank == 0 || (axes.rank == 1 && axes.keep[0])) {
    for_elements(on, n[0], [=](int64_t begin, int64_t end) { std::copy(x + begin, x + end, y + begin); });
  } else if (axes.rank == 1) {
    sum_rows(on, n[0], 1, x, y);
  } else if (axes.rank == 2 && axes.keep[0]) {
    sum_columns(on, n[0], n[1], x, y);
  } else if (axes.rank == 2) {
    sum_rows(on, n[0], n[1], x, y);
  } else if (axes.rank == 3 && axes.keep[0]) {
    sum_middle(on, n[0], n[1], n[2], x, y);
  } else if (!axes.keep[last]) {  // [..][kept][summed]: to [..][kept], then on
    const int64_t outer = n[0] * n[1] * (axes.rank == 4 ? n[2] : 1);
    const Scratch<Real> inner(*on.pool, static_cast<size_t>(outer));
    sum_columns(on, outer, n[last], x, inner.data());
    KeptAxes rest = axes;
    rest.size[last] = 1;
    --rest.rank;
    sum_alternating(on, rest, inner.data(), y);
  } else {  // [summed][kept][summed][kept]
    const Scratch<Real> inner(*on.pool, static_cast<size_t>(n[0] * n[1] * n[3]));
    sum_middle(on, n[0] * n[1], n[2], n[3], x, inner.data());
    sum_rows(on, n[0], n[1] * n[3], inner.data(), y);
  }
}

}  // namespace

void sum(Cpu on, const Extents& extents, const std::array<bool, 4>& keep, const Real* x, Real* y) {
  if (extents.count() > 0) return sum_alternating(on, merge_kept(extents, keep), x, y);
  int64_t kept = 1;
  for (int axis = 0; axis < 4; ++axis) kept *= keep[axis] ? extents.size[axis] : 1;
  std::fill_n(y, kept, Real(0));
}

void argmax_rows(Cpu on, int64_t rows, int64_t columns, const Real* x, int32_t* index) {
  for_rows(on, rows, columns, [=](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const Real* line = x + row * columns;
      int64_t best = 0;
      for (int64_t c = 1; c < columns; ++c) best = line[c] > line[best] ? c : best;
      index[row] = static_cast<int32_t>(best);
    }
  });
}

}  // namespace tobogan::kernels
