// SSIM against scikit-image.
#include "experiments/metrics/ssim.h"

#include "tests/support/catch.h"
#include "tests/support/hostile.h"
#include "tests/support/metrics_golden.h"

namespace tobogan::metrics {
namespace {

using Catch::Matchers::ContainsSubstring;

std::vector<uint8_t> pixels_of(const nlohmann::json& rows) {
  std::vector<uint8_t> pixels;
  for (const auto& row : rows) {
    for (const auto& value : row) pixels.push_back(value.get<uint8_t>());
  }
  return pixels;
}

TEST_CASE("all pairs of pictures, both windows, bytes and floats") {
  for (const nlohmann::json& wanted : golden("images")) {
    std::vector<std::vector<uint8_t>> pictures;
    for (const auto& rows : wanted["pixels"]) pictures.push_back(pixels_of(rows));
    SsimOptions box{.height = wanted["height"], .width = wanted["width"]}, gauss = box;
    gauss.window = SsimWindow::kGauss11;
    size_t pair = 0;
    for (const auto& x : pictures) {
      for (const auto& y : pictures) {
        CHECK(ssim(x, y, box) == Approx(wanted["uniform7"][pair].get<double>()).margin(1e-10));
        CHECK(ssim(x, y, gauss) == Approx(wanted["gauss11"][pair].get<double>()).margin(1e-10));
        CHECK(ssim(x, y, box) == Approx(ssim(y, x, box)).margin(1e-14));
        if (&x == &y) CHECK(ssim(x, y, gauss) == Approx(1).margin(1e-14));
        const std::vector<float> fx(x.begin(), x.end()), fy(y.begin(), y.end());
        CHECK(ssim(fx, fy, box) == ssim(x, y, box));
        ++pair;
      }
    }
    CHECK(pair == 25);
  }
}

TEST_CASE("by hand: two constant images differ in their means alone") {
  const std::vector<float> dark(49, 50), light(49, 100);
  const double c1 = 6.5025;
  CHECK(ssim(dark, light, {.height = 7, .width = 7}) ==
        Approx((2 * 50 * 100 + c1) / (50 * 50 + 100 * 100 + c1)).epsilon(1e-12));
}

TEST_CASE("SSIM refuses images of another size, or smaller than the window") {
  const std::vector<float> x(100);
  CHECK_THAT(refusal([&] { ssim(x, x, {.height = 10, .width = 11}); }), ContainsSubstring("got 100 pixels"));
  CHECK_THAT(refusal([&] { ssim(x, x, {.height = 10, .width = 10, .window = SsimWindow::kGauss11}); }),
             ContainsSubstring("window of 11"));
}

}  // namespace
}  // namespace tobogan::metrics
