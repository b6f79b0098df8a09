// What both synthetic sets share: points in the plane, and the frame that draws a part of a set image by image.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "datasets/dataset.h"
#include "datasets/parallel.h"
#include "datasets/random.h"
#include "engine/error.h"

namespace tobogan {

struct Point {
  double x = 0, y = 0;
  friend Point operator+(Point a, Point b) { return {a.x + b.x, a.y + b.y}; }
  friend Point operator-(Point a, Point b) { return {a.x - b.x, a.y - b.y}; }
  friend Point operator*(double s, Point a) { return {s * a.x, s * a.y}; }
  friend double dot(Point a, Point b) { return a.x * b.x + a.y * b.y; }
  friend double length(Point a) { return std::sqrt(dot(a, a)); }
};

// Where on the way from `a` to `b` (0..1) the point nearest to `p` lies.
inline double nearest_on_segment(Point p, Point a, Point b) {
  const Point along = b - a;
  return std::clamp(dot(p - a, along) / std::max(dot(along, along), 1e-9), 0.0, 1.0);
}

// Draws one image of class `label` into `pixels`, which are black.
using Painter = std::function<void(int label, Draws& draws, std::span<uint8_t> pixels)>;

// Fills a set of the form of `form` with `count` images.  `part` ("glyphs train") names the random numbers.
inline ImageSet paint_set(const ImageSet& form, int count, uint64_t seed, std::string_view part, const Painter& paint) {
  check(count >= 0, form.source, ": expected a number of images, got ", count);
  ImageSet set = blank_like(form, count);
  const std::string label_part = concat_text(part, " labels");
  const int classes = form.classes();
  for (int i = 0; i < count; i += classes) {  // a fresh order of the classes for every round
    std::vector<int32_t> order(classes);
    std::iota(order.begin(), order.end(), 0);
    Draws shuffle(seed, label_part, i / classes);
    for (int k = 0; k < classes; ++k) std::swap(order[k], order[k + shuffle.below(classes - k)]);
    std::copy_n(order.begin(), std::min(classes, count - i), set.labels.begin() + i);
  }
  for_each_image(count, [&](int i) {
    Draws draws(seed, part, i);
    paint(set.labels[i], draws, set.image(i));
  });
  return set;
}

}  // namespace tobogan
