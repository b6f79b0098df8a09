// What the paper says its curves show, asked of ours: bounds of every seed, means over all of them.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "experiments/mudavathu/tables.h"
#include "experiments/training/losses.h"

namespace tobogan::mudavathu {
namespace {

constexpr const char* kPending = "not all of the cells it needs are finished";
// Two neighbouring quarters of a flat curve differ by less than this part of the curve's level.
constexpr double kFlat = 0.15;

Claim gated_settles(const Results& r) {
  const std::string text =
      "M1: from iteration 3,000 on (three tenths) D's summed loss is within 1.2 .. 1.5 and G's within 0.55 .. 0.9";
  const auto gans = r.all(gated_name);
  if (gans.empty()) return Claim::untested(text, kPending);
  double d_low = 1e9, d_high = -1e9, g_low = 1e9, g_high = -1e9;
  for (const nlohmann::json* gan : gans) {
    for (const nlohmann::json& row : gan->at("losses")) {
      const int64_t iteration = row[0];
      if (iteration % r.plan.gated.log_every || 10 * iteration < 3 * r.plan.gated.iterations) continue;
      const double d = loss_at(row, 1), g = loss_at(row, 2);
      if (!std::isfinite(d + g))
        return Claim::tested(text, false, fmt::format("a loss was no number at iteration {}", iteration));
      d_low = std::min(d_low, d), d_high = std::max(d_high, d);
      g_low = std::min(g_low, g), g_high = std::max(g_high, g);
    }
  }
  return Claim::tested(text, d_low >= 1.2 && d_high <= 1.5 && g_low >= 0.55 && g_high <= 0.9,
                       fmt::format("D {:.4f} .. {:.4f}, G {:.4f} .. {:.4f} in the log", d_low, d_high, g_low, g_high));
}

// The mean over seeds of a column of [step, D, G], over steps of begin < step <= end, both shares of the training.
double mean_between(const std::vector<const nlohmann::json*>& gans, int column, double begin, double end) {
  double sum = 0;
  int count = 0;
  for (const nlohmann::json* gan : gans) {
    const nlohmann::json& losses = gan->at("losses");
    const double last = losses.back()[0];
    for (const nlohmann::json& row : losses) {
      const double share = row[0].get<double>() / last;
      if (share <= begin || share > end) continue;
      sum += loss_at(row, column);
      ++count;
    }
  }
  return count ? sum / count : 0;
}

Claim conditional_starts_high(const Results& r) {
  const std::string text = "M2: G's loss starts above D's";
  const auto gans = r.all(conditional_name);
  if (gans.empty()) return Claim::untested(text, kPending);
  if (r.plan.conditional.epochs < 20) return Claim::untested(text, "a twentieth of the training is no epoch");
  const double d = mean_between(gans, 1, 0, 0.05), g = mean_between(gans, 2, 0, 0.05);
  return Claim::tested(text, g > d, fmt::format("G {:.3f}, D {:.3f} over the first twentieth", g, d));
}

Claim conditional_flattens(const Results& r) {
  const std::string text = fmt::format(
      "M2: both losses are flat after half of the iterations (third and last quarter within {:.0f} %)", 100 * kFlat);
  const auto gans = r.all(conditional_name);
  if (gans.empty()) return Claim::untested(text, kPending);
  bool flat = true;
  std::string evidence;
  for (int column = 1; column <= 2; ++column) {
    const double third = mean_between(gans, column, 0.5, 0.75), last = mean_between(gans, column, 0.75, 1);
    flat &= std::abs(last - third) < kFlat * std::max(last, third);
    evidence += fmt::format("{}{} {:.3f}, {:.3f}", column == 1 ? "" : "; ", column == 1 ? "D" : "G", third, last);
  }
  return Claim::tested(text, flat, evidence);
}

Claim conditional_accuracy(const Results& r) {
  const std::string text = "M2: accuracy of at least 0.85 (the paper has 0.88)";
  const auto gans = r.all(conditional_name);
  if (gans.empty()) return Claim::untested(text, kPending);
  double real = 0, fake = 0;  // means over seeds
  for (const nlohmann::json* gan : gans) {
    const double all = gan->at("iterations").get<double>() * static_cast<double>(gans.size());
    real += gan->at("right")[0].get<double>() / all;
    fake += gan->at("right")[1].get<double>() / all;
  }
  return Claim::tested(text, (real + fake) / 2 >= 0.85,
                       fmt::format("D's classes in training: {:.4f} on real images, {:.4f} on fakes", real, fake));
}

}  // namespace

void add_claims(Report& report, const Results& results, const Parts& parts) {
  if (parts.gated) report.add(gated_settles(results));
  if (!parts.conditional) return;
  report.add(conditional_starts_high(results));
  report.add(conditional_flattens(results));
  report.add(conditional_accuracy(results));
}

}  // namespace tobogan::mudavathu
