// What is written about a column when its statistics are known: by the reductions of normalize.cu, and by convolutions
// that take the statistics of their own results.
#pragma once
#include "kernels/cuda/device.cuh"
#include "kernels/normalize.h"

namespace tobogan::kernels {

__device__ inline void write_moments(const ColumnMoments& to, int64_t column, float mean, float variance) {
  to.mean[column] = mean;
  to.variance[column] = variance;
  to.scale[column] = 1 / sqrtf(variance + to.epsilon);
  const RunningMoments& running = to.running;
  if (running.mean == nullptr) return;
  const float keep = running.keep;
  running.mean[column] = fmaf(keep, running.mean[column], (1 - keep) * mean);
  running.variance[column] = fmaf(keep, running.variance[column], (1 - keep) * running.correction * variance);
}

// share: 1 / rows.
__device__ inline void write_grad_sums(const NormalizeSums& to, int64_t column, double g, double gh, double share) {
  to.dbeta[column] = float(g);
  to.dgamma[column] = float(gh);
  const float scale = to.scale[column], a = to.gamma != nullptr ? to.gamma[column] * scale : scale;
  to.factors.a[column] = a;
  to.factors.b[column] = a * scale * float(gh * share);
  to.factors.c[column] = a * float(g * share);
}

}  // namespace tobogan::kernels
