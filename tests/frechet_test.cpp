// The Frechet distance against SciPy's root of a matrix, and where the answer is known.
#include "experiments/metrics/frechet.h"

#include "tests/support/catch.h"
#include "tests/support/hostile.h"
#include "tests/support/metrics_golden.h"

namespace tobogan::metrics {
namespace {

using Catch::Matchers::ContainsSubstring;

Moments normal(const Eigen::VectorXd& mean, const Eigen::MatrixXd& covariance) {
  return {mean, covariance, 100};
}

TEST_CASE("the distance of two sets is SciPy's, also with fewer samples than features") {
  const nlohmann::json wanted = golden("features");
  const Moments a = moments(matrix_of(wanted["a"])), b = moments(matrix_of(wanted["b"]));
  CHECK(frechet_distance(a, b) == Approx(wanted["frechet"].get<double>()).epsilon(1e-9));
  CHECK(frechet_distance(b, a) == Approx(wanted["frechet"].get<double>()).epsilon(1e-9));
  const Moments few_a = moments(matrix_of(wanted["few_a"])), few_b = moments(matrix_of(wanted["few_b"]));
  CHECK(frechet_distance(few_a, few_b) == Approx(wanted["few_frechet"].get<double>()).epsilon(1e-4));  // SciPy's root
  // Directions without samples have the variance 0 up to rounding, and its root is taken: half of the digits are left.
  CHECK(frechet_distance(few_a, few_b) == Approx(frechet_distance(few_b, few_a)).epsilon(1e-7));
}

TEST_CASE("known distances") {
  const Eigen::MatrixXd one = Eigen::MatrixXd::Identity(4, 4);
  const Eigen::Vector4d mean(1, -2, 3, 0.5), zero = Eigen::Vector4d::Zero();
  CHECK(frechet_distance(normal(zero, one), normal(mean, one)) == Approx(mean.squaredNorm()));
  const auto scalar = [](double m, double s) {
    return normal(Eigen::VectorXd::Constant(1, m), Eigen::MatrixXd::Constant(1, 1, s * s));
  };
  CHECK(frechet_distance(scalar(0, 2), scalar(0, 5)) == Approx(9));
  CHECK(frechet_distance(scalar(1, 2), scalar(3, 0)) == Approx(4 + 4));
  // Covariances that do not commute: (S1 S2)^(1/2) of these two has trace sqrt(tr(S1 S2) + 2 sqrt(det(S1 S2))).
  Eigen::Matrix2d s1, s2;  // determinants 5 and 3.75
  s1 << 2, 1, 1, 3;
  s2 << 1, -0.5, -0.5, 4;
  const double trace = std::sqrt((s1 * s2).trace() + 2 * std::sqrt(5 * 3.75));
  CHECK(frechet_distance(normal(Eigen::Vector2d(0, 0), s1), normal(Eigen::Vector2d(0, 0), s2)) ==
        Approx(s1.trace() + s2.trace() - 2 * trace));
}

TEST_CASE("moments have n - 1 below, blocks and threads leave no seam") {
  const Features x = Features::Random(300, 150);  // several blocks of columns, the last one short
  const Moments found = moments(x, 3);
  const Features centred = x.rowwise() - x.colwise().mean();
  const Eigen::MatrixXd wanted = centred.transpose() * centred / 299;
  CHECK((found.covariance - wanted).cwiseAbs().maxCoeff() < 1e-13);
  CHECK((found.covariance == found.covariance.transpose()));
  CHECK(found.samples == 300);
  CHECK((moments(x, 1).covariance == found.covariance));
  CHECK(std::abs(frechet_distance(found, found)) < 1e-9);
}

TEST_CASE("the Frechet distance refuses what has no moments") {
  CHECK_THAT(refusal([] { moments(Features::Random(1, 3)); }), ContainsSubstring("at least 2 samples"));
  CHECK_THAT(refusal([] { moments(Features::Constant(5, 3, INFINITY)); }), ContainsSubstring("not finite"));
  CHECK_THAT(refusal([] { frechet_distance(moments(Features::Random(9, 3)), moments(Features::Random(9, 4))); }),
             ContainsSubstring("got 3 and 4"));
}

}  // namespace
}  // namespace tobogan::metrics
