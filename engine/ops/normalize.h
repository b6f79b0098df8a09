// Batch and instance normalisation.
#pragma once
#include "engine/ops/activation.h"

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

// A normalised batch with the moments it was normalised by: mean {C} and biased variance {C}.  The moments carry no
// history.
struct BatchNormResult {
  Tensor y, mean, variance;
};

// activation(gamma * (x - mean) / sqrt(variance + epsilon) + beta), by channel, over the rows of a matrix {N, C} or the
// images and pixels of {N, C, H, W}.  gamma {C} and beta {C} may be undefined (1 and 0).  `running` moves towards the
// batch's moments, in place.
BatchNormResult batch_norm(const Tensor& x, const Tensor& gamma, const Tensor& beta,
                           const NormalizeOptions& options = {}, const RunningStatistics& running = {});

// The same with given moments: what batch norm does when it is not training.
Tensor batch_norm_with(const Tensor& x, const Tensor& mean, const Tensor& variance, const Tensor& gamma,
                       const Tensor& beta, const NormalizeOptions& options = {});

}  // namespace tobogan
