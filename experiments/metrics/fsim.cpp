// What depends on one image alone is computed once; the pairs are then rows against rows.
#include "experiments/metrics/fsim.h"

#include <algorithm>
#include <cmath>

#include "experiments/metrics/phase_congruency.h"
#include "experiments/metrics/workers.h"

namespace tobogan::metrics {
namespace {

using Image = PhaseCongruency::Image;

// By how much images are averaged down before they are compared; halves go to the even number, as in Python.
int reduction(int height, int width) {
  return std::max(1, static_cast<int>(std::nearbyint(std::min(height, width) / 256.0)));
}

// Image i, averaged over squares of factor x factor; pixels beyond the last whole square are left out.
Image reduced_image(const GreyImages& images, int i, int factor) {
  using Pixels = Eigen::Map<const Eigen::Array<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>;
  const Pixels pixels(images.image(i).data(), images.height, images.width);
  if (factor == 1) return pixels.cast<double>();
  Image reduced(images.height / factor, images.width / factor);
  for (int64_t y = 0; y < reduced.rows(); ++y) {
    for (int64_t x = 0; x < reduced.cols(); ++x)
      reduced(y, x) = pixels.block(y * factor, x * factor, factor, factor).cast<double>().mean();
  }
  return reduced;
}

// Scharr's operator: differences along one axis, smoothed 3 : 10 : 3 along the other, over 16.
Image gradient_magnitude(const Image& image) {
  const int64_t height = image.rows(), width = image.cols();
  Image padded = Image::Zero(height + 2, width + 2);
  padded.block(1, 1, height, width) = image;
  const auto shifted = [&](int dy, int dx) { return padded.block(1 + dy, 1 + dx, height, width); };
  const Image along_x = 3 * (shifted(-1, -1) - shifted(-1, 1)) + 10 * (shifted(0, -1) - shifted(0, 1)) +
                        3 * (shifted(1, -1) - shifted(1, 1));
  const Image along_y = 3 * (shifted(-1, -1) - shifted(1, -1)) + 10 * (shifted(-1, 0) - shifted(1, 0)) +
                        3 * (shifted(-1, 1) - shifted(1, 1));
  return (along_x.square() + along_y.square()).sqrt() / 16;
}

void put_row(FsimMaps::Rows& rows, int64_t row, const Image& image) {
  rows.row(row) = image.cast<float>().matrix().transpose().reshaped<Eigen::AutoOrder>(1, image.size());
}

void check_sizes(const FsimMaps& a, const FsimMaps& b) {
  check(a.congruency.cols() == b.congruency.cols(), "FSIM: expected images of one size, got ", a.congruency.cols(),
        " and ", b.congruency.cols(), " pixels");
}

}  // namespace

FsimMaps fsim_maps(const GreyImages& images, int threads, const OnProgress& progress) {
  check_images("FSIM", images);
  const int factor = reduction(images.height, images.width);
  const int height = images.height / factor, width = images.width / factor;
  const PhaseCongruency congruency(height, width);
  FsimMaps maps{{images.count, height * width}, {images.count, height * width}};
  Workers(threads, images.count, progress).run(images.count, 8, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const Image image = reduced_image(images, static_cast<int>(i), factor);
      put_row(maps.congruency, i, congruency(image));
      put_row(maps.gradient, i, gradient_magnitude(image));
    }
  });
  return maps;
}

float fsim(const FsimMaps& a, int i, const FsimMaps& b, int j) {
  const auto p = a.congruency.row(i).array(), q = b.congruency.row(j).array();
  const auto g = a.gradient.row(i).array(), h = b.gradient.row(j).array();
  const auto weight = p.max(q);
  const auto alike = (2 * p * q + 0.85f) * (2 * g * h + 160);
  const auto most = (p * p + q * q + 0.85f) * (g * g + h * h + 160);
  return (weight * alike / most).sum() / weight.sum();
}

Eigen::MatrixXf fsim_matrix(const FsimMaps& a, const FsimMaps& b, int threads, const OnProgress& progress) {
  check_sizes(a, b);
  Eigen::MatrixXf result(a.count(), b.count());
  Workers(threads, b.count(), progress).run(b.count(), 4, [&](int64_t begin, int64_t end) {
    for (int64_t j = begin; j < end; ++j) {
      for (int i = 0; i < a.count(); ++i) result(i, j) = fsim(a, i, b, static_cast<int>(j));
    }
  });
  return result;
}

Eigen::MatrixXf fsim_matrix(const FsimMaps& a, int threads, const OnProgress& progress) {
  Eigen::MatrixXf result = Eigen::MatrixXf::Identity(a.count(), a.count());
  Workers(threads, a.count(), progress).run(a.count(), 4, [&](int64_t begin, int64_t end) {
    for (int64_t j = begin; j < end; ++j) {
      for (int i = 0; i < j; ++i) result(i, j) = result(j, i) = fsim(a, i, a, static_cast<int>(j));
    }
  });
  return result;
}

double fsim_cost(int64_t images, int64_t pairs, int height, int width) {
  const int factor = reduction(height, width);
  const double h = height / factor, w = width / factor;
  const double transforms = 17 * 4 * h * w * (h + w);  // complex products of matrices
  return static_cast<double>(images) * transforms + static_cast<double>(pairs) * 15 * h * w;
}

}  // namespace tobogan::metrics
