// The paper prints one log and one accuracy.
#include "experiments/mudavathu/tables.h"

#include <fmt/format.h>

#include <functional>

#include "experiments/training/losses.h"

namespace tobogan::mudavathu {
namespace {

// D's summed loss and G's loss at iterations 0, 1000, ..., 10000.
constexpr double kPaperLog[][2] = {{0.8340, 0.7104}, {0.8630, 0.6736}, {1.0807, 0.6518}, {1.3804, 0.6879},
                                   {1.3716, 0.7298}, {1.3645, 0.6561}, {1.3575, 0.6952}, {1.3085, 0.5756},
                                   {1.4518, 0.7381}, {1.2495, 0.5534}, {1.3530, 0.8886}};
constexpr double kPaperAccuracy = 0.88;

// A log of another length stands beside the paper's at the same tenth of the training.
Table log_table(const Results& r) {
  const GatedPlan& plan = r.plan.gated;
  Table::Options options{.name = "m1_log",
                         .title = "M1. Losses along the training (iteration, and the paper's at the same share)",
                         .corner = "iteration",
                         .columns = {"D loss (sum)", "G loss"},
                         .seeds = static_cast<int>(r.options.seeds.size()),
                         .comparison = comparison(r.study)};
  std::vector<std::vector<std::optional<double>>> paper;
  for (int iteration = 0; iteration <= plan.iterations; iteration += plan.log_every) {
    options.rows.push_back(std::to_string(iteration));
    const bool tenth = int64_t{10} * iteration % plan.iterations == 0;
    const double* row = kPaperLog[int64_t{10} * iteration / plan.iterations];
    paper.push_back(tenth ? std::vector<std::optional<double>>{row[0], row[1]}
                          : std::vector<std::optional<double>>{std::nullopt, std::nullopt});
  }
  Table table(options);
  table.paper(paper);
  for (const uint64_t seed : r.options.seeds) {
    const nlohmann::json* result = r.outcome.result(gated_name(seed));
    if (!result) continue;
    for (const nlohmann::json& row : result->at("losses")) {
      if (row[0].get<int64_t>() % plan.log_every) continue;
      for (int column = 0; column < 2; ++column)
        table.add(std::to_string(row[0].get<int64_t>()), options.columns[column], loss_at(row, column + 1));
    }
  }
  return table;
}

const char* const kRight = "D on the classes of its training batches, last 100 iterations";
const char* const kExpert = "expert on the classes of fakes";
const char* const kHeldOut = "D on the classes of held-out images";

Table accuracy_table(const Results& r) {
  Table table({.name = "m2_accuracy",
               .title = "M2. \"Accuracy in generating new images\", which the paper does not define",
               .corner = "definition",
               .rows = {kRight, kExpert, kHeldOut},
               .columns = {"accuracy"},
               .seeds = static_cast<int>(r.options.seeds.size()),
               .comparison = comparison(r.study)});
  table.paper({{kPaperAccuracy}, {std::nullopt}, {std::nullopt}});
  for (const uint64_t seed : r.options.seeds) {
    if (const nlohmann::json* gan = r.outcome.result(conditional_name(seed))) {
      const nlohmann::json& right = gan->at("right");
      table.add(kRight, "accuracy",
                (right[0].get<double>() + right[1].get<double>()) / 2 / gan->at("iterations").get<double>());
      table.add(kHeldOut, "accuracy", gan->at("held_out"));
    }
    if (const nlohmann::json* judged = r.outcome.result(judged_name(seed)))
      table.add(kExpert, "accuracy", judged->at("accuracy"));
  }
  return table;
}

Table augmented_table(const Results& r) {
  Table::Options options{.name = "m2_augmented",
                         .title = "M2. A classifier on real images and fakes that D takes for real (not in the paper)",
                         .corner = "fakes / real images",
                         .columns = {"test accuracy", "real images", "fakes"},
                         .digits = {4, 0, 0},
                         .seeds = static_cast<int>(r.options.seeds.size()),
                         .comparison = comparison(r.study)};
  for (const double share : r.plan.fake_shares) options.rows.push_back(fmt::format("{:.3g}", share));
  Table table(options);
  for (const uint64_t seed : r.options.seeds) {
    for (const double share : r.plan.fake_shares) {
      const nlohmann::json* result = r.outcome.result(augmented_name(share, seed));
      if (!result) continue;
      const std::string row = fmt::format("{:.3g}", share);
      table.add(row, "test accuracy", result->at("test"));
      table.add(row, "real images", result->at("real"));
      table.add(row, "fakes", result->at("fakes"));
    }
  }
  return table;
}

// A sentence about each finished cell that name_of(seed) names; which seed it was where there are several.
void note_by_seed(Report& report, const Results& r, Results::NameOf name_of,
                  const std::function<std::string(const nlohmann::json&)>& sentence) {
  for (const uint64_t seed : r.options.seeds)
    if (const nlohmann::json* result = r.outcome.result(name_of(seed)))
      report.note(sentence(*result) + (r.options.seeds.size() > 1 ? fmt::format(" (Seed {}.)", seed) : ""));
}

}  // namespace

std::vector<const nlohmann::json*> Results::all(NameOf name_of) const {
  std::vector<const nlohmann::json*> results;
  for (const uint64_t seed : options.seeds) {
    results.push_back(outcome.result(name_of(seed)));
    if (!results.back()) return {};
  }
  return results;
}

void add_tables(Report& report, const Results& r, const Parts& parts) {
  if (parts.gated) {
    report.add(log_table(r));
    note_by_seed(report, r, gated_name, [&](const nlohmann::json& gan) {
      return fmt::format("M1: of {} iterations G was trained in {}, D in {}.", r.plan.gated.iterations + 1,
                         gan.at("trained")[0].get<int64_t>(), gan.at("trained")[1].get<int64_t>());
    });
  }
  if (!parts.conditional) return;
  report.add(accuracy_table(r));
  report.add(augmented_table(r));
  report.note(r.plan.conditional.true_epochs ? "M2: an epoch is a pass over the training images."
                                             : "M2: an \"epoch\" of the paper is read as one iteration.");
  note_by_seed(report, r, judged_name, [](const nlohmann::json& judged) {
    return fmt::format(
        "The expert that judges M2's {} fakes knows {:.2f} % of the held-out images and {:.2f} % of deformed ones.",
        judged.at("fakes").get<int>(), 100 * judged.at("expert_on_real").get<double>(),
        100 * judged.at("expert_on_deformed").get<double>());
  });
  note_by_seed(report, r, conditional_name, [](const nlohmann::json& gan) {
    return fmt::format("M2: D took {} of {} fakes for real.", gan.at("accepted").get<int>(),
                       gan.at("drawn").get<int64_t>());
  });
}

}  // namespace tobogan::mudavathu
