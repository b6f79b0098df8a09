// Grids of fakes, clouds of points, losses and the sweep, of the first seed.
#include <fmt/format.h>

#include <algorithm>

#include "experiments/kim_lee/judging.h"
#include "experiments/kim_lee/tables.h"
#include "experiments/training/losses.h"
#include "experiments/training/stored_images.h"

namespace tobogan::kim_lee {
namespace {

constexpr int kColumns = 10;

class Drawer {
 public:
  Drawer(Report& report, const Results& r, Data& data) : report_(report), r_(r), data_(data) {}

  // Figure 3, or 11 where the images are the user's, and the same of the other methods: a class a row.
  void fakes(Variant variant, const Case& c) {
    const auto cell = r_.outcome.finished.find(judged_name(variant, c, seed()));
    if (cell == r_.outcome.finished.end()) return;
    const ImageSet all = judged_fakes(cell->second, blank_like(data_.set(c.data).train, 0));
    if (all.count == 0) return;
    ImageSet grid = blank_like(all, all.classes() * kColumns);  // rows that are not full stay black
    for (int label = 0; label < all.classes(); ++label) {
      const std::vector<int32_t> of_label = of_class(all, label);
      for (int i = 0; i < std::min(kColumns, static_cast<int>(of_label.size())); ++i)
        std::ranges::copy(all.image(of_label[i]), grid.image(label * kColumns + i).begin());
    }
    report_.add_grid(
        name("fakes_" + to_string(variant), c),
        fmt::format("{}Fakes of {}, {}, a class a row", variant == Variant::cls_r ? figure(c, 3, 11) : std::string(),
                    to_string(variant), title_of(c)),
        grid, {.columns = kColumns, .zoom = 2});
  }

  void kept(const Case& c) {
    const std::string cell = bias_name(c, seed());
    const nlohmann::json* result = r_.outcome.result(cell);
    if (!result) return;
    report_.add_grid(name("kept", c),
                     fmt::format("The {} images of class {} that stand for all, {}", result->at("kept").size(),
                                 kBiasedClass, title_of(c)),
                     stored(cell, "kept", c), {.columns = kColumns, .zoom = 2});
  }

  void deformed(const Case& c) {
    const std::string cell = deformed_name(c, seed());
    const nlohmann::json* result = r_.outcome.result(cell);
    if (!result || result->at("classes").get<int>() == 0) return;
    report_.add_grid(name("deformed", c),
                     figure(c, 4, 12) +
                         "Qualified fakes that resemble no training image of their class, two a class, " + title_of(c),
                     stored(cell, "deformed", c), {.columns = result->at("classes"), .zoom = 2});
  }

  // Figures 5 to 10, of the paper's sets: coloured by the class asked for, and by H's.
  void tsne(Variant variant, const Case& c) {
    const nlohmann::json* result = r_.outcome.result(tsne_name(variant, c, seed()));
    if (!result || result->at("points").empty()) return;
    const int number = (c.data == kFashion ? 8 : 5) + static_cast<int>(c.bias);
    const std::string paper = c.data == kOwnImages ? "" : fmt::format("Figure {}", number);
    for (const bool by_expert : {false, true}) {
      Plot plot{.title = to_string(variant) + (by_expert ? ", classifier view" : ", generator view"),
                .x_label = "t-SNE 1",
                .y_label = "t-SNE 2"};
      for (int label = 0; label < data_.set(c.data).train.classes(); ++label) {
        Series series{
            .name = data_.set(c.data).train.class_names[label], .style = Series::Style::points, .colour = label};
        for (const nlohmann::json& point : result->at("points")) {
          if (point[by_expert ? 3 : 2].get<int>() != label) continue;
          series.x.push_back(point[0]);
          series.y.push_back(point[1]);
        }
        if (!series.x.empty()) plot.series.push_back(series);
      }
      report_.add_plot(name(fmt::format("tsne_{}_{}", to_string(variant), by_expert ? "classifier" : "generator"), c),
                       fmt::format("{}t-SNE of fakes of {}, {}, coloured by the {}",
                                   paper.empty() ? "" : paper + (by_expert ? "b. " : "a. "), to_string(variant),
                                   title_of(c), by_expert ? "class H sees" : "class asked for"),
                       plot);
    }
  }

  void losses(Variant variant, const Case& c) {
    const nlohmann::json* result = r_.outcome.result(training_name(variant, c, seed()));
    if (!result || result->at("losses").empty()) return;
    report_.add_plot(
        name("losses_" + to_string(variant), c), fmt::format("Losses of {}, {}", to_string(variant), title_of(c)),
        loss_plot(result->at("losses"), to_string(variant), "D", variant == Variant::acgan ? "G" : "G and E"));
  }

  void sweep(const Case& c) {
    const nlohmann::json* result = r_.outcome.result(sweep_name(c, seed()));
    if (!result || result->at("sweep").empty()) return;
    Series acc{.name = "accuracy", .x = {}, .y = {}}, div{.name = "Div.", .x = {}, .y = {}},
        kept{.name = "share of draws that is qualified", .x = {}, .y = {}};
    for (const nlohmann::json& row : result->at("sweep")) {
      for (Series* series : {&acc, &div, &kept}) series->x.push_back(row.at("p_min"));
      acc.y.push_back(row.at("acc").get<double>() / 100);
      div.y.push_back(row.at("div"));
      kept.y.push_back(row.at("kept"));
    }
    report_.add_plot(name("sweep", c), "Accuracy and diversity against the probability that qualifies, " + title_of(c),
                     {.title = "Qualified fakes of CLS-R GAN", .x_label = "p_min", .series = {acc, div, kept}});
    const Series trade{.name = fmt::format("p_min {} .. {}", acc.x.front(), acc.x.back()), .x = div.y, .y = acc.y};
    report_.add_plot(
        name("sweep_trade", c), "The same, accuracy against diversity, " + title_of(c),
        {.title = "Qualified fakes of CLS-R GAN", .x_label = "Div.", .y_label = "accuracy", .series = {trade}});
  }

 private:
  uint64_t seed() const { return r_.options.seeds.front(); }
  // "Figure 3. ", as the paper numbers those of its public sets and those of its own images.
  static std::string figure(const Case& c, int number, int of_own) {
    return fmt::format("Figure {}. ", c.data == kOwnImages ? of_own : number);
  }
  static std::string name(std::string what, const Case& c) {
    std::ranges::replace(what, '-', '_');
    return what + "_" + c.data + "_" + to_string(c.bias);
  }
  ImageSet stored(const std::string& cell, const std::string& what, const Case& c) {
    return stored_images(r_.outcome.finished.at(cell).folder, what, data_.set(c.data).train.class_names);
  }

  Report& report_;
  const Results& r_;
  Data& data_;
};

}  // namespace

void add_figures(Report& report, const Results& r, Data& data) {
  Drawer drawer(report, r, data);
  for (const auto& [c, variant] : r.wanted.judged()) {
    drawer.fakes(variant, c);
    if (variant != Variant::cls_r_raw && variant != Variant::no_quality) drawer.losses(variant, c);
    drawer.tsne(variant, c);
    if (variant != Variant::cls_r) continue;
    drawer.kept(c);
    drawer.deformed(c);
    drawer.sweep(c);
  }
}

}  // namespace tobogan::kim_lee
