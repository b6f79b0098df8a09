// Normalisation of the columns of a tall matrix, with what usually follows it fused in.
//
// In the pixel-major layout an image batch is the (H*W*N x C) matrix, and a batch of features the (N x C) matrix: one
// family of kernels.
#pragma once
#include "kernels/activation.h"

namespace tobogan::kernels {

// Moments as averages over batches: mean[c] = keep * mean[c] + (1 - keep) * batch mean[c], and
// variance[c] = keep * variance[c] + (1 - keep) * correction * batch variance[c].  Null: none are kept.
struct RunningMoments {
  Real keep = 0, correction = 1;
  Real *mean = nullptr, *variance = nullptr;
};

// mean[c] and biased variance[c] of each column of a matrix, not by the difference of squares, and
// scale[c] = 1 / sqrt(variance[c] + epsilon).
struct ColumnMoments {
  Real epsilon;
  Real *mean, *variance, *scale;
  RunningMoments running = {};
};
void column_moments(Cpu on, int64_t rows, int64_t columns, const Real* x, const ColumnMoments& moments);
void column_moments(Cuda on, int64_t rows, int64_t columns, const Real* x, const ColumnMoments& moments);

// scale[c] = 1 / sqrt(variance[c] + epsilon).
void inverse_deviation(Cpu on, int64_t columns, Real epsilon, const Real* variance, Real* scale);
void inverse_deviation(Cuda on, int64_t columns, Real epsilon, const Real* variance, Real* scale);

// y = activation(gamma[c] * (x - mean[c]) * scale[c] + beta[c]); gamma and beta may be null (1 and 0).  y may be x.
void normalize(Cpu on, const Activation& how, int64_t rows, int64_t columns, const Real* x, const Real* mean,
               const Real* scale, const Real* gamma, const Real* beta, Real* y);
void normalize(Cuda on, const Activation& how, int64_t rows, int64_t columns, const Real* x, const Real* mean,
               const Real* scale, const Real* gamma, const Real* beta, Real* y);

// The way back of column_moments + normalize together, in two passes.  With g = dy times the derivative of the
// activation (from its result y) and h = (x - mean) * scale, the first gives dbeta = sum g and dgamma = sum g h,
// the second dx = gamma * scale * (g - mean(g) - h * mean(g h)) = a * g - b * (x - mean) - c.
struct NormalizeFactors {
  Real *a, *b, *c;  // of each column
};
struct NormalizeSums {
  const Real *x, *mean, *scale, *gamma;  // gamma may be null (1)
  Real *dgamma, *dbeta;
  NormalizeFactors factors;
};
// g may be dy.
void normalize_grad_sums(Cpu on, const Activation& how, int64_t rows, int64_t columns, const Real* dy, const Real* y,
                         const NormalizeSums& sums, Real* g);
void normalize_grad_sums(Cuda on, const Activation& how, int64_t rows, int64_t columns, const Real* dy, const Real* y,
                         const NormalizeSums& sums, Real* g);
// dx may be g.
void normalize_grad_apply(Cpu on, int64_t rows, int64_t columns, const Real* g, const Real* x, const Real* mean,
                          const NormalizeFactors& factors, Real* dx);
void normalize_grad_apply(Cuda on, int64_t rows, int64_t columns, const Real* g, const Real* x, const Real* mean,
                          const NormalizeFactors& factors, Real* dx);

}  // namespace tobogan::kernels
