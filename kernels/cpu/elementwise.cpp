// Elementwise kernels: flat loops.  Arithmetic with broadcasting is brought to a flat loop wherever one exists.
#include "kernels/elementwise.h"

#include <cmath>

#include "kernels/axes.h"
#include "kernels/cpu/loops.h"
#include "kernels/cpu/transpose.h"
#include "kernels/cpu/vector_math.h"

namespace tobogan::kernels {
namespace {

template <class F>
void map(Cpu on, int64_t count, const Real* x, Real* y, const F& f) {
  for_elements(on, count, [=](int64_t begin, int64_t end) {
#pragma GCC ivdep
    for (int64_t i = begin; i < end; ++i) y[i] = f(x[i]);
  });
}

// y[i] = f(a[i * a_step], b[i * b_step]): a loop of its own for each pair of steps that vectorises.
template <class F>
void zip(int64_t size, const F& f, const Real* a, int64_t a_step, const Real* b, int64_t b_step, Real* y) {
  if (a_step == 1 && b_step == 1) {
#pragma GCC ivdep
    for (int64_t i = 0; i < size; ++i) y[i] = f(a[i], b[i]);
  } else if (a_step == 1 && b_step == 0) {
    const Real same = b[0];
#pragma GCC ivdep
    for (int64_t i = 0; i < size; ++i) y[i] = f(a[i], same);
  } else if (a_step == 0 && b_step == 1) {
    const Real same = a[0];
#pragma GCC ivdep
    for (int64_t i = 0; i < size; ++i) y[i] = f(same, b[i]);
  } else {
    for (int64_t i = 0; i < size; ++i) y[i] = f(a[i * a_step], b[i * b_step]);
  }
}

// An operand that repeats along the outermost axis, laid out as the row that repeats.
constexpr int64_t kLargestPeriod = 4096;

bool repeats(const Axes<2>& axes, int operand) {
  const int64_t period = axes.rows() * axes.inner() / axes.size[0];
  const bool row = axes.rank == 2 && axes.inner_step(operand) == 1;
  return axes.rank > 1 && axes.step[operand][0] == 0 && (row || period <= kLargestPeriod);
}

template <class F>
void zip_with_row(Cpu on, const F& f, const Axes<2>& axes, const Real* dense, int operand, const Real* repeated,
                  Real* y) {
  const int64_t count = axes.rows() * axes.inner(), period = count / axes.size[0];
  Real expanded[kLargestPeriod];
  const Real* row = repeated;
  if (axes.rank > 2 || axes.inner_step(operand) != 1) {
    Real* out = expanded;
    RowWalk<2> walk(axes, 0);  // the first `period` elements do not move along axis 0
    for (int64_t r = 0; r < period / axes.inner(); ++r, walk.next()) {
      for (int64_t i = 0; i < axes.inner(); ++i) {
        *out++ = repeated[walk.offset(operand) + i * axes.inner_step(operand)];
      }
    }
    row = expanded;
  }
  for_elements(on, count, [=](int64_t begin, int64_t end) {
    RepeatedRow values(row, period, end - begin);
    for_pieces(begin, end, [&](int64_t i, int64_t size) { zip(size, f, dense + i, 1, values.at(i, size), 1, y + i); });
  });
}

template <class F>
void binary_with(Cpu on, const F& f, const Axes<2>& axes, const Real* a, const Real* b, Real* y) {
  const int64_t inner = axes.inner(), a_step = axes.inner_step(0), b_step = axes.inner_step(1);
  if (axes.rank == 1) {
    for_elements(on, inner, [=](int64_t begin, int64_t end) {
      zip(end - begin, f, a + begin * a_step, a_step, b + begin * b_step, b_step, y + begin);
    });
  } else if (axes.contiguous(0) && repeats(axes, 1)) {
    zip_with_row(on, f, axes, a, 1, b, y);
  } else if (axes.contiguous(1) && repeats(axes, 0)) {
    zip_with_row(
        on, [f](Real dense, Real row) { return f(row, dense); }, axes, b, 0, a, y);
  } else {
    for_rows(on, axes.rows(), inner, [=, &axes](int64_t begin, int64_t end) {
      RowWalk<2> walk(axes, begin);
      for (int64_t row = begin; row < end; ++row, walk.next()) {
        zip(inner, f, a + walk.offset(0), a_step, b + walk.offset(1), b_step, y + row * inner);
      }
    });
  }
}

void move_line(int64_t size, const Real* x, int64_t x_step, Real* y, int64_t y_step) {
  if (x_step == 1 && y_step == 1) {
    std::copy_n(x, size, y);
  } else if (x_step == 0 && y_step == 1) {
    std::fill_n(y, size, x[0]);
  } else {
    for (int64_t i = 0; i < size; ++i) y[i * y_step] = x[i * x_step];
  }
}

// A transposition: y is dense along the innermost axis and x along another one.  Square tiles keep the cache lines of
// both sides in use.
constexpr int64_t kTile = 32;

void transpose(Cpu on, const Axes<2>& axes, int dense_axis, const Real* x, Real* y) {
  // Bands of kTile lines along the dense axis of x; what is left of the outer axes is walked by RowWalk.
  Axes<2> bands = axes;
  bands.size[dense_axis] = (axes.size[dense_axis] + kTile - 1) / kTile;
  for (int k = 0; k < 2; ++k) bands.step[k][dense_axis] = axes.step[k][dense_axis] * kTile;
  const int64_t inner = axes.inner(), x_step = axes.inner_step(0), y_step = axes.step[1][dense_axis];
  const int64_t lines = axes.size[dense_axis];
  for_rows(on, bands.rows(), kTile * inner, [=, &bands](int64_t begin, int64_t end) {
    RowWalk<2> walk(bands, begin);
    for (int64_t band = begin; band < end; ++band, walk.next()) {
      const int64_t height = std::min(kTile, lines - walk.index(dense_axis) * kTile);
      for (int64_t j = 0; j < inner; j += kTile) {
        transpose_tile(height, std::min(kTile, inner - j), x + walk.offset(0) + j * x_step, x_step,
                       y + walk.offset(1) + j, y_step);
      }
    }
  });
}

}  // namespace

void fill(Cpu on, int64_t count, Real value, Real* y) {
  for_elements(on, count, [=](int64_t begin, int64_t end) { std::fill(y + begin, y + end, value); });
}

const Real* constant_one(Cpu) {
  static constexpr Real one = 1;
  return &one;
}

void copy(Cpu on, int64_t count, const Real* x, Real* y) {
  for_elements(on, count, [=](int64_t begin, int64_t end) { std::copy(x + begin, x + end, y + begin); });
}

void unary(Cpu on, Unary op, int64_t count, const Real* x, Real* y) {
  switch (op) {
    case Unary::kExp:
      return map(on, count, x, y, [](Real v) { return vector_math::exp(v); });
    case Unary::kLog:
      return map(on, count, x, y, [](Real v) { return vector_math::log(v); });
    case Unary::kSqrt:
      return map(on, count, x, y, [](Real v) { return std::sqrt(v); });
    case Unary::kTanh:
      return map(on, count, x, y, [](Real v) { return vector_math::tanh(v); });
    case Unary::kSigmoid:
      return map(on, count, x, y, [](Real v) { return vector_math::sigmoid(v); });
    case Unary::kSoftplus:
      return map(on, count, x, y, [](Real v) { return vector_math::softplus(v); });
    case Unary::kAbs:
      return map(on, count, x, y, [](Real v) { return std::fabs(v); });
    case Unary::kSign:
      return map(on, count, x, y, [](Real v) { return v > 0 ? Real(1) : v < 0 ? Real(-1) : v; });
    case Unary::kReciprocal:
      return map(on, count, x, y, [](Real v) { return 1 / v; });
  }
}

void affine(Cpu on, int64_t count, Real scale, Real shift, const Real* x, Real* y) {
  map(on, count, x, y, [=](Real v) { return scale * v + shift; });
}

void clamp(Cpu on, int64_t count, Real low, Real high, const Real* x, Real* y) {
  map(on, count, x, y, [=](Real v) {
    const Real raised = v < low ? low : v;
    return raised > high ? high : raised;
  });
}

void clamp_grad(Cpu on, int64_t count, Real low, Real high, const Real* dy, const Real* x, Real* dx) {
  for_elements(on, count, [=](int64_t begin, int64_t end) {
#pragma GCC ivdep
    for (int64_t i = begin; i < end; ++i) dx[i] = (low < x[i]) & (x[i] < high) ? dy[i] : Real(0);
  });
}

void concat(Cpu on, int64_t rows, std::span<const ConcatPart> parts, Real* y) {
  int64_t width = 0;
  for (const ConcatPart& part : parts) width += part.width;
  for_rows(on, rows, width, [=](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      Real* to = y + row * width;
      for (const ConcatPart& part : parts) to = std::copy_n(part.x + row * part.width, part.width, to);
    }
  });
}

void binary(Cpu on, Binary op, const Extents& extents, const Real* a, const Strides& a_strides, const Real* b,
            const Strides& b_strides, Real* y) {
  if (extents.count() == 0) return;
  const Axes<2> axes = merge_axes<2>(extents, {a_strides, b_strides});
  switch (op) {
    case Binary::kAdd:
      return binary_with(
          on, [](Real p, Real q) { return p + q; }, axes, a, b, y);
    case Binary::kSubtract:
      return binary_with(
          on, [](Real p, Real q) { return p - q; }, axes, a, b, y);
    case Binary::kMultiply:
      return binary_with(
          on, [](Real p, Real q) { return p * q; }, axes, a, b, y);
    case Binary::kDivide:
      return binary_with(
          on, [](Real p, Real q) { return p / q; }, axes, a, b, y);
  }
}

void move(Cpu on, const Extents& extents, const Real* x, const Strides& x_strides, Real* y, const Strides& y_strides) {
  if (extents.count() == 0) return;
  const Axes<2> axes = axes_of_move(extents, x_strides, y_strides);
  const int64_t inner = axes.inner(), x_step = axes.inner_step(0), y_step = axes.inner_step(1);
  const int dense_axis = dense_axis_of(axes);
  if (axes.rank == 1) {
    for_elements(on, inner, [=](int64_t begin, int64_t end) {
      move_line(end - begin, x + begin * x_step, x_step, y + begin * y_step, y_step);
    });
  } else if (axes.rank == 2 && axes.contiguous(1) && axes.step[0][0] == 0 && x_step == 1) {
    for_elements(on, axes.size[0] * inner, [=](int64_t begin, int64_t end) {
      RepeatedRow values(x, inner, end - begin);
      for_pieces(begin, end, [&](int64_t i, int64_t size) { std::copy_n(values.at(i, size), size, y + i); });
    });
  } else if (y_step == 1 && x_step > 1 && dense_axis >= 0) {
    transpose(on, axes, dense_axis, x, y);
  } else {
    for_rows(on, axes.rows(), inner, [=, &axes](int64_t begin, int64_t end) {
      RowWalk<2> walk(axes, begin);
      for (int64_t row = begin; row < end; ++row, walk.next()) {
        move_line(inner, x + walk.offset(0), x_step, y + walk.offset(1), y_step);
      }
    });
  }
}

}  // namespace tobogan::kernels
