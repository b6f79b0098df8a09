// Distances come from products of matrices; an empty cluster takes the sample that is furthest from its centre.
#include "experiments/metrics/kmeans.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "datasets/random.h"
#include "kernels/cpu/threads.h"

namespace tobogan::metrics {
namespace {

constexpr int64_t kBlock = 256;  // samples that one thread takes at a time

struct Nearest {
  std::vector<int32_t> centre;
  Eigen::VectorXd distance;  // squared
};

Nearest nearest_centres(kernels::Threads& pool, const Features& x, const Features& centres) {
  Nearest nearest{std::vector<int32_t>(x.rows()), Eigen::VectorXd(x.rows())};
  const Eigen::RowVectorXd norms = centres.rowwise().squaredNorm().transpose();
  pool.for_range(x.rows(), kBlock, [&](int64_t begin, int64_t end) {
    // |c|^2 - 2 x . c orders centres as the distance does.
    Features scores = -2 * (x.middleRows(begin, end - begin) * centres.transpose());
    scores.rowwise() += norms;
    for (int64_t i = begin; i < end; ++i) {
      Eigen::Index best = 0;
      scores.row(i - begin).minCoeff(&best);
      nearest.centre[i] = static_cast<int32_t>(best);
      nearest.distance[i] = (x.row(i) - centres.row(best)).squaredNorm();
    }
  });
  return nearest;
}

// The sample furthest from its centre of those that share theirs.
int64_t furthest_sample(const Nearest& nearest, const Eigen::VectorXi& sizes) {
  int64_t furthest = -1;
  for (int64_t i = 0; i < nearest.distance.size(); ++i) {
    if (sizes[nearest.centre[i]] < 2) continue;
    if (furthest < 0 || nearest.distance[i] > nearest.distance[furthest]) furthest = i;
  }
  return furthest;
}

// The means of the clusters.  An empty one is given a sample first.
Features cluster_means(const Features& x, Nearest& nearest, int64_t clusters) {
  Features sums = Features::Zero(clusters, x.cols());
  Eigen::VectorXi sizes = Eigen::VectorXi::Zero(clusters);
  for (int64_t i = 0; i < x.rows(); ++i) {
    sums.row(nearest.centre[i]) += x.row(i);
    ++sizes[nearest.centre[i]];
  }
  for (int64_t c = 0; c < clusters; ++c) {
    if (sizes[c] > 0) continue;
    const int64_t moved = furthest_sample(nearest, sizes);
    const int32_t old = std::exchange(nearest.centre[moved], static_cast<int32_t>(c));
    sums.row(old) -= x.row(moved);
    --sizes[old];
    sums.row(c) = x.row(moved);
    sizes[c] = 1;
  }
  return sums.array().colwise() / sizes.cast<double>().array();
}

double mean_variance(const Features& x) {
  return (x.rowwise() - x.colwise().mean()).squaredNorm() / static_cast<double>(x.size());
}

KMeans lloyd(kernels::Threads& pool, const Features& x, Features centres, int most, double least_shift) {
  Nearest nearest = nearest_centres(pool, x, centres);
  int iteration = 0;
  while (iteration < most) {
    ++iteration;
    Features moved = cluster_means(x, nearest, centres.rows());
    const double shift = (moved - centres).squaredNorm();
    centres = std::move(moved);
    Nearest next = nearest_centres(pool, x, centres);
    const bool same = next.centre == nearest.centre;
    nearest = std::move(next);
    if (same || shift <= least_shift) break;
  }
  return {std::move(nearest.centre), std::move(centres), nearest.distance.sum(), iteration};
}

// Each next centre is drawn with the squared distance to the nearest one so far.
Features seed_centres(const Features& x, int clusters, Draws draws) {
  Features centres(clusters, x.cols());
  Eigen::VectorXd distance = Eigen::VectorXd::Constant(x.rows(), std::numeric_limits<double>::infinity());
  Eigen::Index drawn = static_cast<Eigen::Index>(draws.below(static_cast<uint64_t>(x.rows())));
  for (int c = 0;; ++c) {
    centres.row(c) = x.row(drawn);
    if (c + 1 == clusters) return centres;
    distance = distance.cwiseMin((x.rowwise() - x.row(drawn)).rowwise().squaredNorm());
    double left = draws.uniform() * distance.sum();
    for (drawn = 0; drawn + 1 < x.rows() && (left -= distance[drawn]) >= 0; ++drawn) continue;
  }
}

void check_options(const Features& x, const KMeansOptions& options) {
  check(options.clusters >= 1 && options.starts >= 1 && options.iterations >= 1,
        "k-means: expected at least one cluster, start and iteration, got ", options.clusters, ", ", options.starts,
        " and ", options.iterations);
  check_features("k-means", x, options.clusters);
}

}  // namespace

KMeans kmeans(const Features& x, const KMeansOptions& options, const OnProgress& progress) {
  check_options(x, options);
  kernels::Threads pool(thread_count(options.threads));
  const double least_shift = options.tolerance * mean_variance(x);
  KMeans best;
  best.inertia = std::numeric_limits<double>::infinity();
  for (int start = 0; start < options.starts; ++start) {
    const Features seeds = seed_centres(x, options.clusters, Draws(options.seed, "k-means", start));
    KMeans found = lloyd(pool, x, seeds, options.iterations, least_shift);
    if (found.inertia < best.inertia) best = std::move(found);
    if (progress) progress(start + 1, options.starts);
  }
  return best;
}

KMeans kmeans_from(const Features& x, const Features& centres, const KMeansOptions& options) {
  check_options(x, options);
  check(centres.rows() == options.clusters && centres.cols() == x.cols(), "k-means: expected ", options.clusters,
        " centres of ", x.cols(), " features, got ", centres.rows(), " of ", centres.cols());
  kernels::Threads pool(thread_count(options.threads));
  return lloyd(pool, x, centres, options.iterations, options.tolerance * mean_variance(x));
}

double kmeans_cost(int64_t samples, int64_t features, const KMeansOptions& options) {
  return static_cast<double>(samples) * static_cast<double>(features) * options.clusters * options.iterations *
         options.starts;
}

}  // namespace tobogan::metrics
