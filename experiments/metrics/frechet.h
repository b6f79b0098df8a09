// The Frechet distance between two normal distributions: FID where the features are Inception's (Heusel et al. 2017).
//
// |m1 - m2|^2 + tr S1 + tr S2 - 2 tr (S1 S2)^(1/2).  The last trace is the sum of the roots of the eigenvalues of
// L^(1/2) Q^T S2 Q L^(1/2) with S1 = Q L Q^T: two symmetric eigenproblems, where others take the root of a matrix that
// is not symmetric and drop what is imaginary of it.  Eigenvalues below 0, which only rounding makes, count as 0, so
// fewer samples than features need no special care.
#pragma once
#include "experiments/metrics/metric.h"

namespace tobogan::metrics {

struct Moments {
  Eigen::VectorXd mean;        // {F}
  Eigen::MatrixXd covariance;  // {F, F}, divisor n - 1
  int64_t samples = 0;
};

// Throws Error for fewer than two samples and for features that are not finite.
Moments moments(const Features& x, int threads = 0);

// FID of the two.  Symmetric; 0 for equal moments up to rounding.  Throws Error unless both have the same features.
// With one reference for many sets, keep its Moments.
double frechet_distance(const Moments& a, const Moments& b);

// Moments of `samples` and one distance.
double frechet_cost(int64_t samples, int64_t features);

}  // namespace tobogan::metrics
