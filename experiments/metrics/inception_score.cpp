// Rows are shuffled before they are split, as fakes often come sorted by class.
#include "experiments/metrics/inception_score.h"

#include <cmath>

#include "datasets/dataset.h"

namespace tobogan::metrics {
namespace {

// exp of the mean divergence of rows from their own mean.
double score_of(const Features& p) {
  const Eigen::RowVectorXd mean = p.colwise().mean();
  const auto logarithm = [](double x) { return x > 0 ? std::log(x) : 0; };  // 0 log 0 = 0
  const Eigen::RowVectorXd log_mean = mean.unaryExpr(logarithm);
  const Features difference = p.unaryExpr(logarithm).rowwise() - log_mean;
  return std::exp(p.cwiseProduct(difference).sum() / static_cast<double>(p.rows()));
}

}  // namespace

MeanDeviation inception_score(const Features& probabilities, const InceptionScoreOptions& options) {
  const int64_t n = probabilities.rows();
  check(options.splits >= 1, "inception score: expected at least one split, got ", options.splits);
  check_features("inception score", probabilities, options.splits);
  for (int64_t i = 0; i < n; ++i) {
    const double sum = probabilities.row(i).sum();
    check(std::abs(sum - 1) < 1e-3 && probabilities.row(i).minCoeff() >= 0, "inception score: row ", i,
          " is not a distribution, its sum is ", sum);
  }
  const std::vector<int32_t> order = draw_indices(static_cast<int>(n), static_cast<int>(n), options.seed);
  Features shuffled(n, probabilities.cols());
  for (int64_t i = 0; i < n; ++i) shuffled.row(i) = probabilities.row(order[i]);
  std::vector<double> scores;
  for (int64_t split = 0; split < options.splits; ++split) {
    const int64_t begin = split * n / options.splits, end = (split + 1) * n / options.splits;
    scores.push_back(score_of(shuffled.middleRows(begin, end - begin)));
  }
  return mean_deviation(scores);
}

Features softmax_rows(const Features& logits) {
  Features p = (logits.colwise() - logits.rowwise().maxCoeff()).array().exp();
  return p.array().colwise() / p.rowwise().sum().array();
}

}  // namespace tobogan::metrics
