// Geometry is done backwards: for every pixel of the new image, where in the old one it comes from.
#include "datasets/augment.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <utility>
#include <vector>

#include "datasets/parallel.h"
#include "datasets/random.h"
#include "engine/error.h"

namespace tobogan {
namespace {

constexpr double kRadians = 3.14159265358979323846 / 180;

// Rotated, sheared, scaled and shifted around the middle of the image.
class Affine {
 public:
  struct Amounts {
    double degrees = 0, shear = 0, scale = 1, shift_x = 0, shift_y = 0;
  };
  Affine(const Amounts& amounts, int height, int width)
      : amounts_(amounts),
        cos_(std::cos(amounts.degrees * kRadians)),
        sin_(std::sin(amounts.degrees * kRadians)),
        middle_x_(0.5 * (width - 1)),
        middle_y_(0.5 * (height - 1)) {}

  // Where the new image's pixel (x, y) was before: {x, y}, counted from the centre of the first pixel.
  std::pair<double, double> source(double x, double y) const {
    x -= middle_x_ + amounts_.shift_x;
    y -= middle_y_ + amounts_.shift_y;
    const double back_x = cos_ * x + sin_ * y, back_y = cos_ * y - sin_ * x;
    return {(back_x - amounts_.shear * back_y) / amounts_.scale + middle_x_, back_y / amounts_.scale + middle_y_};
  }

 private:
  Amounts amounts_;
  double cos_, sin_, middle_x_, middle_y_;
};

double bilinear(std::span<const uint8_t> plane, int height, int width, double x, double y) {
  const double left = std::floor(x), top = std::floor(y);
  if (left < -1 || top < -1 || left >= width || top >= height) return 0;
  const double fx = x - left, fy = y - top;
  const auto column = static_cast<int>(left), row = static_cast<int>(top);
  const auto at = [&](int r, int c) {
    return r < 0 || r >= height || c < 0 || c >= width ? 0.0 : double(plane[size_t(r) * width + c]);
  };
  return (1 - fy) * ((1 - fx) * at(row, column) + fx * at(row, column + 1)) +
         fy * ((1 - fx) * at(row + 1, column) + fx * at(row + 1, column + 1));
}

std::vector<double> gaussian_weights(double sigma) {
  const int reach = static_cast<int>(std::ceil(3 * sigma));
  std::vector<double> weights;
  double sum = 0;
  for (int i = -reach; i <= reach; ++i) {
    weights.push_back(std::exp(-i * i / (2 * sigma * sigma)));
    sum += weights.back();
  }
  for (double& weight : weights) weight /= sum;
  return weights;
}

// Blurs along one direction: `step` from pixel to pixel, `lines` lines whose beginnings are `line_step` apart.
void blur(std::vector<double>& field, int length, int step, int lines, int line_step,
          const std::vector<double>& weights) {
  const int reach = static_cast<int>(weights.size()) / 2;
  std::vector<double> line(length);
  for (int l = 0; l < lines; ++l) {
    double* first = field.data() + l * line_step;
    for (int i = 0; i < length; ++i) {
      line[i] = 0;
      for (int k = std::max(-reach, -i); k <= std::min(reach, length - 1 - i); ++k) {
        line[i] += weights[k + reach] * first[(i + k) * step];
      }
    }
    for (int i = 0; i < length; ++i) first[i * step] = line[i];
  }
}

std::vector<double> elastic_field(int height, int width, double amount, const std::vector<double>& weights,
                                  Draws& draws) {
  std::vector<double> field(size_t(height) * width);
  for (double& value : field) value = draws.uniform(-amount, amount);
  blur(field, width, 1, height, width, weights);
  blur(field, height, width, width, 1, weights);
  return field;
}

using Pixels = std::vector<double>;  // one image, [channel][row][column], 0..255

// Grey as torchvision weighs it; a one-channel image is its own.
Pixels grey_of(const Pixels& image, int channels) {
  if (channels == 1) return image;
  const size_t plane = image.size() / 3;
  Pixels grey(plane);
  for (size_t i = 0; i < plane; ++i) {
    grey[i] = 0.2989 * image[i] + 0.587 * image[plane + i] + 0.114 * image[2 * plane + i];
  }
  return grey;
}

// factor * image + (1 - factor) * other, inside 0..255; `other` is one plane or one number.
void blend(Pixels& image, const Pixels& other, double factor) {
  for (size_t i = 0; i < image.size(); ++i) {
    image[i] = std::clamp(factor * image[i] + (1 - factor) * other[i % other.size()], 0.0, 255.0);
  }
}

void jitter_colours(Pixels& image, int channels, const StrengthenOptions& options, Draws& draws) {
  const double brightness = draws.uniform(options.brightness.low, options.brightness.high);
  const double contrast = draws.uniform(options.contrast.low, options.contrast.high);
  const double saturation = draws.uniform(options.saturation.low, options.saturation.high);
  std::array<int, 3> order = {0, 1, 2};
  for (int i = 0; i < 3; ++i) std::swap(order[i], order[i + draws.below(3 - i)]);
  for (const int change : order) {
    if (change == 0) blend(image, {0}, brightness);
    if (change == 2) blend(image, grey_of(image, channels), saturation);
    if (change != 1) continue;
    double sum = 0;
    const Pixels grey = grey_of(image, channels);
    for (const double value : grey) sum += value;
    blend(image, {sum / double(grey.size())}, contrast);
  }
}

}  // namespace

ImageSet deform(const ImageSet& set, const DeformOptions& options, uint64_t seed) {
  check(options.scale.low > 0 && options.scale.low <= options.scale.high && options.softness > 0,
        "deform: expected a positive range of scales and a positive softness, got ", options.scale.low, "..",
        options.scale.high, " and ", options.softness);
  ImageSet out = set;
  const std::vector<double> weights = gaussian_weights(options.softness);
  const size_t plane = size_t(set.height) * set.width;
  for_each_image(set.count, [&](int i) {
    Draws draws(seed, "deform", i);
    const Affine affine({.degrees = draws.uniform(-options.rotation, options.rotation),
                         .shear = draws.uniform(-options.shear, options.shear),
                         .scale = draws.uniform(options.scale.low, options.scale.high),
                         .shift_x = draws.uniform(-options.shift, options.shift),
                         .shift_y = draws.uniform(-options.shift, options.shift)},
                        set.height, set.width);
    const auto bend_x = elastic_field(set.height, set.width, options.elastic, weights, draws);
    const auto bend_y = elastic_field(set.height, set.width, options.elastic, weights, draws);
    for (size_t p = 0; p < plane; ++p) {
      const auto [x, y] = affine.source(double(p % set.width), double(p / set.width));
      for (int c = 0; c < set.channels; ++c) {
        const auto from = set.image(i).subspan(c * plane, plane);
        out.image(i)[c * plane + p] = to_byte(bilinear(from, set.height, set.width, x + bend_x[p], y + bend_y[p]));
      }
    }
  });
  return out;
}

ImageSet strengthen(const ImageSet& set, const StrengthenOptions& options, uint64_t seed) {
  check(set.channels == 1 || set.channels == 3, "strengthen: expected grey or RGB images, got ", set.channels,
        " channels in ", set.source);
  ImageSet out = set;
  const size_t plane = size_t(set.height) * set.width;
  for_each_image(set.count, [&](int i) {
    Draws draws(seed, "strengthen", i);
    const Affine affine({.degrees = draws.uniform(-options.rotation, options.rotation)}, set.height, set.width);
    Pixels image(set.image_bytes());
    for (size_t p = 0; p < image.size(); ++p) {
      const auto [x, y] = affine.source(double(p % plane % set.width), double(p % plane / set.width));
      image[p] = bilinear(set.image(i).subspan(p / plane * plane, plane), set.height, set.width, x, y);
    }
    jitter_colours(image, set.channels, options, draws);
    std::ranges::transform(image, out.image(i).begin(), to_byte);
  });
  return out;
}

}  // namespace tobogan
