// The paper's FID and IS are Inception's; ours by the expert stand in columns of their own.
#include "experiments/kim_lee/tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "experiments/kim_lee/evaluation.h"
#include "experiments/kim_lee/paper.h"
#include "experiments/run/seeds.h"

namespace tobogan::kim_lee {
namespace {

// A column of a table: our number's key, and its place in the paper's row (-1: the paper has it not).
struct Column {
  const char *name, *key;
  int paper, digits;
};

const std::vector<Column> kColumns{
    {"NMI", "nmi", 0, 3},       {"ARI", "ari", 1, 3},     {"FID", "fid_inception", 2, 2}, {"IS", "is_inception", 3, 2},
    {"FID(H)", "fid_h", -1, 2}, {"IS(H)", "is_h", -1, 2}, {"Acc.", "acc", 4, 2},          {"Div.", "div", 5, 3}};
const std::vector<Column> kMore{
    {"matched acc.", "matched", -1, 2}, {"NMI with k", "gen_nmi", -1, 3},  {"ARI with k", "gen_ari", -1, 3},
    {"NMI real", "real_nmi", -1, 3},    {"ARI real", "real_ari", -1, 3},   {"NMI pixels", "pixel_nmi", -1, 3},
    {"ARI pixels", "pixel_ari", -1, 3}, {"species", "species", -1, 1},     {"Div. other", "div_between", -1, 3},
    {"KID(H)", "kid_h", -1, 3},         {"precision", "precision", -1, 3}, {"recall", "recall", -1, 3},
    {"density", "density", -1, 3},      {"coverage", "coverage", -1, 3}};

const std::vector<std::pair<std::string, Variant>> kRows{{"ACGAN", Variant::acgan},
                                                         {"ClusterGAN", Variant::cluster},
                                                         {"CLS-R GAN", Variant::cls_r},
                                                         {"CLS-R GAN, all fakes", Variant::cls_r_raw}};

bool of_inception(const std::string& key) {
  return key.ends_with("_inception");
}

bool has_number(const nlohmann::json* result, const std::string& key) {
  return result && result->contains(key) && result->at(key).is_number();
}

// Our numbers of one entry, or that there will be none.
void fill(Table& table, const std::string& row, const std::string& column, const Results& r, Variant variant,
          const Case& c, const std::string& key) {
  for (const double value : r.values(variant, c, key)) table.add(row, column, value);
  if (r.none(variant, c, key)) table.none(row, column);
}

// One table of methods for some cases of one data set; columns are named after the bias where there are several.
Table methods_table(const Results& r, const std::string& name, const std::string& title, const std::vector<Case>& cases,
                    const std::vector<Column>& columns) {
  Table::Options options{.name = name,
                         .title = title,
                         .corner = "",
                         .digits = {},
                         .seeds = static_cast<int>(r.options.seeds.size()),
                         .comparison = cases[0].data == kOwnImages ? Comparison::full  // the paper has no such table
                                                                   : comparison(r.study)};
  for (const auto& [row, variant] : kRows) options.rows.push_back(row);
  const auto column_name = [&](const Column& column, const Case& c) {
    return cases.size() == 1 ? std::string(column.name) : column.name + (" " + to_string(c.bias));
  };
  for (const Column& column : columns) {
    for (const Case& c : cases) {
      options.columns.push_back(column_name(column, c));
      options.digits.push_back(column.digits);
    }
  }
  Table table(options);
  std::vector<std::vector<std::optional<double>>> paper;
  for (const auto& [row, variant] : kRows) {
    paper.emplace_back();
    for (const Column& column : columns) {
      for (const Case& c : cases) {
        const auto numbers = paper_row(c, variant);
        paper.back().push_back(numbers && column.paper >= 0 ? std::optional((*numbers)[column.paper]) : std::nullopt);
        fill(table, row, column_name(column, c), r, variant, c, column.key);
      }
    }
  }
  table.paper(paper);
  return table;
}

// Tables 5 to 8: CLS-R GAN with one of its parts and without; `paper` is the place in the paper's pair of columns.
Table ablation_table(const Results& r, int number) {
  const bool quality = number <= 6;
  const std::string data = number % 2 ? kMnist : kFashion, part = quality ? "quality loss" : "encoder";
  const std::vector<Column> columns =
      quality ? std::vector<Column>{{"IS", "is_inception", 0, 2}, {"IS(H)", "is_h", -1, 2}, {"Div.", "div", 1, 3}}
              : std::vector<Column>{{"NMI", "nmi", 0, 3}, {"ARI", "ari", 1, 3}};
  Table::Options options{
      .name = fmt::format("table{}", number),
      .title = fmt::format("Table {}. CLS-R GAN with and without {}, {}", number, part, title_of({data, Bias::plain})),
      .rows = {"with " + part, "without " + part},
      .digits = {},
      .seeds = static_cast<int>(r.options.seeds.size()),
      .comparison = comparison(r.study)};
  std::vector<std::vector<std::optional<double>>> paper(2);
  for (const Bias bias : r.wanted.biases) {
    const PaperAblation numbers = paper_ablation(number, bias);
    for (const Column& column : columns) {
      options.columns.push_back(column.name + (" " + to_string(bias)));
      options.digits.push_back(column.digits);
      paper[0].push_back(column.paper < 0 ? std::nullopt : std::optional(numbers.with[column.paper]));
      paper[1].push_back(column.paper < 0 ? std::nullopt : std::optional(numbers.without[column.paper]));
    }
  }
  Table table(options);
  table.paper(paper);
  const Variant variants[] = {Variant::cls_r, quality ? Variant::no_quality : Variant::no_encoder};
  for (const Bias bias : r.wanted.biases)
    for (const Column& column : columns)
      for (int row = 0; row < 2; ++row)
        fill(table, options.rows[row], column.name + (" " + to_string(bias)), r, variants[row], {data, bias},
             column.key);
  return table;
}

void add_methods(Report& report, const Results& r, const std::string& name, const std::string& title,
                 const std::vector<Case>& cases) {
  report.add(methods_table(r, name, title, cases, kColumns));
  for (const Case& c : cases)
    report.add(methods_table(r, name + "_more_" + to_string(c.bias), "More numbers (not in the paper): " + title_of(c),
                             {c}, kMore));
}

void add_notes(Report& report, const Results& r) {
  report.note(
      "FID and IS are taken in features of Inception, as the paper's are; FID(H), IS(H), KID(H) and the neighbour "
      "scores in those of the classifier H: they must not be compared with FID and IS. IS(H) is within 1 .. 10.");
  if (r.plan.inception.empty()) report.note("FID and IS: n/a, no Inception weights were given (--inception).");
  report.note(fmt::format("NMI and ARI of pixels are of {} fakes at most; KID(H) is the mean over {} subsets.",
                          kPixelFakes, kKidSubsets));
  const EvaluationPlan& e = r.plan.evaluation;
  report.note(
      fmt::format("ACGAN and ClusterGAN are judged by all of {0} fakes a class, CLS-R GAN by {0} qualified ones (the "
                  "class asked for, "
                  "at a probability of {1} or more, of at most {2} draws).",
                  e.per_class, e.p_min, 20 * e.per_class));
  std::set<std::string> sets;
  for (const auto& [c, variant] : r.wanted.judged()) {
    sets.insert(c.data);
    for (const uint64_t seed : r.options.seeds) {
      const nlohmann::json* judged = r.outcome.result(judged_name(variant, c, seed));
      if (!judged) continue;
      std::string missing;
      const nlohmann::json& of_class = judged->at("fakes");
      for (size_t label = 0; label < of_class.size(); ++label)
        if (const int count = of_class[label]; count < e.per_class)
          missing += fmt::format("{}class {}: {}", missing.empty() ? "" : ", ", label, count);
      if (!missing.empty())
        report.note(fmt::format("Too few qualified fakes, {}, {}, seed {}: {}.", to_string(variant), title_of(c), seed,
                                missing));
    }
  }
  for (const std::string& name : sets) {
    const nlohmann::json* expert = r.outcome.result(expert_name(name, r.options.seeds.front()));
    if (!expert) continue;
    const std::string paper = name == kOwnImages ? ""
                              : name == kFashion ? " (the paper's: 97 %)"
                                                 : " (the paper's: 99 %)";
    report.note(fmt::format("H on {}: {:.2f} % of the test images{}, {:.2f} % of deformed ones.",
                            title_of({name, Bias::plain}), 100 * expert->at("test").get<double>(), paper,
                            100 * expert->at("deformed").get<double>()));
  }
}

}  // namespace

const nlohmann::json* Results::judged(Variant variant, const Case& c, const std::string& key, uint64_t seed) const {
  return outcome.result(of_inception(key) ? inception_name(variant, c, seed) : judged_name(variant, c, seed));
}

std::vector<double> Results::values(Variant variant, const Case& c, const std::string& key) const {
  std::vector<double> values;
  for (const uint64_t seed : options.seeds)
    if (const nlohmann::json* result = judged(variant, c, key, seed); has_number(result, key))
      values.push_back(result->at(key));
  return values;
}

bool Results::none(Variant variant, const Case& c, const std::string& key) const {
  if (of_inception(key) && plan.inception.empty()) return true;
  return std::any_of(options.seeds.begin(), options.seeds.end(), [&](uint64_t seed) {
    const nlohmann::json* result = judged(variant, c, key, seed);
    return result && !has_number(result, key);
  });
}

std::optional<double> Results::value(Variant variant, const Case& c, const std::string& key) const {
  const std::vector<double> all = values(variant, c, key);
  return all.size() < options.seeds.size() ? std::nullopt : std::optional(mean_of(all));
}

std::vector<Case> Results::cases() const {
  std::vector<Case> cases;
  for (const auto& [c, variant] : wanted.judged())
    if (variant == Variant::cluster) cases.push_back(c);
  return cases;
}

std::string title_of(const Case& c) {
  const std::string name = c.data == kMnist ? "MNIST" : c.data == kFashion ? "Fashion-MNIST" : "own images";
  return c.bias == Bias::plain ? name : name + ", " + to_string(c.bias) + " bias";
}

void add_tables(Report& report, const Results& r) {
  for (const int number : r.wanted.tables) {
    const std::string data = number % 2 ? kMnist : kFashion;
    if (number > 4) {
      report.add(ablation_table(r, number));
      continue;
    }
    std::vector<Case> cases;
    for (const Case& c : r.cases())
      if (c.data == data && (c.bias == Bias::plain) == (number <= 2)) cases.push_back(c);
    if (cases.empty()) continue;
    const std::string what = number <= 2 ? ", plain" : " with bias";
    add_methods(report, r, fmt::format("table{}", number),
                fmt::format("Table {}. {}{}", number, title_of({data, Bias::plain}), what), cases);
  }
  if (r.wanted.own_images) add_methods(report, r, "own", "Own images", {{kOwnImages, Bias::plain}});
  add_notes(report, r);
}

}  // namespace tobogan::kim_lee
