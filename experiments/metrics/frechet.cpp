// Two symmetric eigenproblems (see the header), and covariances by blocks of columns on all threads.
#include "experiments/metrics/frechet.h"

#include <Eigen/Eigenvalues>

#include "kernels/cpu/threads.h"

namespace tobogan::metrics {
namespace {

Eigen::VectorXd symmetric_eigen(Eigen::MatrixXd& matrix, bool vectors) {
  Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(matrix,
                                                        vectors ? Eigen::ComputeEigenvectors : Eigen::EigenvaluesOnly);
  check(solver.info() == Eigen::Success, "Frechet distance: the eigenvalues of a covariance of ", matrix.rows(),
        " features were not found");
  if (vectors) matrix = solver.eigenvectors();
  return solver.eigenvalues().cwiseMax(0);
}

}  // namespace

Moments moments(const Features& x, int threads) {
  check_features("Frechet distance", x, 2);
  Moments result{x.colwise().mean().transpose(), Eigen::MatrixXd(x.cols(), x.cols()), x.rows()};
  const Features centred = x.rowwise() - result.mean.transpose();
  // Blocks of columns, each from the diagonal down; the upper half mirrors the lower.
  constexpr int64_t kBlock = 64;
  kernels::Threads pool(thread_count(threads));
  pool.for_range(x.cols(), kBlock, [&](int64_t begin, int64_t end) {
    const int64_t below = x.cols() - begin;
    result.covariance.block(begin, begin, below, end - begin).noalias() =
        centred.rightCols(below).transpose() * centred.middleCols(begin, end - begin);
  });
  result.covariance = result.covariance.selfadjointView<Eigen::Lower>();
  result.covariance /= static_cast<double>(x.rows() - 1);
  return result;
}

double frechet_distance(const Moments& a, const Moments& b) {
  check(a.mean.size() == b.mean.size(), "Frechet distance: expected as many features on both sides, got ",
        a.mean.size(), " and ", b.mean.size());
  Eigen::MatrixXd vectors = a.covariance;
  const Eigen::VectorXd values = symmetric_eigen(vectors, true);
  const Eigen::MatrixXd root = vectors * values.cwiseSqrt().asDiagonal();
  Eigen::MatrixXd product = root.transpose() * b.covariance * root;
  const double trace = symmetric_eigen(product, false).cwiseSqrt().sum();
  return (a.mean - b.mean).squaredNorm() + a.covariance.trace() + b.covariance.trace() - 2 * trace;
}

double frechet_cost(int64_t samples, int64_t features) {
  const auto n = static_cast<double>(samples), f = static_cast<double>(features);
  return n * f * f / 2 + 12 * f * f * f;  // an eigenproblem with vectors (9), one without (4/3), two products
}

}  // namespace tobogan::metrics
