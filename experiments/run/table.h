// A table of results: the paper's number, ours (mean and spread over seeds) and the difference, in every cell.
//
//   Table table({.name = "table2", .title = "Real against fake", .corner = "size", .rows = {"real", "fake"},
//                .columns = {"500", "1K"}, .digits = {4}, .seeds = 3, .comparison = comparison(study)});
//   table.paper({{0.8092, 0.8700}, {0.6801, 0.7623}});
//   table.add("real", "500", accuracy);               // once per seed
#pragma once
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "experiments/run/cell.h"

namespace tobogan {

// May our number be subtracted from the paper's?  The paper's is shown beside it in any case.
enum class Comparison { full, other_settings, synthetic_data };
Comparison comparison(const Study& study);
// Why there is no difference, as a sentence for under the table; empty for Comparison::full.
std::string comparison_note(Comparison comparison);

class Table {
 public:
  struct Options {
    std::string name = {};  // letters, digits, _ and -: the key in CSV and JSON
    std::string title = {};
    std::string corner = {};  // what the column names are, over the row names
    std::vector<std::string> rows = {}, columns = {};
    std::vector<int> digits = {4};  // after the point: one number, or one per column
    int seeds = 1;                  // values an entry has when it is complete
    Comparison comparison = Comparison::full;
  };
  struct Entry {
    std::optional<double> paper = {};
    std::vector<double> ours = {};  // one per finished seed
    bool none = false;              // there will be no number of ours

    std::optional<double> mean() const;
    std::optional<double> spread() const;
  };

  // Throws Error for doubled or missing names and a wrong number of digits.
  explicit Table(Options options);

  // The paper's numbers, row by row; std::nullopt where it has none.  Throws Error unless rows x columns.
  void paper(const std::vector<std::vector<std::optional<double>>>& numbers);
  // One value of one seed.  Throws Error for an unknown row or column.
  void add(const std::string& row, const std::string& column, double value);
  // There is no such number of ours and none is waited for (weights not given, a row without labels): "n/a", not "...".
  void none(const std::string& row, const std::string& column);

  const Options& options() const { return options_; }
  const Entry& at(const std::string& row, const std::string& column) const;
  // Ours minus the paper's, where both are there and may be compared.
  std::optional<double> difference(const std::string& row, const std::string& column) const;
  bool complete() const;

  std::string markdown() const;
  std::string terminal() const;
  std::string csv() const;  // lines "table,row,column,paper,ours,spread,seeds,difference", without a head
  static std::string csv_head();
  nlohmann::json json() const;

 private:
  std::size_t place(const std::string& row, const std::string& column) const;
  std::vector<std::vector<std::string>> text_rows() const;

  Options options_;
  std::vector<Entry> entries_;  // row by row
};

// A sentence of the paper, checked.
struct Claim {
  enum class Verdict { pass, fail, not_tested };
  std::string text = {};  // "real beats fake at every N"
  Verdict verdict = Verdict::not_tested;
  std::string evidence = {};  // the numbers, or why it was not tested

  static Claim tested(std::string text, bool passed, std::string evidence);
  static Claim untested(std::string text, std::string why);
};
std::string to_string(Claim::Verdict verdict);

std::string markdown(const std::vector<Claim>& claims);
std::string terminal(const std::vector<Claim>& claims);
nlohmann::json json(const std::vector<Claim>& claims);

}  // namespace tobogan
