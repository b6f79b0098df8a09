// Grids of fakes and the curves of Tables 2, 4 and 5.
#include <fmt/format.h>

#include <algorithm>

#include "experiments/abadi/gan.h"
#include "experiments/abadi/tables.h"
#include "experiments/run/seeds.h"

namespace tobogan::abadi {
namespace {

// The pool of a GAN, if it is finished.  Files say which form its images have.
std::optional<ImageSet> pool_of(const Results& r, const std::string& gan, int channels) {
  const auto found = r.outcome.finished.find(gan);
  if (found == r.outcome.finished.end()) return std::nullopt;
  ImageSet form;
  form.channels = channels;
  for (int label = 0; label < kClasses; ++label) form.class_names.push_back(std::to_string(label));
  return read_images(found->second.folder, form);
}

// Figure 1: a row for each class, a pair of columns for each size.
void add_digit_fakes(Report& report, const Results& r) {
  constexpr int kEach = 2;
  ImageSet grid;
  std::string sizes;
  for (int label = 0; label < kClasses; ++label) {
    for (const Sample& sample : r.plan.digits.samples) {
      const auto pool = pool_of(r, gan_name(r.plan.digits.alpha, sample, label, r.options.seeds[0]), 1);
      if (!pool || pool->count < kEach) return;
      const std::vector<int32_t> first{0, 1};
      grid = grid.count ? concatenate(grid, subset(*pool, first)) : subset(*pool, first);
    }
  }
  for (const Sample& sample : r.plan.digits.samples) sizes += (sizes.empty() ? "" : ", ") + size_text(sample.images);
  report.add_grid("figure1",
                  "Figure 1. Fakes of each class; from left to right pairs of columns for samples of " + sizes, grid,
                  {.columns = kEach * static_cast<int>(r.plan.digits.samples.size()), .zoom = 2});
}

// A curve of the mean over seeds, with the spread where there is one.
struct Curve {
  explicit Curve(std::string name) : series{.name = std::move(name), .x = {}, .y = {}} {}
  void add(double x, const std::vector<double>& values) {
    if (values.empty()) return;
    series.x.push_back(x);
    series.y.push_back(mean_of(values));
    series.spread.push_back(spread_of(values).value_or(0));
  }
  Series finished() {
    if (std::all_of(series.spread.begin(), series.spread.end(), [](double s) { return s == 0; })) series.spread.clear();
    return series;
  }
  Series series;
};

// Figures 2 and 3.
void add_digit_curves(Report& report, const Results& r) {
  Curve real("real"), fake("fakes");
  Plot by_ratio{.title = "Real images and fakes", .x_label = "fakes / real images (R)", .y_label = "test accuracy"};
  for (const Sample& sample : r.plan.digits.samples) {
    real.add(sample.images, r.accuracies(r.real(sample)));
    fake.add(sample.images, r.accuracies(r.fake(sample, 1)));
    Curve mixed(size_text(sample.images));
    for (double ratio : r.plan.digits.mixed_ratios) mixed.add(ratio, r.accuracies(r.mixed(sample, ratio)));
    if (!mixed.series.x.empty()) by_ratio.series.push_back(mixed.finished());
  }
  Plot by_size{
      .title = "Real images against fakes", .x_label = "sample size", .y_label = "test accuracy", .log_x = true};
  for (Curve* curve : {&real, &fake})
    if (!curve->series.x.empty()) by_size.series.push_back(curve->finished());
  if (!by_size.series.empty())
    report.add_plot("figure2", "Figure 2. Accuracy against sample size, real images and as many fakes", by_size);
  if (!by_ratio.series.empty())
    report.add_plot("figure3", "Figure 3. Accuracy against the ratio of fakes to real images, one line a size",
                    by_ratio);
}

// Figures 4 and 5: fakes of one class, with real images in the last column.
void add_colour_fakes(Report& report, const Results& r, const char* name, const char* caption, int label, Data& data) {
  constexpr int kRows = 4, kColumns = 8;
  const auto pool = pool_of(r, colour_gan_name(r.plan.colour, label, r.options.seeds[0]), 3);
  if (!pool || pool->count < kRows * kColumns) return;
  const ImageSet real = draw_class(data.colour().train, label, kRows, r.options.seeds[0]);
  ImageSet grid = blank_like(*pool, 0);
  for (int row = 0; row < kRows; ++row) {
    for (int column = 0; column <= kColumns; ++column) {
      const auto image = column < kColumns ? pool->image(row * kColumns + column) : real.image(row);
      grid.pixels.insert(grid.pixels.end(), image.begin(), image.end());
      ++grid.count;
    }
  }
  report.add_grid(name, caption, grid, {.columns = kColumns + 1, .zoom = 2});
}

void add_colour_curve(Report& report, const Results& r) {
  Curve curve("real and fakes");
  for (double ratio : r.plan.colour.ratios) curve.add(ratio, r.colour_accuracies(ratio));
  if (curve.series.x.empty()) return;
  report.add_plot("figure6", "Figure 6. Colour images: accuracy against the ratio of fakes",
                  {.title = "Colour images",
                   .x_label = "fakes / real images",
                   .y_label = "test accuracy",
                   .series = {curve.finished()}});
}

}  // namespace

void add_figures(Report& report, const Results& results, const Parts& parts, Data& data) {
  constexpr int kAirplane = 0, kHorse = 7;
  if (parts.digits) {
    add_digit_fakes(report, results);
    add_digit_curves(report, results);
  }
  if (parts.colour) {
    const char* first = data.synthetic() ? "Figure 4. Fakes of class 0; right-most column real"
                                         : "Figure 4. Fakes of airplanes; right-most column real";
    const char* second = data.synthetic() ? "Figure 5. Fakes of class 7; right-most column real"
                                          : "Figure 5. Fakes of horses; right-most column real";
    add_colour_fakes(report, results, "figure4", first, kAirplane, data);
    add_colour_fakes(report, results, "figure5", second, kHorse, data);
    add_colour_curve(report, results);
  }
}

}  // namespace tobogan::abadi
