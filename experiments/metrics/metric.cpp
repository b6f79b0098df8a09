// Checks and words that every metric needs.
#include "experiments/metrics/metric.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "kernels/cores.h"

namespace tobogan::metrics {

Features features_of(const Tensor& x) {
  check(x.shape().rank() == 2, "features: expected a matrix {N, F}, got shape ", x.shape());
  const std::vector<Real> values = x.to_host();
  Features features(x.shape()[0], x.shape()[1]);
  std::copy(values.begin(), values.end(), features.data());
  return features;
}

void check_features(const std::string& what, const Features& x, int64_t rows) {
  check(x.rows() >= rows && x.cols() >= 1, what, ": expected at least ", rows, " samples and one feature, got ",
        x.rows(), " samples of ", x.cols(), " features");
  check(x.allFinite(), what, ": the features hold numbers that are not finite");
}

std::string cost_text(double multiply_adds) {
  constexpr double kRate = 1e10;  // of dense products in double on one core
  const double seconds = multiply_adds / kRate;
  char text[96];
  const auto [time, unit] = seconds < 100    ? std::pair(seconds, "s")
                            : seconds < 6000 ? std::pair(seconds / 60, "min")
                                             : std::pair(seconds / 3600, "h");
  std::snprintf(text, sizeof text, "%.1e multiply-adds, about %.2g %s on one core", multiply_adds, time, unit);
  return text;
}

int thread_count(int threads) {
  check(threads >= 0, "threads: expected 0 (one per core) or more, got ", threads);
  return threads > 0 ? threads : kernels::available_cores();
}

MeanDeviation mean_deviation(std::span<const double> values) {
  const Eigen::Map<const Eigen::ArrayXd> x(values.data(), static_cast<int64_t>(values.size()));
  return {x.mean(), std::sqrt((x - x.mean()).square().mean())};
}

std::string Provenance::text() const {
  std::string text = concat_text(extractor, ", ", samples, " images");
  if (!reference.empty()) text += concat_text(" against ", reference_samples, " of ", reference);
  return text + ", " + (resize.empty() ? "not resized" : "resized to " + resize);
}

}  // namespace tobogan::metrics
