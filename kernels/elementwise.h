// One element in, one element out: arithmetic, the transcendental functions, and moving elements about.
#pragma once
#include <span>

#include "kernels/strided.h"

namespace tobogan::kernels {

enum class Unary { kExp, kLog, kSqrt, kTanh, kSigmoid, kSoftplus, kAbs, kSign, kReciprocal };
enum class Binary { kAdd, kSubtract, kMultiply, kDivide };

// y[i] = value.
void fill(Cpu on, int64_t count, Real value, Real* y);
void fill(Cuda on, int64_t count, Real value, Real* y);

// A 1 in the machine's memory, there for as long as the machine is.
const Real* constant_one(Cpu on);
const Real* constant_one(Cuda on);

// y[i] = x[i].
void copy(Cpu on, int64_t count, const Real* x, Real* y);
void copy(Cuda on, int64_t count, const Real* x, Real* y);

// y[i] = op(x[i]).  y may be x.  softplus(x) = log(1 + e^x), without overflow; sign(0) = 0.
void unary(Cpu on, Unary op, int64_t count, const Real* x, Real* y);
void unary(Cuda on, Unary op, int64_t count, const Real* x, Real* y);

// y[i] = scale * x[i] + shift.  y may be x.
void affine(Cpu on, int64_t count, Real scale, Real shift, const Real* x, Real* y);
void affine(Cuda on, int64_t count, Real scale, Real shift, const Real* x, Real* y);

// y[i] = min(max(x[i], low), high).  y may be x.
void clamp(Cpu on, int64_t count, Real low, Real high, const Real* x, Real* y);
void clamp(Cuda on, int64_t count, Real low, Real high, const Real* x, Real* y);

// dx[i] = dy[i] where low < x[i] < high, else 0.
void clamp_grad(Cpu on, int64_t count, Real low, Real high, const Real* dy, const Real* x, Real* dx);
void clamp_grad(Cuda on, int64_t count, Real low, Real high, const Real* dy, const Real* x, Real* dx);

// y = op(a, b) over contiguous y of the given extents; a and b are read through their strides (0 broadcasts).
void binary(Cpu on, Binary op, const Extents& extents, const Real* a, const Strides& a_strides, const Real* b,
            const Strides& b_strides, Real* y);
void binary(Cuda on, Binary op, const Extents& extents, const Real* a, const Strides& a_strides, const Real* b,
            const Strides& b_strides, Real* y);

// Matrices of `rows` rows side by side: y has the sum of their widths, and rows of the parts one after the other.
struct ConcatPart {
  const Real* x;
  int64_t width;
};
void concat(Cpu on, int64_t rows, std::span<const ConcatPart> parts, Real* y);
void concat(Cuda on, int64_t rows, std::span<const ConcatPart> parts, Real* y);

// y[...] = x[...] through strides on both sides: broadcasts, permutes, slices and places.
void move(Cpu on, const Extents& extents, const Real* x, const Strides& x_strides, Real* y, const Strides& y_strides);
void move(Cuda on, const Extents& extents, const Real* x, const Strides& x_strides, Real* y, const Strides& y_strides);

}  // namespace tobogan::kernels
