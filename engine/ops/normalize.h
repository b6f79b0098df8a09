// Batch normalisation.
#pragma once
#include "engine/ops/activation.h"
#include "kernels/normalize.h"

namespace tobogan {

struct NormalizeOptions {
  double epsilon = 1e-5;
  kernels::Activation activation = {};  // applied to the result in the same pass
};

// Averages of the batches' moments, which are used when no more batches come: mean {C} and variance {C}, or undefined.
struct RunningStatistics {
  Tensor mean, variance;
  double keep = 0.9;     // weight of the old value
  bool unbiased = true;  // of the batch's variance
};

// What batch norm wants to know of a batch.  An operation that makes the batch can find it out on the way.
struct BatchMoments {
  double epsilon = 1e-5;
  RunningStatistics running = {};               // moves towards the batch's moments, in place
  Tensor mean = {}, variance = {}, scale = {};  // {C}, biased, 1 / sqrt(variance + epsilon); carry no history
};
// For the kernel that finds it out: makes room for it.  x: the batch's shape.
kernels::ColumnMoments column_moments(BatchMoments& moments, const Shape& x, const Device& device);

// A normalised batch with the moments it was normalised by.
struct BatchNormResult {
  Tensor y, mean, variance;
};

// activation(gamma * (x - mean) / sqrt(variance + epsilon) + beta), by channel, over the rows of a matrix {N, C} or the
// images and pixels of {N, C, H, W}.  gamma {C} and beta {C} may be undefined (1 and 0).  `running` moves towards the
// batch's moments, in place.
BatchNormResult batch_norm(const Tensor& x, const Tensor& gamma, const Tensor& beta,
                           const NormalizeOptions& options = {}, const RunningStatistics& running = {});
// The same where the moments of x are known already.
Tensor batch_norm(const Tensor& x, const BatchMoments& moments, const Tensor& gamma, const Tensor& beta,
                  const kernels::Activation& activation = {});

// For the kernel that takes the first step of batch norm's way back: makes room for the step's results in `to`.
kernels::NormalizeSums normalize_sums(const FirstStep& step, SteppedGradient& to);

// The same with given moments, mean {C} and variance {C}: what batch norm does when it is not training.  They are taken
// for constants; a mean that moves before grad() makes grad() refuse.
Tensor batch_norm_with(const Tensor& x, const Tensor& mean, const Tensor& variance, const Tensor& gamma,
                       const Tensor& beta, const NormalizeOptions& options = {});

}  // namespace tobogan
