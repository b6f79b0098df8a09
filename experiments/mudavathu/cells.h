// The cells of Mudavathu's study and their names.
#pragma once
#include "experiments/mudavathu/data.h"
#include "experiments/mudavathu/plan.h"
#include "experiments/run/cell.h"

namespace tobogan::mudavathu {

// Which experiments are wanted.
struct Parts {
  bool gated = true, conditional = true;
};

std::string gated_name(uint64_t seed);                    // M1
std::string conditional_name(uint64_t seed);              // M2
std::string judged_name(uint64_t seed);                   // M2's fakes before the expert
std::string augmented_name(double share, uint64_t seed);  // a classifier on real images and `share` as many fakes

// All cells for the seeds given.  The cells share `data`, which is loaded when the first of them runs.
std::vector<Cell> make_cells(const Plan& plan, const Parts& parts, const std::vector<uint64_t>& seeds,
                             std::shared_ptr<Data> data);

}  // namespace tobogan::mudavathu
