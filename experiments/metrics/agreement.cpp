// Everything follows from the table of how many samples have each pair of labels.
#include "experiments/metrics/agreement.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/error.h"

namespace tobogan::metrics {
namespace {

// -sum of p log p.
double entropy(const Eigen::ArrayXd& counts) {
  const double n = counts.sum();
  return -(counts > 0).select(counts / n * (counts.max(1) / n).log(), 0).sum();
}

// The number of pairs of equal things, summed.
double pairs(const Eigen::ArrayXXd& counts) {
  return (counts * (counts - 1) / 2).sum();
}

}  // namespace

Contingency contingency(std::span<const int32_t> a, std::span<const int32_t> b) {
  check(a.size() == b.size() && !a.empty(), "agreement: expected two labels a sample, got ", a.size(), " and ",
        b.size(), " labels");
  for (const auto& labels : {a, b}) {
    const int32_t least = std::ranges::min(labels);
    check(least >= 0, "agreement: a label must not be negative, got ", least);
  }
  Contingency counts = Contingency::Zero(std::ranges::max(a) + 1, std::ranges::max(b) + 1);
  for (size_t i = 0; i < a.size(); ++i) ++counts(a[i], b[i]);
  return counts;
}

double normalized_mutual_information(std::span<const int32_t> a, std::span<const int32_t> b) {
  const Eigen::ArrayXXd counts = contingency(a, b).cast<double>().array();
  const double of_a = entropy(counts.rowwise().sum()), of_b = entropy(counts.colwise().sum().transpose());
  if (of_a == 0 && of_b == 0) return 1;
  const double joint = entropy(counts.reshaped());
  return std::clamp((of_a + of_b - joint) / ((of_a + of_b) / 2), 0.0, 1.0);
}

double adjusted_rand_index(std::span<const int32_t> a, std::span<const int32_t> b) {
  const Eigen::ArrayXXd counts = contingency(a, b).cast<double>().array();
  const double together = pairs(counts), of_a = pairs(counts.rowwise().sum()), of_b = pairs(counts.colwise().sum());
  const auto n = static_cast<double>(a.size());
  const double expected = n > 1 ? of_a * of_b / (n * (n - 1) / 2) : 0;
  const double most = (of_a + of_b) / 2;
  return most == expected ? 1 : (together - expected) / (most - expected);
}

// Rows are added one at a time.  Potentials u and v keep every reduced cost cost - u - v at 0 or above, and at 0 for
// what is assigned; the new row finds its way to a free column along the smallest reduced costs, as Dijkstra would.
// Index 0 is no row and no column.
std::vector<int> cheapest_assignment(const Eigen::MatrixXd& cost) {
  const int rows = static_cast<int>(cost.rows()), columns = static_cast<int>(cost.cols());
  check(rows <= columns, "assignment: expected at least as many columns as rows, got ", rows, " x ", columns);
  check(cost.allFinite(), "assignment: the costs hold numbers that are not finite");
  constexpr double kFar = std::numeric_limits<double>::infinity();
  std::vector<double> u(rows + 1, 0), v(columns + 1, 0);
  std::vector<int> row_of(columns + 1, 0), before(columns + 1, 0);
  for (int row = 1; row <= rows; ++row) {
    std::vector<double> distance(columns + 1, kFar);
    std::vector<bool> seen(columns + 1, false);
    row_of[0] = row;
    int column = 0;
    do {
      seen[column] = true;
      int next = 0;
      double step = kFar;
      for (int j = 1; j <= columns; ++j) {
        if (seen[j]) continue;
        const double reduced = cost(row_of[column] - 1, j - 1) - u[row_of[column]] - v[j];
        if (reduced < distance[j]) distance[j] = reduced, before[j] = column;
        if (distance[j] < step) step = distance[j], next = j;
      }
      for (int j = 0; j <= columns; ++j) {
        if (seen[j]) {
          u[row_of[j]] += step, v[j] -= step;
        } else {
          distance[j] -= step;
        }
      }
      column = next;
    } while (row_of[column] != 0);
    for (; column != 0; column = before[column]) row_of[column] = row_of[before[column]];
  }
  std::vector<int> column_of(rows);
  for (int j = 1; j <= columns; ++j) {
    if (row_of[j] != 0) column_of[row_of[j] - 1] = j - 1;
  }
  return column_of;
}

double matched_accuracy(std::span<const int32_t> truth, std::span<const int32_t> cluster) {
  Eigen::MatrixXd counts = contingency(truth, cluster).cast<double>();
  if (counts.rows() > counts.cols()) counts.transposeInPlace();
  const std::vector<int> match = cheapest_assignment(-counts);
  double right = 0;
  for (int i = 0; i < counts.rows(); ++i) right += counts(i, match[i]);
  return right / static_cast<double>(truth.size());
}

}  // namespace tobogan::metrics
