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

// The fakes of such a cell; empty where none is qualified.
ImageSet judged_fakes(const Finished& cell, const ImageSet& form);

// Features of a test set by Inception, left as features.safetensors for the cells of its variants.
nlohmann::json run_inception_real(CellRun& run, const Plan& plan, const ImageSet& test);
// "fid_inception", "is_inception" of a variant's fakes; null where there are too few.
nlohmann::json run_inception(CellRun& run, const Plan& plan, const std::string& judged, const std::string& real,
                             const ImageSet& form, uint64_t seed);

// Of each class the two qualified fakes that resemble least what they resemble most among so many training images
// (FSIM);
// left as "deformed": one fake of each class, then the others.  Returns their similarities.
inline constexpr int kDeformedFrom = 1000;
nlohmann::json run_deformed(CellRun& run, const std::string& judged, const ImageSet& train, uint64_t seed);

// t-SNE of the first fakes of each class.  Returns [x, y, class asked for, expert's class] of each; none where there
// are too few.
nlohmann::json run_tsne(CellRun& run, const Plan& plan, const std::string& judged, const ImageSet& form);

// Accuracy and diversity of CLS-R GAN's fakes as p_min rises: each draws anew, until its classes are full.  Returns
// [{"p_min", "kept": the share of draws that were qualified, "acc", "div"}], without those that qualify nothing.
nlohmann::json run_sweep(CellRun& run, const Plan& plan, const Sources& from, const ImageSet& form, uint64_t seed);

}  // namespace tobogan::kim_lee
