// The kernel inception distance (Binkowski et al. 2018): the squared maximum mean discrepancy under the kernel
// (x . y / F + 1)^3, by the unbiased estimate (no sample is compared with itself), so that it may be below 0 and does
// not shrink with the number of samples as FID does.
#pragma once
#include "experiments/metrics/metric.h"

namespace tobogan::metrics {

struct KidOptions {
  int subsets = 100, subset_size = 1000;  // a smaller set is taken whole, which makes all subsets the same
  uint64_t seed = 0;
  int threads = 0;  // 0: one per core
};

// Throws Error unless both have the same features, all finite, and at least two samples.
// The result is over the subsets.
MeanDeviation kernel_inception_distance(const Features& a, const Features& b, const KidOptions& options = {},
                                        const OnProgress& progress = {});

// The estimate itself, on all samples.
double squared_mmd(const Features& a, const Features& b);

double kid_cost(int64_t features, const KidOptions& options);

}  // namespace tobogan::metrics
