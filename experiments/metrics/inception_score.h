// The inception score (Salimans et al. 2016): exp of the mean KL divergence of p(y | x) from p(y).  It is 1 where a
// classifier tells nothing apart, and the number of classes where it is certain and finds all classes equally often.
#pragma once
#include "experiments/metrics/metric.h"

namespace tobogan::metrics {

struct InceptionScoreOptions {
  int splits = 10;  // of the shuffled samples; p(y) is a split's own mean
  uint64_t seed = 0;
};

// `probabilities` {N, classes}: each row a distribution.  Throws Error for a row whose sum is not 1 within 1e-3 or that
// has a negative element, and for fewer samples than splits.
// The result is over the splits.
MeanDeviation inception_score(const Features& probabilities, const InceptionScoreOptions& options = {});

// Rows of logits to rows of probabilities.
Features softmax_rows(const Features& logits);

}  // namespace tobogan::metrics
