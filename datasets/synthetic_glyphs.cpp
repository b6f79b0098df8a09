// A digit is written, not deformed: the skeleton of one of its habits (a seven with or without a bar) is bent point by
// point, slanted and warped as a curve, and only then inked.  No image is resampled, so edges stay as crisp as a pen's.
#include <array>

#include "datasets/synthetic.h"
#include "datasets/synthetic_parts.h"

namespace tobogan {
namespace {

constexpr int kSide = 28;

using Stroke = std::vector<Point>;  // a smooth curve through these points; corners are where two strokes meet
using Habit = std::vector<Stroke>;  // one way to write a digit; x right, y down, in -1..1
using Digit = std::vector<Habit>;

const Stroke kSevenTop = {{-.55, -.9}, {0, -.92}, {.55, -.95}}, kSevenStem = {{.55, -.95}, {.2, -.1}, {-.15, 1}};
const Stroke kOneFlag = {{-.4, -.6}, {.05, -1}}, kOneStem = {{.05, -1}, {.05, 0}, {.05, 1}};
const Stroke kNineHead = {{.42, -.55}, {.08, -.98}, {-.42, -.68}, {-.3, -.2}, {.1, -.12}, {.42, -.55}};
const Stroke kBelly = {{-.45, -.12}, {0, -.3}, {.45, .05}, {.45, .6}, {.05, .97}, {-.5, .8}};

const std::array<Digit, 10> kDigits = {{
    {{{{.1, -1}, {-.45, -.65}, {-.6, .1}, {-.35, .8}, {.1, 1}, {.5, .6}, {.6, -.1}, {.4, -.75}, {0, -.98}}}},
    {{{{0, -1}, {0, -.3}, {0, .4}, {0, 1}}}, {kOneFlag, kOneStem}, {kOneFlag, kOneStem, {{-.4, 1}, {.5, 1}}}},
    {{{{-.55, -.55}, {-.3, -.92}, {.15, -.98}, {.5, -.6}, {.35, -.1}, {-.1, .45}, {-.55, .95}},
      {{-.55, .95}, {0, .93}, {.6, .9}}},
     {{{-.5, -.6}, {-.1, -1}, {.45, -.7}, {.3, -.05}, {-.15, .6}, {-.5, .85}, {-.45, .5}, {-.1, .65}, {.6, .95}}}},
    {{{{-.5, -.75}, {-.05, -1}, {.42, -.7}, {.3, -.25}, {-.1, -.05}},
      {{-.1, -.05}, {.4, .15}, {.5, .55}, {.1, .95}, {-.5, .8}}},
     {{{-.45, -.95}, {.45, -.95}},
      {{.45, -.95}, {-.05, -.2}},
      {{-.05, -.2}, {.45, .1}, {.45, .65}, {0, .98}, {-.5, .75}}}},
    {{{{-.4, -.95}, {-.5, -.4}, {-.45, .05}, {0, .1}, {.5, 0}}, {{.4, -.9}, {.35, 0}, {.25, 1}}},
     {{{.25, -1}, {-.2, -.4}, {-.6, .25}}, {{-.6, .25}, {0, .25}, {.65, .22}}, {{.25, -1}, {.22, 0}, {.2, 1}}}},
    {{{{.5, -.95}, {0, -.93}, {-.4, -.9}}, {{-.4, -.9}, {-.43, -.5}, {-.45, -.12}}, kBelly},
     {{{.5, -.95}, {-.1, -.9}, {-.4, -.5}, {-.1, -.15}, {.35, .15}, {.4, .65}, {0, .97}, {-.5, .8}}}},
    {{{{.35, -1}, {-.15, -.6}, {-.5, .1}, {-.4, .75}, {.05, 1}, {.45, .7}, {.4, .2}, {0, .05}, {-.42, .4}}}},
    {{kSevenTop, kSevenStem}, {kSevenTop, kSevenStem, {{-.15, .02}, {.5, -.03}}}},
    {{{{.4, -.7},
       {0, -1},
       {-.4, -.7},
       {-.25, -.25},
       {.2, .1},
       {.45, .55},
       {.05, 1},
       {-.45, .6},
       {-.25, .15},
       {.2, -.25},
       {.42, -.7}}}},
    {{kNineHead, {{.42, -.55}, {.4, .1}, {.2, 1}}}, {kNineHead, {{.42, -.55}, {.42, .2}, {.1, .95}, {-.4, .8}}}},
}};

// How one hand writes one digit: skeleton coordinates to pixels.
class Hand {
 public:
  explicit Hand(Draws& draws)
      : turn_(0.14 * draws.normal()),
        slant_(0.15 + 0.22 * draws.normal()),
        size_{draws.uniform(6.5, 10.5), draws.uniform(7.5, 10.5)},
        shift_{draws.uniform(-2, 2), draws.uniform(-2, 2)} {
    for (Wave& wave : waves_) {
      wave = {.along = {draws.uniform(-2, 2), draws.uniform(-2, 2)},
              .phase = draws.uniform(0, 6.28),
              .push = {0.09 * draws.normal(), 0.09 * draws.normal()}};
    }
  }

  Point operator()(Point p) const {
    const Point flat = p;
    for (const Wave& wave : waves_) p = p + std::sin(dot(wave.along, flat) + wave.phase) * wave.push;
    p.x -= slant_ * p.y;
    p = {p.x * size_.x, p.y * size_.y};
    const double c = std::cos(turn_), s = std::sin(turn_);
    return Point{c * p.x - s * p.y, s * p.x + c * p.y} + shift_ + Point{kSide / 2.0, kSide / 2.0};
  }

 private:
  struct Wave {  // a slow elastic bend
    Point along;
    double phase;
    Point push;
  };
  double turn_, slant_;
  Point size_, shift_;
  std::array<Wave, 3> waves_;
};

struct Pen {
  double radius, softness, ink;  // pixels, pixels, 0..255
};

// The part of a stroke between two points of equal pressure; overlapping ink does not add up.
void ink_segment(Point a, Point b, double radius, const Pen& pen, std::span<double> page) {
  const double reach = radius + pen.softness + 0.5;
  const int top = std::max(0, int(std::min(a.y, b.y) - reach)), left = std::max(0, int(std::min(a.x, b.x) - reach));
  const int bottom = std::min(kSide, int(std::max(a.y, b.y) + reach) + 1);
  const int right = std::min(kSide, int(std::max(a.x, b.x) + reach) + 1);
  for (int row = top; row < bottom; ++row) {
    for (int column = left; column < right; ++column) {
      const Point pixel{column + 0.5, row + 0.5};
      const double distance = length(pixel - (a + nearest_on_segment(pixel, a, b) * (b - a)));
      const double cover = std::clamp(0.5 + (radius - distance) / (2 * pen.softness), 0.0, 1.0);
      page[row * kSide + column] = std::max(page[row * kSide + column], cover);
    }
  }
}

// Catmull-Rom: the smooth curve through the points p[1] and p[2], at 0..1 between them.
Point between(const std::array<Point, 4>& p, double t) {
  const Point linear = p[2] - p[0], square = 2 * p[0] - 5 * p[1] + 4 * p[2] - p[3],
              cube = p[3] - p[0] + 3 * (p[1] - p[2]);
  return p[1] + 0.5 * t * (linear + t * (square + t * cube));
}

void ink_stroke(const Stroke& points, const Hand& hand, const Pen& pen, Draws& draws, std::span<double> page) {
  constexpr int kSteps = 5;
  const int last = static_cast<int>(points.size()) - 1;
  double pressure = 1 + 0.1 * draws.normal();
  for (int i = 0; i < last; ++i) {
    const std::array<Point, 4> around = {points[std::max(i - 1, 0)], points[i], points[i + 1],
                                         points[std::min(i + 2, last)]};
    const double next_pressure = 1 + 0.1 * draws.normal();
    Point from = hand(points[i]);
    for (int step = 1; step <= kSteps; ++step) {
      const double t = double(step) / kSteps;
      const Point to = hand(between(around, t));
      ink_segment(from, to, pen.radius * (pressure + t * (next_pressure - pressure)), pen, page);
      from = to;
    }
    pressure = next_pressure;
  }
}

void paint_digit(int label, Draws& draws, std::span<uint8_t> pixels) {
  const Hand hand(draws);
  const Pen pen{.radius = draws.uniform(0.7, 1.7), .softness = draws.uniform(0.5, 0.9), .ink = draws.uniform(190, 255)};
  Habit habit = kDigits[label][draws.below(kDigits[label].size())];
  const double wobble = draws.uniform(0.03, 0.09);
  std::array<double, kSide* kSide> page = {};
  for (Stroke& stroke : habit) {
    for (Point& point : stroke) point = point + wobble * Point{draws.normal(), draws.normal()};
    ink_stroke(stroke, hand, pen, draws, page);
  }
  for (size_t i = 0; i < page.size(); ++i) {
    if (page[i] > 0) pixels[i] = to_byte(page[i] * pen.ink + 7 * draws.normal());  // the grain of the paper under ink
  }
}

}  // namespace

Dataset synthetic_glyphs(SyntheticOptions options) {
  const ImageSet form{.channels = 1,
                      .height = kSide,
                      .width = kSide,
                      .class_names = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"},
                      .source = "synthetic glyphs"};
  return {.train = paint_set(form, options.train, options.seed, "glyphs train", paint_digit),
          .test = paint_set(form, options.test, options.seed, "glyphs test", paint_digit)};
}

}  // namespace tobogan
