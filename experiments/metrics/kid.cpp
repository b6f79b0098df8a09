// Each subset is three products of matrices.
#include "experiments/metrics/kid.h"

#include <algorithm>

#include "datasets/dataset.h"
#include "engine/random.h"
#include "experiments/metrics/workers.h"

namespace tobogan::metrics {
namespace {

Features kernel(const Features& a, const Features& b) {
  Features products = a * b.transpose();
  return (products.array() / static_cast<double>(a.cols()) + 1).cube();
}

// The mean over pairs of different rows.
double mean_of_pairs(const Features& x) {
  const Features values = kernel(x, x);
  const auto n = static_cast<double>(x.rows());
  return (values.sum() - values.trace()) / (n * (n - 1));
}

Features draw_rows(const Features& x, int wanted, uint64_t seed) {
  const std::vector<int32_t> rows = draw_indices(wanted, static_cast<int>(x.rows()), seed);
  Features drawn(wanted, x.cols());
  for (int i = 0; i < wanted; ++i) drawn.row(i) = x.row(rows[i]);
  return drawn;
}

void check_pair(const Features& a, const Features& b) {
  check_features("KID", a, 2);
  check_features("KID", b, 2);
  check(a.cols() == b.cols(), "KID: expected as many features on both sides, got ", a.cols(), " and ", b.cols());
}

}  // namespace

double squared_mmd(const Features& a, const Features& b) {
  check_pair(a, b);
  return mean_of_pairs(a) + mean_of_pairs(b) - 2 * kernel(a, b).mean();
}

MeanDeviation kernel_inception_distance(const Features& a, const Features& b, const KidOptions& options,
                                        const OnProgress& progress) {
  check_pair(a, b);
  check(options.subsets >= 1 && options.subset_size >= 2, "KID: expected at least one subset of two samples, got ",
        options.subsets, " of ", options.subset_size);
  const int size_a = static_cast<int>(std::min<int64_t>(options.subset_size, a.rows()));
  const int size_b = static_cast<int>(std::min<int64_t>(options.subset_size, b.rows()));
  std::vector<double> estimates(options.subsets);
  Workers(options.threads, options.subsets, progress).run(options.subsets, 1, [&](int64_t subset, int64_t) {
    estimates[subset] = squared_mmd(draw_rows(a, size_a, stream_key(options.seed, concat_text("a/", subset))),
                                    draw_rows(b, size_b, stream_key(options.seed, concat_text("b/", subset))));
  });
  return mean_deviation(estimates);
}

double kid_cost(int64_t features, const KidOptions& options) {
  return 3.0 * options.subsets * options.subset_size * options.subset_size * static_cast<double>(features);
}

}  // namespace tobogan::metrics
