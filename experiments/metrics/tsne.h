// Principal components, and t-SNE (van der Maaten & Hinton 2008) in its exact form, O(N^2) an iteration: pictures of a
// few thousand samples in the plane.
#pragma once
#include "experiments/metrics/metric.h"

namespace tobogan::metrics {

// The centred samples along the `components` directions of largest variance, largest first.  The sign of a component is
// such that its largest loading is positive.  Throws Error unless 1 <= components <= min(samples, features).
Features principal_components(const Features& x, int components);

struct TsneOptions {
  double perplexity = 30;
  int iterations = 1000;
  int exaggerated = 250;  // iterations with P times `exaggeration` and momentum 0.5, then 0.8
  double exaggeration = 12;
  int components = 50;  // by which the input is reduced first, where it has more
  int threads = 0;      // 0: one per core
};

struct Tsne {
  Features points;        // {N, 2}
  double divergence = 0;  // Kullback-Leibler, of the result
};

// Learning rate max(N / 48, 50), gains as in the paper, start from the first two principal components at deviation
// 1e-4: no random number, so the picture is a function of the input.  Throws Error unless perplexity is at least 1 and
// less than (N - 1) / 3, N is 4 at least, and features are finite.
Tsne tsne(const Features& x, const TsneOptions& options = {}, const OnProgress& progress = {});

double tsne_cost(int64_t samples, const TsneOptions& options = {});

// Its parts, for those who watch it work.
//
// Joint probabilities {N, N}: symmetric, sum 1, zero diagonal; each sample's Gaussian has the perplexity asked for, to
// 1e-5 in its logarithm.
Features joint_probabilities(const Features& x, double perplexity, int threads = 0);
// The Kullback-Leibler divergence of the picture {N, 2} from the probabilities, and its gradient {N, 2}.
double tsne_divergence(const Features& probabilities, const Features& points);
Features tsne_gradient(const Features& probabilities, const Features& points, int threads = 0);

}  // namespace tobogan::metrics
