// Kim & Lee's tables, figures and claims, from whatever cells are finished.
#pragma once
#include "experiments/kim_lee/cells.h"
#include "experiments/run/report.h"

namespace tobogan::kim_lee {

// A study with its outcome so far.
struct Results {
  const Study& study;
  const RunOptions& options;
  const Plan& plan;
  const Wanted& wanted;
  const Outcome& outcome;

  // A number of evaluate() of the seeds whose cell is finished and has it.
  std::vector<double> values(Variant variant, const Case& c, const std::string& key) const;
  // Their mean; nothing while there is none.
  std::optional<double> value(Variant variant, const Case& c, const std::string& key) const;
  // The cases of Tables 1 to 4 and of the user's own that are wanted.
  std::vector<Case> cases() const;
  // No such number will come: there are no Inception weights, or the method has none (ACGAN has no encoder).
  bool none(Variant variant, const Case& c, const std::string& key) const;

 private:
  // The finished cell that has evaluate()'s `key`, or null.
  const nlohmann::json* judged(Variant variant, const Case& c, const std::string& key, uint64_t seed) const;
};

// "MNIST", "MNIST, size bias".
std::string title_of(const Case& c);

void add_tables(Report& report, const Results& results);
void add_claims(Report& report, const Results& results);
void add_figures(Report& report, const Results& results, Data& data);

}  // namespace tobogan::kim_lee
