// What the finished cells say, asked by what a classifier was trained on.
#pragma once
#include <optional>

#include "experiments/abadi/cells.h"
#include "experiments/run/scheduler.h"

namespace tobogan::abadi {

// A study with its outcome so far.
struct Results {
  const Study& study;
  const RunOptions& options;
  const Plan& plan;
  const Outcome& outcome;

  // Accuracies of the seeds whose cell is finished; `which` is "best", "last" or "train".
  std::vector<double> accuracies(const Diet& diet, const char* which = "best") const;
  std::vector<double> colour_accuracies(double ratio, const char* which = "best") const;
  // The mean over all seeds, nothing while one is missing: means of different seeds are not to be compared.
  std::optional<double> accuracy(const Diet& diet) const;
  std::optional<double> colour_accuracy(double ratio) const;

  Diet real(const Sample& sample) const { return {plan.digits.alpha, sample, true, 0}; }
  Diet fake(const Sample& sample, double ratio) const { return {plan.digits.alpha, sample, false, ratio}; }
  Diet mixed(const Sample& sample, double ratio) const { return {plan.digits.alpha, sample, true, ratio}; }
};

// "500", "4K", "60K", as the paper writes sizes; "0.25", "1", as it writes ratios.
std::string size_text(int images);
std::string ratio_text(double ratio);

}  // namespace tobogan::abadi
