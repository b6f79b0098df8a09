// Abadi's tables, figures and claims, from whatever cells are finished.
#pragma once
#include "experiments/abadi/results.h"
#include "experiments/run/report.h"

namespace tobogan::abadi {

// Tables 1 to 5, those that are wanted.
void add_tables(Report& report, const Results& results, const Parts& parts);
// What the paper says its tables show.
void add_claims(Report& report, const Results& results, const Parts& parts);
// Figures 1 to 6.  `data` is read only for the real images beside colour fakes.
void add_figures(Report& report, const Results& results, const Parts& parts, Data& data);

}  // namespace tobogan::abadi
