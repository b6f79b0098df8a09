// How far two labellings of the same samples agree, whatever their labels are called.
//
// Labels are any numbers that are not negative.  All functions throw Error unless both have one label a sample, and at
// least one sample.
#pragma once
#include <Eigen/Core>
#include <cstdint>
#include <span>
#include <vector>

namespace tobogan::metrics {

// Element (i, j): how many samples have label i in a and label j in b.
using Contingency = Eigen::Matrix<int64_t, Eigen::Dynamic, Eigen::Dynamic>;
Contingency contingency(std::span<const int32_t> a, std::span<const int32_t> b);

// Mutual information over the arithmetic mean of the entropies, natural logarithms; 1 where both know one cluster only
// (scikit-learn's default).
double normalized_mutual_information(std::span<const int32_t> a, std::span<const int32_t> b);

// (S - E) / ((A + B) / 2 - E), S the pairs together in both, A and B the pairs together in one, E = A B / all pairs
// (Hubert & Arabie 1985); 1 where both say the same of every pair.
double adjusted_rand_index(std::span<const int32_t> a, std::span<const int32_t> b);

// The assignment of rows to different columns with the smallest sum of costs: the column of each row.  Exact, by
// shortest augmenting paths, O(rows^2 * columns) (Kuhn 1955, Jonker & Volgenant 1987).
// Throws Error where there are more rows than columns, or for a cost that is not finite.
std::vector<int> cheapest_assignment(const Eigen::MatrixXd& cost);

// The share of equal labels after the best one-to-one renaming of clusters to classes.
double matched_accuracy(std::span<const int32_t> truth, std::span<const int32_t> cluster);

}  // namespace tobogan::metrics
