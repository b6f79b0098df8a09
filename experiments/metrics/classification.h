// How well a classifier does: accuracy, precision, recall, squared error and cross-entropy.
//
// Where a quotient is 0 / 0 (a class that is never predicted has no precision) it counts as 0, as in scikit-learn with
// zero_division=0.
#pragma once
#include <Eigen/Core>
#include <cstdint>
#include <span>

namespace tobogan::metrics {

// Element (t, p): how many samples of class t were taken for class p.
using Confusion = Eigen::Matrix<int64_t, Eigen::Dynamic, Eigen::Dynamic>;

// Throws Error unless there is one prediction a label, at least one, and all lie in 0..classes-1.
Confusion confusion(std::span<const int32_t> truth, std::span<const int32_t> predicted, int classes);

// The share of samples on the diagonal.
double accuracy(const Confusion& counts);
// Of those taken for the class, the share that is of it.
double precision(const Confusion& counts, int label);
// Of those of the class, the share that was found.
double recall(const Confusion& counts, int label);
// The plain mean over all classes.
double macro_precision(const Confusion& counts);
double macro_recall(const Confusion& counts);

// The share of equal labels.  Throws Error unless both have the same number, at least one.
double accuracy(std::span<const int32_t> truth, std::span<const int32_t> predicted);

// Two classes, judged by the probability of class 1, which is predicted where that is above the threshold.
struct BinaryScores {
  double accuracy, precision, recall;  // the last two of class 1
  double mse;                          // mean of (probability - label)^2
  double bce;  // -mean of log(probability of the label), probabilities held inside 1e-7 .. 1 - 1e-7 as Keras does
};
// Throws Error unless labels are 0 or 1, probabilities in 0..1, and both have the same number, at least one.
BinaryScores binary_scores(std::span<const int32_t> truth, std::span<const double> probability, double threshold = 0.5);

}  // namespace tobogan::metrics
