// Cells that look at trained models: fakes with what the tables say of them, and what only figures need.
#pragma once
#include "experiments/kim_lee/cells.h"

namespace tobogan::kim_lee {

// The names under which a cell finds what it needs.
struct Sources {
  std::string training, classifier, expert;
};

// Draws a variant's fakes, leaves them as "fakes" in the cell's folder and returns evaluate()'s numbers with "drawn":
// how many fakes of each class that took.
nlohmann::json run_judged(CellRun& run, const Plan& plan, Variant variant, const Sources& from, const Dataset& data,
                          uint64_t seed);

// Features of a test set by Inception, left as features.safetensors for the cells of its variants.
nlohmann::json run_inception_real(CellRun& run, const Plan& plan, const ImageSet& test);
// "fid_inception", "is_inception" of a variant's fakes.
nlohmann::json run_inception(CellRun& run, const Plan& plan, const std::string& judged, const std::string& real,
                             const ImageSet& form, uint64_t seed);

// Of each class the two qualified fakes that resemble least what they resemble most among 1,000 training images (FSIM);
// left as "deformed": one fake of each class, then the others.  Returns their similarities.
nlohmann::json run_deformed(CellRun& run, const std::string& judged, const ImageSet& train, uint64_t seed);

// t-SNE of the first fakes of each class.  Returns [x, y, class asked for, expert's class] of each; none where there
// are too few.
nlohmann::json run_tsne(CellRun& run, const Plan& plan, const std::string& judged, const ImageSet& form);

// Accuracy and diversity of those fakes of CLS-R GAN that are qualified at several p_min, from all its fakes.
nlohmann::json run_sweep(CellRun& run, const Plan& plan, const std::string& judged_raw, const Sources& from,
                         const ImageSet& form, uint64_t seed);

}  // namespace tobogan::kim_lee
