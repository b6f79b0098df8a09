// What all metrics share: features as matrices, progress, cost, and the provenance without which a number says nothing.
#pragma once
#include <Eigen/Core>
#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "engine/tensor.h"

namespace tobogan::metrics {

// One row a sample.
using Features = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

// A matrix {N, F} of any device.  Throws Error for another rank.
Features features_of(const Tensor& x);

// Throws Error, beginning with `what`, unless every element is a finite number and there are at least `rows` rows.
void check_features(const std::string& what, const Features& x, int64_t rows);

// Called now and then by expensive metrics, by the thread that called them; it may throw to stop the work.  May be
// empty.
using OnProgress = std::function<void(int64_t done, int64_t total)>;

// The cost of a metric before it is asked for, in multiply-adds (the *_cost functions), in words:
// "1.1e+14 multiply-adds, about 3 h on one core", at 1e10 a second.
std::string cost_text(double multiply_adds);

// CPU threads as options name them: 0 is one per core.
int thread_count(int threads);

// Of several estimates; the deviation has their number in its denominator.
struct MeanDeviation {
  double mean = 0, deviation = 0;
};
// REQUIRES: at least one value.
MeanDeviation mean_deviation(std::span<const double> values);

// Where a number comes from; text() is printed beside it.
struct Provenance {
  std::string extractor = {};  // "fid_inception", "fid_h", "pixels", ...
  int64_t samples = 0;         // images judged
  std::string reference = {};  // "the MNIST test set"; empty where there is none
  int64_t reference_samples = 0;
  std::string resize = {};  // "299 x 299, bilinear, TensorFlow 1"; empty where nothing is resized

  // "fid_h, 10000 images against 10000 of the MNIST test set, not resized".
  std::string text() const;
};

}  // namespace tobogan::metrics
