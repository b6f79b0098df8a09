// NMI, ARI and the exact assignment against scikit-learn and SciPy, and by hand.
#include "experiments/metrics/agreement.h"

#include <algorithm>
#include <numeric>

#include "datasets/random.h"
#include "tests/support/catch.h"
#include "tests/support/hostile.h"
#include "tests/support/metrics_golden.h"

namespace tobogan::metrics {
namespace {

using Catch::Matchers::ContainsSubstring;
using Labels = std::vector<int32_t>;

TEST_CASE("NMI, ARI and matched accuracy are scikit-learn's") {
  const nlohmann::json all = golden("agreement")["pairs"];
  for (const nlohmann::json& wanted : all) {
    const Labels a = labels_of(wanted["a"]), b = labels_of(wanted["b"]);
    CHECK(normalized_mutual_information(a, b) == Approx(wanted["nmi"].get<double>()).epsilon(1e-10));
    CHECK(adjusted_rand_index(a, b) == Approx(wanted["ari"].get<double>()).epsilon(1e-10));
    CHECK(matched_accuracy(a, b) == Approx(wanted["matched"].get<double>()).epsilon(1e-12));
  }
}

TEST_CASE("agreement by hand") {
  const Labels a = {0, 0, 1, 1}, finer = {0, 0, 1, 2}, renamed = {7, 7, 3, 3}, one = {0, 0, 0, 0};
  CHECK(normalized_mutual_information(a, finer) == Approx(0.8));
  CHECK(adjusted_rand_index(a, finer) == Approx(4 / 7.0));
  CHECK(matched_accuracy(a, finer) == 0.75);
  CHECK(matched_accuracy(finer, a) == 0.75);
  CHECK(normalized_mutual_information(a, renamed) == Approx(1));
  CHECK(adjusted_rand_index(a, renamed) == Approx(1));
  CHECK(matched_accuracy(a, renamed) == 1);
  CHECK(normalized_mutual_information(one, one) == 1);
  CHECK(adjusted_rand_index(one, one) == 1);
  CHECK(normalized_mutual_information(a, one) == 0);
  CHECK(adjusted_rand_index(a, one) == 0);
  CHECK(adjusted_rand_index(Labels{0}, Labels{3}) == 1);
  CHECK(adjusted_rand_index(a, Labels{0, 1, 0, 1}) == Approx(-0.5));
}

TEST_CASE("independent labellings agree about as little as chance") {
  Draws draws(1, "labels");
  Labels a(20000), b(20000);
  for (int32_t& label : a) label = static_cast<int32_t>(draws.below(10));
  for (int32_t& label : b) label = static_cast<int32_t>(draws.below(10));
  CHECK(normalized_mutual_information(a, b) < 0.003);
  CHECK(std::abs(adjusted_rand_index(a, b)) < 0.003);
}

double cost_of(const Eigen::MatrixXd& cost, const std::vector<int>& columns) {
  double sum = 0;
  for (size_t row = 0; row < columns.size(); ++row) sum += cost(row, columns[row]);
  return sum;
}

TEST_CASE("the assignment costs what SciPy's costs and uses no column twice") {
  const nlohmann::json all = golden("agreement")["assignments"];
  for (const nlohmann::json& wanted : all) {
    const Eigen::MatrixXd cost = matrix_of(wanted["cost"]);
    std::vector<int> columns = cheapest_assignment(cost);
    CHECK(cost_of(cost, columns) == Approx(wanted["sum"].get<double>()).margin(1e-12));
    std::ranges::sort(columns);
    CHECK(std::ranges::adjacent_find(columns) == columns.end());
  }
}

TEST_CASE("no permutation is cheaper than the assignment") {
  Draws draws(2, "costs");
  for (int round = 0; round < 50; ++round) {
    Eigen::MatrixXd cost(5, 5);
    for (double& c : cost.reshaped()) c = static_cast<double>(draws.below(6));  // many ties
    std::vector<int> order(5);
    std::iota(order.begin(), order.end(), 0);
    double least = 1e9;
    do {
      least = std::min(least, cost_of(cost, order));
    } while (std::ranges::next_permutation(order).found);
    CHECK(cost_of(cost, cheapest_assignment(cost)) == least);
  }
}

TEST_CASE("agreement refuses labels that do not fit") {
  CHECK_THAT(refusal([] { contingency(Labels{0}, Labels{0, 1}); }), ContainsSubstring("1 and 2 labels"));
  CHECK_THAT(refusal([] { contingency(Labels{}, Labels{}); }), ContainsSubstring("0 and 0"));
  CHECK_THAT(refusal([] { adjusted_rand_index(Labels{0}, Labels{-1}); }), ContainsSubstring("-1"));
  CHECK_THAT(refusal([] { cheapest_assignment(Eigen::MatrixXd(3, 2)); }), ContainsSubstring("3 x 2"));
  CHECK_THAT(refusal([] { cheapest_assignment(Eigen::MatrixXd::Constant(1, 1, NAN)); }), ContainsSubstring("finite"));
}

}  // namespace
}  // namespace tobogan::metrics
