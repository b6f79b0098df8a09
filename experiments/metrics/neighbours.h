// Fidelity and variety apart: precision and recall (Kynkaanniemi et al. 2019), density and coverage (Naeem et al.
// 2020).
//
// A sample's ball reaches to its k-th nearest neighbour within its own set.
//   precision  share of fakes in the ball of any real     recall    share of reals in the ball of any fake
//   density    balls of reals a fake lies in, over k      coverage  share of reals whose ball holds a fake
// A few wild fakes, whose balls are huge, raise recall and not coverage; density can exceed 1.
#pragma once
#include "experiments/metrics/metric.h"

namespace tobogan::metrics {

struct NeighbourOptions {
  int neighbours = 5;  // k; 3 in Kynkaanniemi et al.
  int threads = 0;     // 0: one per core
};

struct NeighbourScores {
  double precision = 0, recall = 0, density = 0, coverage = 0;
};

// Memory goes with the number of samples, not with its square.
// Throws Error unless both have the same features, all finite, and more than k samples.
NeighbourScores neighbour_scores(const Features& real, const Features& fake, const NeighbourOptions& options = {},
                                 const OnProgress& progress = {});

double neighbour_cost(int64_t real, int64_t fake, int64_t features);

}  // namespace tobogan::metrics
