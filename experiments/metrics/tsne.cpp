// The exact sums over all pairs, rows shared among threads.
#include "experiments/metrics/tsne.h"

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>

#include "experiments/metrics/frechet.h"
#include "experiments/metrics/workers.h"

namespace tobogan::metrics {
namespace {

constexpr int64_t kBlock = 32;  // rows of the N x N matrices that a thread takes at a time

// The probabilities of the neighbours at these squared distances under the Gaussian whose entropy is the one wanted.
Eigen::ArrayXd neighbour_probabilities(const Eigen::ArrayXd& distances, int64_t self, double entropy_wanted) {
  Eigen::ArrayXd others = distances;
  others[self] = std::numeric_limits<double>::infinity();
  others -= others.minCoeff();  // changes the normaliser only, and keeps it away from 0
  others[self] = 0;
  Eigen::ArrayXd p;
  double precision = 1, low = 0, high = std::numeric_limits<double>::infinity();
  for (int step = 0; step < 100; ++step) {
    p = (-precision * others).exp();
    p[self] = 0;
    const double sum = p.sum();
    p /= sum;
    const double entropy = std::log(sum) + precision * (p * others).sum();
    if (std::abs(entropy - entropy_wanted) <= 1e-5) break;
    (entropy > entropy_wanted ? low : high) = precision;
    precision = std::isinf(high) ? 2 * low : (low + high) / 2;
  }
  return p;
}

// 1 / (1 + squared distance) of point i to all points, and 0 to itself.
Eigen::ArrayXd closeness(const Eigen::ArrayXd& x, const Eigen::ArrayXd& y, int64_t i) {
  Eigen::ArrayXd w = (1 + (x - x[i]).square() + (y - y[i]).square()).inverse();
  w[i] = 0;
  return w;
}

Features gradient(kernels::Threads& pool, const Features& p, const Features& points) {
  const Eigen::ArrayXd x = points.col(0), y = points.col(1);
  Features attraction(p.rows(), 2), repulsion(p.rows(), 2);
  Eigen::ArrayXd normaliser(p.rows());
  pool.for_range(p.rows(), kBlock, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const Eigen::ArrayXd w = closeness(x, y, i), dx = x[i] - x, dy = y[i] - y;
      const Eigen::ArrayXd pull = p.row(i).transpose().array() * w, push = w.square();
      attraction.row(i) << (pull * dx).sum(), (pull * dy).sum();
      repulsion.row(i) << (push * dx).sum(), (push * dy).sum();
      normaliser[i] = w.sum();
    }
  });
  return 4 * (attraction - repulsion / normaliser.sum());
}

// Gradient descent with momentum and a gain for each coordinate, which grows while the coordinate keeps its direction.
class Descent {
 public:
  Descent(int64_t samples) : rate_(std::max(static_cast<double>(samples) / 48, 50.0)) {
    step_ = Features::Zero(samples, 2);
    gain_ = Eigen::ArrayXXd::Ones(samples, 2);
  }

  void move(Features& points, const Features& gradient, double momentum) {
    gain_ = (step_.array() * gradient.array() < 0).select(gain_ + 0.2, gain_ * 0.8).max(0.01);
    step_ = momentum * step_.array() - rate_ * gain_ * gradient.array();
    points += step_;
  }

 private:
  double rate_;
  Features step_;
  Eigen::ArrayXXd gain_;
};

}  // namespace

Features principal_components(const Features& x, int components) {
  check(components >= 1 && components <= std::min(x.rows(), x.cols()), "principal components: expected 1..",
        std::min(x.rows(), x.cols()), " of them, got ", components);
  const Moments of_x = moments(x);
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(of_x.covariance);
  check(solver.info() == Eigen::Success, "principal components: the eigenvectors of ", x.cols(),
        " features were not found");
  Eigen::MatrixXd directions = solver.eigenvectors().rowwise().reverse().leftCols(components);
  for (auto direction : directions.colwise()) {
    Eigen::Index largest = 0;
    direction.cwiseAbs().maxCoeff(&largest);
    if (direction[largest] < 0) direction = -direction;
  }
  return (x.rowwise() - of_x.mean.transpose()) * directions;
}

Features joint_probabilities(const Features& x, double perplexity, int threads) {
  check_features("t-SNE", x, 4);
  const auto n = static_cast<double>(x.rows());
  check(perplexity >= 1 && perplexity < (n - 1) / 3, "t-SNE: expected a perplexity from 1 to below ", (n - 1) / 3,
        " for ", n, " samples, got ", perplexity);
  Features p(x.rows(), x.rows());
  kernels::Threads pool(thread_count(threads));
  pool.for_range(x.rows(), kBlock, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const Eigen::ArrayXd distances = (x.rowwise() - x.row(i)).rowwise().squaredNorm();
      p.row(i) = neighbour_probabilities(distances, i, std::log(perplexity)).transpose();
    }
  });
  return (p + p.transpose()) / (2 * n);
}

double tsne_divergence(const Features& probabilities, const Features& points) {
  const Eigen::ArrayXd x = points.col(0), y = points.col(1);
  double sum = 0, normaliser = 0;  // of p log(p / w), and of w
  for (int64_t i = 0; i < points.rows(); ++i) {
    const Eigen::ArrayXd w = closeness(x, y, i), p = probabilities.row(i).transpose();
    sum += (p > 0 && w > 0).select(p * (p / w).log(), 0).sum();
    normaliser += w.sum();
  }
  return sum + probabilities.sum() * std::log(normaliser);
}

Features tsne_gradient(const Features& probabilities, const Features& points, int threads) {
  kernels::Threads pool(thread_count(threads));
  return gradient(pool, probabilities, points);
}

Tsne tsne(const Features& x, const TsneOptions& options, const OnProgress& progress) {
  check_features("t-SNE", x, 4);
  check(x.cols() >= 2, "t-SNE: expected at least two features, got ", x.cols());
  const int64_t most = std::min<int64_t>({std::max(options.components, 2), x.rows(), x.cols()});
  const Features reduced = principal_components(x, static_cast<int>(most));
  Features p = joint_probabilities(reduced, options.perplexity, options.threads);
  Features points = reduced.leftCols(2);
  const double deviation = std::sqrt(points.col(0).squaredNorm() / static_cast<double>(points.rows()));
  check(deviation > 0, "t-SNE: all ", x.rows(), " samples are the same");
  points *= 1e-4 / deviation;
  kernels::Threads pool(thread_count(options.threads));
  Descent descent(x.rows());
  p *= options.exaggeration;
  for (int i = 0; i < options.iterations; ++i) {
    if (i == options.exaggerated) p /= options.exaggeration;
    descent.move(points, gradient(pool, p, points), i < options.exaggerated ? 0.5 : 0.8);
    if (progress) progress(i + 1, options.iterations);
  }
  if (options.iterations <= options.exaggerated) p /= options.exaggeration;
  const double divergence = tsne_divergence(p, points);
  return {std::move(points), divergence};
}

double tsne_cost(int64_t samples, const TsneOptions& options) {
  const auto n = static_cast<double>(samples);
  return n * n * (options.components + 20.0 * options.iterations);
}

}  // namespace tobogan::metrics
