// A picture is a signed distance: negative inside the shape, in units of its radius.  Everything else -- the soft edge,
// the pose, the texture, the light -- is arithmetic on it, so every outline is drawn by the same forty lines.
#include <array>

#include "datasets/synthetic.h"
#include "datasets/synthetic_parts.h"

namespace tobogan {
namespace {

constexpr int kSide = 32, kPlane = kSide * kSide;
constexpr double kDark = 130, kBright = 120;  // the darkest subject and the brightest background may meet
using Colour = std::array<double, 3>;

enum Outline { kDisc, kSquare, kTriangle, kStar, kRing, kCross, kCrescent };
constexpr int kOutlines = 7;  // classes 0..6; 7..9 are textures on the first three outlines

const std::vector<Point> kSquareCorners = {{-.86, -.86}, {.86, -.86}, {.86, .86}, {-.86, .86}};
const std::vector<Point> kTriangleCorners = {{0, -1.15}, {1, .58}, {-1, .58}};
const std::vector<Point> kStarCorners = {{0, -1.15}, {.27, -.37}, {1.09, -.36}, {.44, .14},    {.68, .93},
                                         {0, .46},   {-.68, .93}, {-.44, .14},  {-1.09, -.36}, {-.27, -.37}};
const std::vector<Point> kCrossCorners = {{-.33, -1}, {.33, -1}, {.33, -.33}, {1, -.33}, {1, .33},   {.33, .33},
                                          {.33, 1},   {-.33, 1}, {-.33, .33}, {-1, .33}, {-1, -.33}, {-.33, -.33}};

// Distance to the border of a polygon; inside is where a ray to the right crosses the border an odd number of times.
double polygon_distance(Point p, std::span<const Point> corners) {
  double nearest = 1e9;  // squared
  bool inside = false;
  Point a = corners.back();
  for (const Point b : corners) {
    const Point apart = p - (a + nearest_on_segment(p, a, b) * (b - a));
    nearest = std::min(nearest, dot(apart, apart));
    if ((a.y > p.y) != (b.y > p.y) && p.x < a.x + (p.y - a.y) / (b.y - a.y) * (b.x - a.x)) inside = !inside;
    a = b;
  }
  return inside ? -std::sqrt(nearest) : std::sqrt(nearest);
}

double outline_distance(Outline outline, Point p) {
  switch (outline) {
    case kDisc:
      return length(p) - 1;
    case kSquare:
      return polygon_distance(p, kSquareCorners);
    case kTriangle:
      return polygon_distance(p, kTriangleCorners);
    case kStar:
      return polygon_distance(p, kStarCorners);
    case kRing:
      return std::abs(length(p) - 0.75) - 0.25;
    case kCross:
      return polygon_distance(p, kCrossCorners);
    case kCrescent:
      return std::max(length(p) - 1, 0.75 - length(p - Point{0.5, 0}));
  }
  return 1;
}

// 0 or 1 with soft edges: how much of the second colour the texture of class `label` shows at p.  `period` is in radii.
double texture(int label, Point p, double period, double pixel) {
  const auto wave = [&](double x) { return std::abs(x / period - std::floor(x / period) - 0.5) - 0.25; };
  const auto soft = [&](double distance) { return std::clamp(0.5 + distance * period / pixel, 0.0, 1.0); };
  const auto cell = [&](double x) { return (x / period - std::floor(x / period) - 0.5) * period; };
  switch (label) {
    case 7:
      return soft(wave(p.x));
    case 8: {
      const double across = soft(wave(p.x)), down = soft(wave(p.y));
      return across + down - 2 * across * down;
    }
    case 9:
      return std::clamp(0.5 + (0.33 * period - length(Point{cell(p.x), cell(p.y)})) / pixel, 0.0, 1.0);
    default:
      return 0;
  }
}

Colour random_colour(Draws& draws, double low, double high) {
  return {draws.uniform(low, high), draws.uniform(low, high), draws.uniform(low, high)};
}

using Picture = std::array<Colour, kPlane>;

// A slope from one colour to another, and clouds: random heights on a coarse grid, bilinear between.
void paint_background(const Colour& from, const Colour& to, Draws& draws, Picture& picture) {
  constexpr int kGrid = 5;
  std::array<Colour, kGrid * kGrid> clouds;
  const double strength = draws.uniform(5, 25);
  for (Colour& cloud : clouds)
    cloud = {strength * draws.normal(), strength * draws.normal(), strength * draws.normal()};
  const Point slope = {draws.uniform(-1, 1), draws.uniform(-1, 1)};
  for (int i = 0; i < kPlane; ++i) {
    const Point at{double(i % kSide) / kSide, double(i / kSide) / kSide};
    const double blend = std::clamp(0.5 + dot(slope, at - Point{0.5, 0.5}), 0.0, 1.0);
    const double x = at.x * (kGrid - 1), y = at.y * (kGrid - 1);
    const int column = int(x), row = int(y);
    const double fx = x - column, fy = y - row;
    for (int c = 0; c < 3; ++c) {
      const auto height = [&](int down, int right) { return clouds[(row + down) * kGrid + column + right][c]; };
      const double cloud =
          (1 - fy) * ((1 - fx) * height(0, 0) + fx * height(0, 1)) + fy * ((1 - fx) * height(1, 0) + fx * height(1, 1));
      picture[i][c] = from[c] + blend * (to[c] - from[c]) + cloud;
    }
  }
}

// Turned, stretched and moved: pixels to the shape's own coordinates, where its radius is 1.
class Pose {
 public:
  explicit Pose(Draws& draws)
      : radius_(draws.uniform(7.5, 12)), turn_(draws.uniform(-0.5, 0.5)), stretch_(draws.uniform(0.8, 1.25)) {
    const double room = std::clamp(14.5 - radius_, 1.0, 4.0);
    centre_ = {kSide / 2.0 + draws.uniform(-room, room), kSide / 2.0 + draws.uniform(-room, room)};
  }
  double pixel() const { return 1 / radius_; }
  Point operator()(Point p) const {
    const Point d = pixel() * (p - centre_);
    return {(cos_ * d.x + sin_ * d.y) * stretch_, (cos_ * d.y - sin_ * d.x) / stretch_};
  }

 private:
  double radius_, turn_, stretch_;
  double cos_ = std::cos(turn_), sin_ = std::sin(turn_);
  Point centre_;
};

struct Subject {
  int label;
  Outline outline;
  Colour colour, second;
  double period;
  Point light;
};

void paint_subject(const Subject& subject, const Pose& pose, Picture& picture) {
  for (int i = 0; i < kPlane; ++i) {
    const Point p = pose({i % kSide + 0.5, i / kSide + 0.5});
    if (dot(p, p) > 2.3) continue;
    const double cover = std::clamp(0.5 - outline_distance(subject.outline, p) / pose.pixel(), 0.0, 1.0);
    if (cover == 0) continue;
    const double second = texture(subject.label, p, subject.period, pose.pixel());
    const double shade = 1 + dot(subject.light, p);
    for (int c = 0; c < 3; ++c) {
      const double own = shade * (subject.colour[c] + second * (subject.second[c] - subject.colour[c]));
      picture[i][c] += cover * (own - picture[i][c]);
    }
  }
}

void paint_shape(int label, Draws& draws, std::span<uint8_t> pixels) {
  // Subjects are brighter than what is behind them, as a rule: without one, 500 examples teach a small network nothing.
  const Colour from = random_colour(draws, 0, kDark), to = random_colour(draws, 0, kDark);
  const Colour own = random_colour(draws, kBright, 255), second = random_colour(draws, 0, kDark);
  Picture picture;
  paint_background(from, to, draws, picture);
  const Pose pose(draws);
  paint_subject({.label = label,
                 .outline = label < kOutlines ? Outline(label) : Outline(draws.below(3)),
                 .colour = own,
                 .second = second,
                 .period = pose.pixel() * draws.uniform(4.5, 7),
                 .light = {draws.uniform(-0.3, 0.3), draws.uniform(-0.3, 0.3)}},
                pose, picture);
  const double grain = draws.uniform(3, 16);
  for (int c = 0; c < 3; ++c) {
    for (int i = 0; i < kPlane; ++i) pixels[c * kPlane + i] = to_byte(picture[i][c] + draws.uniform(-grain, grain));
  }
}

}  // namespace

Dataset synthetic_shapes(SyntheticOptions options) {
  const ImageSet form{

      .channels = 3,
      .height = kSide,
      .width = kSide,
      .class_names = {"disc", "square", "triangle", "star", "ring", "cross", "crescent", "stripes", "checks", "dots"},
      .source = "synthetic shapes"};
  return {.train = paint_set(form, options.train, options.seed, "shapes train", paint_shape),
          .test = paint_set(form, options.test, options.seed, "shapes test", paint_shape)};
}

}  // namespace tobogan
