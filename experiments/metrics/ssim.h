// Structural similarity (Wang et al. 2004) of two grey images of 0..255: K1 = 0.01, K2 = 0.03, L = 255.
//
// The mean over all windows inside the image of
//   (2 mx my + C1) (2 sxy + C2) / ((mx^2 + my^2 + C1) (sx^2 + sy^2 + C2)),  C1 = (K1 L)^2, C2 = (K2 L)^2.
// 1 for equal images, symmetric, between -1 and 1.
#pragma once
#include <cstdint>
#include <span>

namespace tobogan::metrics {

enum class SsimWindow {
  kGauss11,  // 11 x 11, Gaussian of deviation 1.5: the paper's
  kUniform7  // 7 x 7, all equal, sample variance (48 in the denominator): the default of scikit-image
};

struct SsimOptions {
  int height, width;
  SsimWindow window = SsimWindow::kUniform7;
};

// Images [row][column].  Throws Error for images of another size or smaller than the window.
double ssim(std::span<const float> x, std::span<const float> y, const SsimOptions& options);
double ssim(std::span<const uint8_t> x, std::span<const uint8_t> y, const SsimOptions& options);

}  // namespace tobogan::metrics
