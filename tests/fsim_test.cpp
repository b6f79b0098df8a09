// FSIM against its formulas through NumPy's FFT and against piq, and on MNIST against what was measured with both.
#include "experiments/metrics/fsim.h"

#include <algorithm>
#include <cmath>

#include "datasets/idx.h"
#include "experiments/metrics/diversity.h"
#include "tests/support/catch.h"
#include "tests/support/data.h"
#include "tests/support/hostile.h"
#include "tests/support/metrics_golden.h"

namespace tobogan::metrics {
namespace {

using Catch::Matchers::ContainsSubstring;

GreyImages pictures_of(const nlohmann::json& wanted) {
  GreyImages images{
      .count = static_cast<int>(wanted["pixels"].size()), .height = wanted["height"], .width = wanted["width"]};
  for (const auto& picture : wanted["pixels"]) {
    for (const auto& row : picture) {
      for (const auto& value : row) images.values.push_back(value.get<float>());
    }
  }
  return images;
}

TEST_CASE("all pairs of pictures: the formulas to rounding, piq to its other constants") {
  for (const nlohmann::json& wanted : golden("images")) {
    const FsimMaps maps = fsim_maps(pictures_of(wanted), 2);
    const Eigen::MatrixXf all = fsim_matrix(maps, 2);
    CHECK((all - fsim_matrix(maps, maps, 1)).cwiseAbs().maxCoeff() < 1e-6);
    for (int i = 0; i < maps.count(); ++i) {
      for (int j = 0; j < maps.count(); ++j) {
        const int pair = i * maps.count() + j;
        CHECK(all(i, j) == Approx(wanted["fsim"][pair].get<double>()).margin(2e-6));
        // piq takes the lower of two medians and another constant against division by zero.
        if (wanted.contains("piq")) CHECK(all(i, j) == Approx(wanted["piq"][pair].get<double>()).margin(1e-3));
      }
      CHECK(fsim(maps, i, maps, i) == Approx(1).margin(1e-6));
    }
  }
}

TEST_CASE("blank images are alike, and congruency stays in 0..1") {
  GreyImages images{.count = 2, .height = 12, .width = 9};
  images.values.assign(2 * 12 * 9, 0);
  CHECK(fsim_matrix(fsim_maps(images)).minCoeff() == Approx(1));
  for (size_t i = 0; i < images.values.size(); ++i) images.values[i] = static_cast<float>(i * i % 256);
  const FsimMaps maps = fsim_maps(images);
  CHECK(maps.congruency.minCoeff() >= 0);
  CHECK(maps.congruency.maxCoeff() <= 1);
}

TEST_CASE("large images are averaged down first") {
  GreyImages large{.count = 1, .height = 400, .width = 384}, small{.count = 1, .height = 200, .width = 192};
  large.values.resize(400 * 384);
  small.values.resize(200 * 192);
  for (int y = 0; y < 400; ++y) {
    for (int x = 0; x < 384; ++x) {
      const auto value = static_cast<float>(128 + 100 * std::sin(0.1 * x) * std::cos(0.07 * y));
      large.values[y * 384 + x] = value;
      small.values[y / 2 * 192 + x / 2] += value / 4;
    }
  }
  const FsimMaps of_large = fsim_maps(large), of_small = fsim_maps(small);
  REQUIRE(of_large.congruency.cols() == of_small.congruency.cols());
  CHECK((of_large.gradient - of_small.gradient).cwiseAbs().maxCoeff() < 1e-3);
  CHECK(fsim(of_large, 0, of_small, 0) == Approx(1).margin(1e-5));
}

TEST_CASE("FSIM refuses images that do not fit") {
  const GreyImages short_of_values{.count = 1, .height = 3, .width = 3, .values = {1, 2}};
  CHECK_THAT(refusal([&] { fsim_maps(short_of_values); }), ContainsSubstring("got 2 values"));
  const GreyImages nan{.count = 1, .height = 1, .width = 1, .values = {NAN}};
  CHECK_THAT(refusal([&] { fsim_maps(nan); }), ContainsSubstring("not finite"));
  const FsimMaps a = fsim_maps({.count = 1, .height = 2, .width = 2, .values = {1, 2, 3, 4}});
  const FsimMaps b = fsim_maps({.count = 1, .height = 1, .width = 2, .values = {1, 2}});
  CHECK_THAT(refusal([&] { fsim_matrix(a, b); }), ContainsSubstring("got 4 and 2 pixels"));
  CHECK_THAT(refusal([] { grey_images({.count = 0, .channels = 3, .source = "cifar"}); }), ContainsSubstring("cifar"));
}

TEST_CASE("MNIST within classes: the quantiles and the species that were measured", "[data][mnist]") {
  const auto folder = data_set("mnist");
  if (!folder) return;
  const ImageSet test = load_mnist(*folder).test;
  std::vector<float> similarities;
  double index = 0, species = 0;
  for (int label = 0; label < 10; ++label) {
    const std::vector<int32_t> members = of_class(test, label);
    const Eigen::MatrixXf matrix = fsim_matrix(fsim_maps(grey_images(subset(test, std::span(members).first(200)))));
    for (int j = 0; j < 200; ++j) {
      for (int i = 0; i < j; ++i) similarities.push_back(matrix(i, j));
    }
    std::vector<int32_t> file_order(200);
    for (int i = 0; i < 200; ++i) file_order[i] = i;
    std::vector<int64_t> sizes(200);
    for (const int32_t one : leader_clusters(matrix, file_order, 0.7f)) ++sizes[one];
    index += gini_simpson(sizes) / 10;
    species += static_cast<double>(std::ranges::count_if(sizes, [](int64_t size) { return size > 0; })) / 10;
  }
  std::ranges::sort(similarities);
  REQUIRE(similarities.size() == 199000);
  const auto quantile = [&](double q) { return similarities[static_cast<size_t>(q * 198999)]; };
  CHECK(quantile(0.01) == Approx(0.518).margin(1e-3));
  CHECK(quantile(0.05) == Approx(0.558).margin(1e-3));
  CHECK(quantile(0.25) == Approx(0.624).margin(1e-3));
  CHECK(quantile(0.50) == Approx(0.676).margin(1e-3));
  CHECK(quantile(0.75) == Approx(0.733).margin(1e-3));
  CHECK(quantile(0.95) == Approx(0.832).margin(1e-3));
  CHECK(quantile(0.99) == Approx(0.894).margin(1e-3));
  CHECK(index == Approx(0.710).margin(0.005));
  CHECK(species == Approx(21.9).margin(0.3));
}

}  // namespace
}  // namespace tobogan::metrics
