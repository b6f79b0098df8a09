// A window is separable: its means are sums along rows, then along columns.
#include "experiments/metrics/ssim.h"

#include <Eigen/Core>
#include <algorithm>
#include <cmath>

#include "engine/error.h"

namespace tobogan::metrics {
namespace {

using Image = Eigen::Array<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

// A window is the product of the same weights along rows and columns.
Eigen::ArrayXd window_weights(SsimWindow window) {
  if (window == SsimWindow::kUniform7) return Eigen::ArrayXd::Constant(7, 1.0 / 7);
  const Eigen::ArrayXd weights = (-Eigen::ArrayXd::LinSpaced(11, -5, 5).square() / (2 * 1.5 * 1.5)).exp();
  return weights / weights.sum();
}

// The weighted mean in each window that lies inside the image.
Image window_means(const Image& image, const Eigen::ArrayXd& weights) {
  const int64_t size = weights.size(), height = image.rows() - size + 1, width = image.cols() - size + 1;
  Image rows = Image::Zero(height, image.cols()), means = Image::Zero(height, width);
  for (int64_t k = 0; k < size; ++k) rows += weights[k] * image.middleRows(k, height);
  for (int64_t k = 0; k < size; ++k) means += weights[k] * rows.middleCols(k, width);
  return means;
}

template <class Pixel>
Image image_of(std::span<const Pixel> pixels, const SsimOptions& options) {
  check(
      options.height >= 1 && options.width >= 1 && pixels.size() == static_cast<size_t>(options.height) * options.width,
      "SSIM: expected images of ", options.height, " x ", options.width, ", got ", pixels.size(), " pixels");
  Image image(options.height, options.width);
  std::copy(pixels.begin(), pixels.end(), image.data());
  return image;
}

double ssim_of(const Image& x, const Image& y, SsimWindow window) {
  const Eigen::ArrayXd weights = window_weights(window);
  check(std::min(x.rows(), x.cols()) >= weights.size(), "SSIM: the window of ", weights.size(),
        " pixels is larger than the image of ", x.rows(), " x ", x.cols());
  const double n = 49, c1 = std::pow(0.01 * 255, 2), c2 = std::pow(0.03 * 255, 2);
  const double sample = window == SsimWindow::kUniform7 ? n / (n - 1) : 1;
  const Image mx = window_means(x, weights), my = window_means(y, weights);
  const Image sxx = sample * (window_means(x * x, weights) - mx * mx);
  const Image syy = sample * (window_means(y * y, weights) - my * my);
  const Image sxy = sample * (window_means(x * y, weights) - mx * my);
  const Image top = (2 * mx * my + c1) * (2 * sxy + c2);
  return (top / ((mx.square() + my.square() + c1) * (sxx + syy + c2))).mean();
}

}  // namespace

double ssim(std::span<const float> x, std::span<const float> y, const SsimOptions& options) {
  return ssim_of(image_of(x, options), image_of(y, options), options.window);
}

double ssim(std::span<const uint8_t> x, std::span<const uint8_t> y, const SsimOptions& options) {
  return ssim_of(image_of(x, options), image_of(y, options), options.window);
}

}  // namespace tobogan::metrics
