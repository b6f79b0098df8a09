// The paper's numbers are looked up by size and ratio, so a profile with fewer of them still stands beside the right
// ones.
#include "experiments/abadi/tables.h"

#include <map>

namespace tobogan::abadi {
namespace {

using Paper = std::map<std::pair<int, double>, double>;  // (sample size, ratio) -> accuracy

const int kSizes[] = {500, 1000, 2000, 4000, 60000};

Paper rows(const std::vector<std::pair<double, std::vector<double>>>& table) {
  Paper paper;
  for (const auto& [ratio, numbers] : table)
    for (size_t i = 0; i < numbers.size(); ++i) paper[{kSizes[i], ratio}] = numbers[i];
  return paper;
}

const Paper& paper_fakes() {
  static const Paper table = rows({{1, {0.6801, 0.7623, 0.8524, 0.9243, 0.9512}},
                                   {2, {0.6801, 0.7622, 0.8523, 0.9241, 0.9516}},
                                   {4, {0.6802, 0.7623, 0.8525, 0.9243, 0.9511}}});
  return table;
}

const Paper& paper_mixed() {
  static const Paper table = rows({{0.00, {0.8092, 0.8700, 0.9139, 0.9421, 0.9723}},
                                   {0.25, {0.8495, 0.8883, 0.9175, 0.9439, 0.9834}},
                                   {0.50, {0.8566, 0.8958, 0.9248, 0.9495, 0.9768}},
                                   {0.75, {0.8583, 0.8942, 0.9287, 0.9407, 0.9732}},
                                   {1.00, {0.8662, 0.9061, 0.9303, 0.9386, 0.9727}},
                                   {2.00, {0.8680, 0.8943, 0.9175, 0.9305, 0.9716}},
                                   {4.00, {0.8623, 0.8635, 0.9140, 0.9231, 0.9707}}});
  return table;
}

constexpr int kPaperWidthImages = 500;
const std::map<double, double> kPaperWidths{{1, 0.6489}, {2, 0.6801}, {4, 0.6753}};
const std::map<double, double> kPaperColour{{0, 0.7411},    {0.01, 0.7492},  {0.025, 0.7484},
                                            {0.05, 0.7261}, {0.075, 0.7204}, {0.1, 0.7063}};

template <class Map>
std::optional<double> look_up(const Map& map, const typename Map::key_type& key) {
  const auto found = map.find(key);
  return found == map.end() ? std::nullopt : std::optional(found->second);
}

// One line of a table: its name, what the paper has in each column, and our values, one list a column.
struct Row {
  std::string name;
  std::vector<std::optional<double>> paper;
  std::vector<std::vector<double>> ours;
};

Table make_table(const Results& r, const char* name, const char* title, const char* corner,
                 const std::vector<std::string>& columns, const std::vector<Row>& rows) {
  Table::Options options{.name = name,
                         .title = title,
                         .corner = corner,
                         .rows = {},
                         .columns = columns,
                         .seeds = static_cast<int>(r.options.seeds.size()),
                         .comparison = comparison(r.study)};
  std::vector<std::vector<std::optional<double>>> paper;
  for (const Row& row : rows) {
    options.rows.push_back(row.name);
    paper.push_back(row.paper);
  }
  Table table(options);
  table.paper(paper);
  for (const Row& row : rows)
    for (size_t i = 0; i < columns.size(); ++i)
      for (double value : row.ours[i]) table.add(row.name, columns[i], value);
  return table;
}

std::vector<std::string> size_columns(const Plan& plan) {
  std::vector<std::string> columns;
  for (const Sample& sample : plan.digits.samples) columns.push_back(size_text(sample.images));
  return columns;
}

// What a classifier's result has beside the paper's number, with the words for it.
struct Reading {
  const char *which, *words;
};
constexpr Reading kReadings[] = {{"last", "at the last epoch"}, {"train", "on the training images, at the end"}};

// The paper's row and, below it, the other readings of the same classifiers; `paper_of` and `values_of` are asked for
// each of `points`.
template <class Point, class PaperOf, class ValuesOf>
std::vector<Row> rows_of_readings(const std::vector<Point>& points, const PaperOf& paper_of,
                                  const ValuesOf& values_of) {
  std::vector<Row> rows{{"accuracy", {}, {}}};
  for (const Reading& reading : kReadings)
    rows.push_back({reading.words, std::vector<std::optional<double>>(points.size()), {}});
  for (const Point& point : points) {
    rows[0].paper.push_back(paper_of(point));
    rows[0].ours.push_back(values_of(point, "best"));
    for (size_t i = 0; i < std::size(kReadings); ++i) rows[i + 1].ours.push_back(values_of(point, kReadings[i].which));
  }
  return rows;
}

std::vector<std::string> ratio_columns(const std::vector<double>& ratios) {
  std::vector<std::string> columns;
  for (double ratio : ratios) columns.push_back(ratio_text(ratio));
  return columns;
}

Table width_table(const Results& r) {
  const Sample& sample = r.plan.width.sample;
  const auto rows = rows_of_readings(
      r.plan.width.alphas,
      [&](double alpha) { return sample.images == kPaperWidthImages ? look_up(kPaperWidths, alpha) : std::nullopt; },
      [&](double alpha, const char* which) {
        return r.accuracies({alpha, sample, false, 1}, which);
      });
  const std::string title = "Table 1. " + size_text(sample.images) + " fakes, accuracy by filter ratio";
  return make_table(r, "table1", title.c_str(), "alpha", ratio_columns(r.plan.width.alphas), rows);
}

// A reading of the classifiers of one ratio, size by size; the paper has "best".
Row digits_row(const Results& r, const std::string& name, bool real, double ratio, const char* which = "best") {
  Row row{name, {}, {}};
  const bool is_papers = std::string(which) == "best";
  for (const Sample& sample : r.plan.digits.samples) {
    row.paper.push_back(is_papers ? look_up(real ? paper_mixed() : paper_fakes(), {sample.images, ratio})
                                  : std::nullopt);
    row.ours.push_back(r.accuracies({r.plan.digits.alpha, sample, real, ratio}, which));
  }
  return row;
}

void add_digit_tables(Report& report, const Results& r) {
  const DigitsPlan& plan = r.plan.digits;
  const auto add = [&](const std::string& name, const std::string& title, const std::vector<Row>& rows) {
    report.add(make_table(r, name.c_str(), title.c_str(), "size", size_columns(r.plan), rows));
  };
  std::vector<Row> fakes, mixed;
  for (double ratio : plan.fake_ratios) fakes.push_back(digits_row(r, "R=" + ratio_text(ratio), false, ratio));
  for (double ratio : plan.mixed_ratios) mixed.push_back(digits_row(r, "R=" + ratio_text(ratio), true, ratio));
  add("table2", "Table 2. Real images against as many fakes",
      {digits_row(r, "real", true, 0), digits_row(r, "fake", false, 1)});
  add("table3", "Table 3. Fakes only", fakes);
  add("table4", "Table 4. Real images and fakes", mixed);
  for (const Reading& reading : kReadings) {
    std::vector<Row> rows;
    for (double ratio : plan.fake_ratios)
      rows.push_back(digits_row(r, "fakes, R=" + ratio_text(ratio), false, ratio, reading.which));
    for (double ratio : plan.mixed_ratios)
      rows.push_back(digits_row(r, "real and fakes, R=" + ratio_text(ratio), true, ratio, reading.which));
    add(std::string("digits_") + reading.which,
        std::string("Tables 2 to 4 again, ") + reading.words + " (not in the paper)", rows);
  }
}

Table colour_table(const Results& r) {
  const auto rows = rows_of_readings(
      r.plan.colour.ratios, [](double ratio) { return look_up(kPaperColour, ratio); },
      [&](double ratio, const char* which) { return r.colour_accuracies(ratio, which); });
  const std::string title = "Table 5. Colour images, " + size_text(r.plan.colour.classifier_images) + " real and fakes";
  return make_table(r, "table5", title.c_str(), "ratio", ratio_columns(r.plan.colour.ratios), rows);
}

}  // namespace

void add_tables(Report& report, const Results& results, const Parts& parts) {
  report.note(
      "Accuracy is the mean over " + std::to_string(results.plan.repeats) +
      " classifiers of the best test accuracy of any epoch, as in the paper: the epoch is chosen on the test set.");
  if (parts.width) report.add(width_table(results));
  if (parts.digits) add_digit_tables(report, results);
  if (!parts.colour) return;
  report.add(colour_table(results));
  if (const double width = results.plan.colour.classifier_width; width != 1)
    report.note("Table 5: the classifier has " + ratio_text(width) + " times as many maps as in the other profiles.");
}

}  // namespace tobogan::abadi
