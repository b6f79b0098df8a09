// Everything but the losses follows from the confusion matrix.
#include "experiments/metrics/classification.h"

#include <algorithm>
#include <cmath>

#include "engine/error.h"

namespace tobogan::metrics {
namespace {

double quotient(int64_t part, int64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

template <class A, class B>
void check_sizes(const char* what, const A& truth, const B& predicted) {
  check(truth.size() == predicted.size() && !truth.empty(), what, ": expected one prediction a label, got ",
        predicted.size(), " for ", truth.size(), " labels");
}

void check_label(const Confusion& counts, int label) {
  check(counts.rows() == counts.cols() && label >= 0 && label < counts.rows(), "confusion matrix of ", counts.rows(),
        " x ", counts.cols(), " classes: there is no class ", label);
}

}  // namespace

Confusion confusion(std::span<const int32_t> truth, std::span<const int32_t> predicted, int classes) {
  check_sizes("confusion", truth, predicted);
  check(classes >= 1, "confusion: expected at least one class, got ", classes);
  Confusion counts = Confusion::Zero(classes, classes);
  for (size_t i = 0; i < truth.size(); ++i) {
    for (const int32_t label : {truth[i], predicted[i]}) {
      check(label >= 0 && label < classes, "confusion: label ", label, " of sample ", i, " is outside 0..",
            classes - 1);
    }
    ++counts(truth[i], predicted[i]);
  }
  return counts;
}

double accuracy(const Confusion& counts) {
  return quotient(counts.trace(), counts.sum());
}

double precision(const Confusion& counts, int label) {
  check_label(counts, label);
  return quotient(counts(label, label), counts.col(label).sum());
}

double recall(const Confusion& counts, int label) {
  check_label(counts, label);
  return quotient(counts(label, label), counts.row(label).sum());
}

double macro_precision(const Confusion& counts) {
  double sum = 0;
  for (int label = 0; label < counts.rows(); ++label) sum += precision(counts, label);
  return sum / static_cast<double>(counts.rows());
}

double macro_recall(const Confusion& counts) {
  double sum = 0;
  for (int label = 0; label < counts.rows(); ++label) sum += recall(counts, label);
  return sum / static_cast<double>(counts.rows());
}

double accuracy(std::span<const int32_t> truth, std::span<const int32_t> predicted) {
  check_sizes("accuracy", truth, predicted);
  int64_t right = 0;
  for (size_t i = 0; i < truth.size(); ++i) right += truth[i] == predicted[i];
  return quotient(right, static_cast<int64_t>(truth.size()));
}

BinaryScores binary_scores(std::span<const int32_t> truth, std::span<const double> probability, double threshold) {
  check_sizes("binary scores", truth, probability);
  Confusion counts = Confusion::Zero(2, 2);
  double squares = 0, logarithms = 0;
  for (size_t i = 0; i < truth.size(); ++i) {
    const double p = probability[i];
    check(truth[i] == 0 || truth[i] == 1, "binary scores: expected labels 0 and 1, got ", truth[i]);
    check(p >= 0 && p <= 1, "binary scores: expected probabilities, got ", p);
    ++counts(truth[i], p > threshold);
    squares += (p - truth[i]) * (p - truth[i]);
    logarithms += std::log(std::clamp(truth[i] ? p : 1 - p, 1e-7, 1 - 1e-7));
  }
  const auto n = static_cast<double>(truth.size());
  return {.accuracy = accuracy(counts),
          .precision = precision(counts, 1),
          .recall = recall(counts, 1),
          .mse = squares / n,
          .bce = -logarithms / n};
}

}  // namespace tobogan::metrics
