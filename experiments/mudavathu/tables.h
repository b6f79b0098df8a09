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

  // The results of the cells that name_of(seed) names, of all seeds; none while one of them is not finished.
  using NameOf = std::string (*)(uint64_t);
  std::vector<const nlohmann::json*> all(NameOf name_of) const;
  // Of the first seed, for figures; nullptr while it is not finished.
  const nlohmann::json* first(NameOf name_of) const { return outcome.result(name_of(options.seeds.front())); }
};

void add_tables(Report& report, const Results& results, const Parts& parts);
void add_claims(Report& report, const Results& results, const Parts& parts);
// `data` is read for real images beside the fakes.
void add_figures(Report& report, const Results& results, const Parts& parts, Data& data);

}  // namespace tobogan::mudavathu
