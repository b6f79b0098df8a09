// Distances are made for a block of samples at a time, so that memory grows with N, not with its square.
#include "experiments/metrics/neighbours.h"

#include <algorithm>
#include <vector>

#include "experiments/metrics/workers.h"

namespace tobogan::metrics {
namespace {

constexpr int64_t kBlock = 128;  // samples whose distances to all others are in memory at a time, for each thread

// Squared distances of the rows begin..end-1 of a to all rows of b.
Features squared_distances(const Features& a, int64_t begin, int64_t end, const Features& b,
                           const Eigen::VectorXd& norms_b) {
  const auto block = a.middleRows(begin, end - begin);
  Features distances = -2 * (block * b.transpose());
  distances.colwise() += block.rowwise().squaredNorm();
  distances.rowwise() += norms_b.transpose();
  return distances.cwiseMax(0);
}

// The squared distance of each sample to its k-th nearest neighbour.
Eigen::VectorXd squared_radii(Workers& workers, const Features& x, int k) {
  const Eigen::VectorXd norms = x.rowwise().squaredNorm();
  Eigen::VectorXd radii(x.rows());
  workers.run(x.rows(), kBlock, [&](int64_t begin, int64_t end) {
    Features distances = squared_distances(x, begin, end, x, norms);
    for (int64_t i = begin; i < end; ++i) {
      auto row = distances.row(i - begin);
      row(i) = -1;  // itself comes first
      std::nth_element(row.begin(), row.begin() + k, row.end());
      radii[i] = row(k);
    }
  });
  return radii;
}

}  // namespace

NeighbourScores neighbour_scores(const Features& real, const Features& fake, const NeighbourOptions& options,
                                 const OnProgress& progress) {
  const int k = options.neighbours;
  check(k >= 1, "neighbours: expected at least one, got ", k);
  check_features("precision and recall", real, k + 1);
  check_features("precision and recall", fake, k + 1);
  check(real.cols() == fake.cols(), "precision and recall: expected as many features on both sides, got ", real.cols(),
        " and ", fake.cols());
  Workers workers(options.threads, 2 * real.rows() + fake.rows(), progress);
  const Eigen::VectorXd real_radii = squared_radii(workers, real, k), fake_radii = squared_radii(workers, fake, k);
  const Eigen::VectorXd fake_norms = fake.rowwise().squaredNorm();
  // What each real says of all fakes; blocks write to places of their own.
  Eigen::Array<bool, Eigen::Dynamic, 1> recalled(real.rows()), covered(real.rows());
  const int64_t count = (real.rows() + kBlock - 1) / kBlock;
  std::vector<Eigen::ArrayXi> balls(count);  // of each block, how many hold each fake
  workers.run(real.rows(), kBlock, [&](int64_t begin, int64_t end) {
    const Features distances = squared_distances(real, begin, end, fake, fake_norms);
    Eigen::ArrayXi& held = balls[begin / kBlock] = Eigen::ArrayXi::Zero(fake.rows());
    for (int64_t i = begin; i < end; ++i) {
      const auto row = distances.row(i - begin).transpose().array();
      held += (row < real_radii[i]).cast<int>();
      recalled[i] = (row < fake_radii.array()).any();
      covered[i] = (row < real_radii[i]).any();
    }
  });
  Eigen::ArrayXi held = Eigen::ArrayXi::Zero(fake.rows());
  for (const Eigen::ArrayXi& of_block : balls) held += of_block;
  return {.precision = (held > 0).cast<double>().mean(),
          .recall = recalled.cast<double>().mean(),
          .density = held.cast<double>().mean() / k,
          .coverage = covered.cast<double>().mean()};
}

double neighbour_cost(int64_t real, int64_t fake, int64_t features) {
  const auto r = static_cast<double>(real), f = static_cast<double>(fake);
  return (r * r + f * f + r * f) * static_cast<double>(features);
}

}  // namespace tobogan::metrics
