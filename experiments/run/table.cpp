// One grid of strings, made once, is what Markdown and the terminal both show; CSV and JSON carry full precision.
#include "experiments/run/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "engine/error.h"
#include "experiments/run/seeds.h"

namespace tobogan {
namespace {

using Grid = std::vector<std::vector<std::string>>;

// Quoted when needed (RFC 4180).
std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string quoted = "\"";
  for (char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

std::string markdown_field(const std::string& text) {
  std::string escaped;
  for (char c : text) escaped += c == '|' ? std::string("\\|") : c == '\n' ? std::string(" ") : std::string(1, c);
  return escaped;
}

std::string csv_number(std::optional<double> value) {
  return value ? fmt::format("{}", *value) : "";
}

nlohmann::json json_number(std::optional<double> value) {
  return value ? nlohmann::json(*value) : nlohmann::json(nullptr);
}

std::size_t index_of(const std::vector<std::string>& names, const std::string& name, const std::string& table,
                     const char* what) {
  const auto found = std::find(names.begin(), names.end(), name);
  check(found != names.end(), "table ", table, " has no ", what, " '", name, "'");
  return static_cast<std::size_t>(found - names.begin());
}

void check_distinct(const std::vector<std::string>& names, const std::string& table, const char* what) {
  check(!names.empty(), "table ", table, " has no ", what, "s");
  check(std::set<std::string>(names.begin(), names.end()).size() == names.size(), "table ", table, " has two ", what,
        "s of one name");
}

// Characters on the screen, not bytes: the only others used here are two-byte ones such as the plus-minus sign.
std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

std::string aligned(const Grid& grid) {
  std::vector<std::size_t> widths(grid[0].size());
  for (const auto& row : grid)
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  std::string text;
  for (const auto& row : grid) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string space(widths[i] - width_of(row[i]), ' ');
      line += (i ? "  " : "") + (i ? space + row[i] : row[i] + space);
    }
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

}  // namespace

Comparison comparison(const Study& study) {
  if (study.synthetic_data) return Comparison::synthetic_data;
  return study.paper_settings ? Comparison::full : Comparison::other_settings;
}

std::string comparison_note(Comparison comparison) {
  switch (comparison) {
    case Comparison::full:
      return "";
    case Comparison::other_settings:
      return "Sizes or settings differ from the paper's: its numbers stand here for orientation, no difference is "
             "taken.";
    case Comparison::synthetic_data:
      return "data=synthetic: the paper's numbers belong to other images, no difference is taken.";
  }
  return "";
}

std::optional<double> Table::Entry::mean() const {
  return ours.empty() ? std::nullopt : std::optional(mean_of(ours));
}

std::optional<double> Table::Entry::spread() const {
  return spread_of(ours);
}

Table::Table(Options options) : options_(std::move(options)) {
  const std::string& name = options_.name;
  check_distinct(options_.rows, name, "row");
  check_distinct(options_.columns, name, "column");
  const std::size_t columns = options_.columns.size();
  check(options_.digits.size() == 1 || options_.digits.size() == columns, "table ", name,
        ": expected digits for one or for all of ", columns, " columns, got ", options_.digits.size());
  options_.digits.resize(columns, options_.digits[0]);
  entries_.resize(options_.rows.size() * columns);
}

void Table::paper(const std::vector<std::vector<std::optional<double>>>& numbers) {
  const std::size_t rows = options_.rows.size(), columns = options_.columns.size();
  check(numbers.size() == rows, "table ", options_.name, ": expected the paper's ", rows, " rows, got ",
        numbers.size());
  for (std::size_t r = 0; r < rows; ++r) {
    check(numbers[r].size() == columns, "table ", options_.name, ": expected the paper's ", columns,
          " numbers in row '", options_.rows[r], "', got ", numbers[r].size());
    for (std::size_t c = 0; c < columns; ++c) entries_[r * columns + c].paper = numbers[r][c];
  }
}

void Table::add(const std::string& row, const std::string& column, double value) {
  entries_[place(row, column)].ours.push_back(value);
}

void Table::none(const std::string& row, const std::string& column) {
  entries_[place(row, column)].none = true;
}

const Table::Entry& Table::at(const std::string& row, const std::string& column) const {
  return entries_[place(row, column)];
}

std::size_t Table::place(const std::string& row, const std::string& column) const {
  return index_of(options_.rows, row, options_.name, "row") * options_.columns.size() +
         index_of(options_.columns, column, options_.name, "column");
}

std::optional<double> Table::difference(const std::string& row, const std::string& column) const {
  const Entry& entry = at(row, column);
  if (options_.comparison != Comparison::full || !entry.paper || entry.ours.empty()) return std::nullopt;
  return *entry.mean() - *entry.paper;
}

bool Table::complete() const {
  return std::all_of(entries_.begin(), entries_.end(), [&](const Entry& entry) {
    return entry.none || static_cast<int>(entry.ours.size()) >= options_.seeds;
  });
}

// Up to three lines per row: ours, the paper's, the difference.
std::vector<std::vector<std::string>> Table::text_rows() const {
  Grid grid = {{options_.corner}};
  grid[0].insert(grid[0].end(), options_.columns.begin(), options_.columns.end());
  for (const std::string& row : options_.rows) {
    std::vector<std::string> ours = {row}, paper = {"  paper"}, difference = {"  difference"};
    bool any_paper = false, any_difference = false;
    for (std::size_t c = 0; c < options_.columns.size(); ++c) {
      const Entry& entry = at(row, options_.columns[c]);
      const int digits = options_.digits[c];
      const auto taken = this->difference(row, options_.columns[c]);
      std::string text = entry.none ? "n/a" : "...";  // "...": pending
      if (!entry.ours.empty()) text = fmt::format("{:.{}f}", *entry.mean(), digits);
      if (entry.spread()) text += fmt::format(" ±{:.{}f}", *entry.spread(), digits);
      if (!entry.ours.empty() && static_cast<int>(entry.ours.size()) < options_.seeds)
        text += fmt::format(" ({} of {})", entry.ours.size(), options_.seeds);
      ours.push_back(text);
      paper.push_back(entry.paper ? fmt::format("{:.{}f}", *entry.paper, digits) : "");
      difference.push_back(taken ? fmt::format("{:+.{}f}", *taken, digits) : "");
      any_paper |= entry.paper.has_value();
      any_difference |= taken.has_value();
    }
    grid.push_back(ours);
    if (any_paper) grid.push_back(paper);
    if (any_difference) grid.push_back(difference);
  }
  return grid;
}

std::string Table::terminal() const {
  const std::string note = comparison_note(options_.comparison);
  return options_.title + "\n" + aligned(text_rows()) + (note.empty() ? "" : note + "\n");
}

std::string Table::markdown() const {
  const Grid grid = text_rows();
  std::string text = "### " + markdown_field(options_.title) + "\n\n";
  for (std::size_t r = 0; r < grid.size(); ++r) {
    for (const std::string& field : grid[r]) text += "| " + markdown_field(field) + " ";
    text += "|\n";
    if (r != 0) continue;
    for (std::size_t c = 0; c < grid[0].size(); ++c) text += c ? "|--:" : "|---";
    text += "|\n";
  }
  const std::string note = comparison_note(options_.comparison);
  return text + (note.empty() ? "" : "\n" + note + "\n");
}

std::string Table::csv_head() {
  return "table,row,column,paper,ours,spread,seeds,difference\n";
}

std::string Table::csv() const {
  std::string text;
  for (const std::string& row : options_.rows)
    for (const std::string& column : options_.columns) {
      const Entry& entry = at(row, column);
      text += fmt::format("{},{},{},{},{},{},{},{}\n", csv_field(options_.name), csv_field(row), csv_field(column),
                          csv_number(entry.paper), csv_number(entry.mean()), csv_number(entry.spread()),
                          entry.ours.size(), csv_number(difference(row, column)));
    }
  return text;
}

nlohmann::json Table::json() const {
  nlohmann::json cells = nlohmann::json::array();
  for (const std::string& row : options_.rows)
    for (const std::string& column : options_.columns) {
      const Entry& entry = at(row, column);
      cells.push_back({{"row", row},
                       {"column", column},
                       {"paper", json_number(entry.paper)},
                       {"ours", entry.ours},
                       {"none", entry.none},
                       {"mean", json_number(entry.mean())},
                       {"spread", json_number(entry.spread())},
                       {"difference", json_number(difference(row, column))}});
    }
  return {{"name", options_.name},
          {"title", options_.title},
          {"seeds", options_.seeds},
          {"complete", complete()},
          {"note", comparison_note(options_.comparison)},
          {"cells", cells}};
}

Claim Claim::tested(std::string text, bool passed, std::string evidence) {
  return {std::move(text), passed ? Verdict::pass : Verdict::fail, std::move(evidence)};
}

Claim Claim::untested(std::string text, std::string why) {
  return {std::move(text), Verdict::not_tested, std::move(why)};
}

std::string to_string(Claim::Verdict verdict) {
  return verdict == Claim::Verdict::pass ? "pass" : verdict == Claim::Verdict::fail ? "fail" : "not tested";
}

std::string markdown(const std::vector<Claim>& claims) {
  std::string text = "| claim of the paper | here | evidence |\n|---|---|---|\n";
  for (const Claim& claim : claims)
    text += "| " + markdown_field(claim.text) + " | **" + to_string(claim.verdict) + "** | " +
            markdown_field(claim.evidence) + " |\n";
  return text;
}

std::string terminal(const std::vector<Claim>& claims) {
  std::string text;
  for (const Claim& claim : claims)
    text += fmt::format("{:<10}  {}: {}\n", to_string(claim.verdict), claim.text, claim.evidence);
  return text;
}

nlohmann::json json(const std::vector<Claim>& claims) {
  nlohmann::json list = nlohmann::json::array();
  for (const Claim& claim : claims)
    list.push_back({{"text", claim.text}, {"verdict", to_string(claim.verdict)}, {"evidence", claim.evidence}});
  return list;
}

}  // namespace tobogan
