// k-means (Lloyd 1982) from k-means++ seeds (Arthur & Vassilvitskii 2007), the best of several starts.
//
// Every start draws from a stream of its own: a function of (seed, start), the same on any machine, and the result has
// the same bits for any number of threads.
#pragma once
#include <vector>

#include "experiments/metrics/metric.h"

namespace tobogan::metrics {

struct KMeansOptions {
  int clusters = 10;
  int starts = 10;
  int iterations = 300;     // of each start, at most
  double tolerance = 1e-4;  // stop when the centres' squared shift is below this times the mean variance of a feature
  uint64_t seed = 0;
  int threads = 0;  // 0: one per core
};

struct KMeans {
  std::vector<int32_t> labels;  // the nearest centre of each sample; ties go to the first
  Features centres;             // {clusters, features}
  double inertia = 0;           // sum of squared distances to the nearest centre
  int iterations = 0;
};

// Throws Error for fewer samples than clusters and for features that are not finite.
KMeans kmeans(const Features& x, const KMeansOptions& options, const OnProgress& progress = {});

// One run from given centres.  A centre that loses all its samples moves to the sample furthest from its own.
KMeans kmeans_from(const Features& x, const Features& centres, const KMeansOptions& options);

// At most; most runs stop long before.
double kmeans_cost(int64_t samples, int64_t features, const KMeansOptions& options);

}  // namespace tobogan::metrics
