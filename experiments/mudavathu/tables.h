// Mudavathu's log, accuracies, claims and figures, from whatever cells are finished.
#pragma once
#include "experiments/mudavathu/cells.h"
#include "experiments/run/report.h"

namespace tobogan::mudavathu {

// A study with its outcome so far.
struct Results {
  const Study& study;
  const RunOptions& options;
  const Plan& plan;
  const Outcome& outcome;

  // The result of the cell that name_of(seed) names, for the first seed; nullptr while it is not finished.
  const nlohmann::json* first(std::string (*name_of)(uint64_t)) const {
    return outcome.result(name_of(options.seeds.front()));
  }
};

void add_tables(Report& report, const Results& results, const Parts& parts);
void add_claims(Report& report, const Results& results, const Parts& parts);
void add_figures(Report& report, const Results& results, const Parts& parts);

}  // namespace tobogan::mudavathu
