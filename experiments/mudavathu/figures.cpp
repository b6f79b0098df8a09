// Loss curves and grids of fakes, of the first seed.
#include <fmt/format.h>

#include "experiments/mudavathu/conditional.h"
#include "experiments/mudavathu/tables.h"
#include "experiments/training/losses.h"
#include "experiments/training/stored_images.h"

namespace tobogan::mudavathu {
namespace {

// What a cell of the first seed stored under a name.
ImageSet picture(const Results& r, const std::string& cell, const std::string& name) {
  return stored_images(r.outcome.finished.at(cell).folder, name, std::vector<std::string>(10));
}

// The first ten images of each class.
ImageSet some_of_each_class(const ImageSet& images) {
  std::vector<int32_t> some;
  for (int label = 0; label < images.classes(); ++label) {
    std::vector<int32_t> of_label = of_class(images, label);
    of_label.resize(std::min<size_t>(of_label.size(), 10));
    some.insert(some.end(), of_label.begin(), of_label.end());
  }
  return subset(images, some);
}

}  // namespace

void add_figures(Report& report, const Results& r, const Parts& parts, Data& data) {
  const uint64_t seed = r.options.seeds.front();
  const nlohmann::json* gated = parts.gated ? r.first(gated_name) : nullptr;
  if (gated) {
    report.add_plot("m1_losses", "M1. Losses against the iteration",
                    loss_plot(gated->at("losses"), "Losses", "D (sum)", "G"));
    report.add_grid("m1_fakes", "M1. 64 fakes after the last iteration", picture(r, gated_name(seed), "fakes"),
                    {.columns = 8, .zoom = 2});
  }
  const nlohmann::json* conditional = parts.conditional ? r.first(conditional_name) : nullptr;
  if (!conditional) return;
  report.add_plot("m2_losses", "M2. Losses against the iteration",
                  loss_plot(conditional->at("losses"), "Losses", "D", "G"));
  report.add_grid("m2_real", "M2. Training images, a class a row", some_of_each_class(data.split(kData, seed)->train),
                  {.zoom = 2});
  for (const int epoch : pictured_epochs(r.plan.conditional))
    report.add_grid(fmt::format("m2_grid_{}", epoch), fmt::format("M2. After \"epoch\" {}, a class a row", epoch),
                    picture(r, conditional_name(seed), fmt::format("grid-{}", epoch)), {.zoom = 2});
}

}  // namespace tobogan::mudavathu
