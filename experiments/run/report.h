// What an experiment says at the end: report.md for people, tables.csv and tables.json for programs, provenance.json
// for those who doubt it, and the tables on the terminal.
//
// tables.csv and tables.json hold nothing but results: the same cells give the same bytes, whenever and wherever.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "experiments/run/figure.h"
#include "experiments/run/plot.h"
#include "experiments/run/scheduler.h"
#include "experiments/run/table.h"

namespace tobogan {

class Report {
 public:
  // REQUIRES: `outcome` outlives the report.
  Report(Study study, RunOptions options, const Outcome& outcome);

  void add(Table table);
  void add(Claim claim);
  // A sentence below the title ("accuracies are the best of 15 epochs, chosen on the test set"); an empty one is none.
  void note(std::string text);
  // Draws into the result folder under `name` (letters, digits, _ and -) and shows the picture in report.md.
  void add_grid(const std::string& name, const std::string& caption, const ImageSet& images,
                const GridOptions& grid = {});
  void add_plot(const std::string& name, const std::string& caption, const Plot& plot);

  // Calls `add`, which adds grids and plots.  What it throws becomes a note: no number is lost with a picture.
  void pictures(const std::function<void()>& add);

  // Writes the files, prints tables, claims and where everything is, and returns the exit status of the outcome.
  // With --list it does nothing.
  int write();

 private:
  struct Figure {
    std::string name, caption, missing;  // missing: why there is no PNG
  };
  std::string markdown() const;
  std::string figures_markdown() const;
  std::string provenance_markdown() const;
  nlohmann::json results() const;
  nlohmann::json provenance() const;
  void print() const;

  Study study_;
  RunOptions options_;
  const Outcome& outcome_;
  std::vector<Table> tables_;
  std::vector<Claim> claims_;
  std::vector<std::string> notes_;
  std::vector<Figure> figures_;
};

}  // namespace tobogan
