// Cells are asked by name; a cell that is not finished says nothing.
#include "experiments/abadi/results.h"

#include <fmt/format.h>

#include "experiments/run/seeds.h"

namespace tobogan::abadi {
namespace {

template <class Name>
std::vector<double> collect(const Results& results, const char* which, const Name& name_of) {
  std::vector<double> values;
  for (const uint64_t seed : results.options.seeds)
    if (const nlohmann::json* result = results.outcome.result(name_of(seed))) values.push_back(result->at(which));
  return values;
}

std::optional<double> mean_of_all(const Results& results, const std::vector<double>& values) {
  return values.size() < results.options.seeds.size() ? std::nullopt : std::optional(mean_of(values));
}

}  // namespace

std::vector<double> Results::accuracies(const Diet& diet, const char* which) const {
  return collect(*this, which, [&](uint64_t seed) { return classifier_name(diet, seed); });
}

std::vector<double> Results::colour_accuracies(double ratio, const char* which) const {
  return collect(*this, which, [&](uint64_t seed) { return colour_classifier_name(plan.colour, ratio, seed); });
}

std::optional<double> Results::accuracy(const Diet& diet) const {
  return mean_of_all(*this, accuracies(diet));
}

std::optional<double> Results::colour_accuracy(double ratio) const {
  return mean_of_all(*this, colour_accuracies(ratio));
}

std::string size_text(int images) {
  return images % 1000 ? std::to_string(images) : fmt::format("{}K", images / 1000);
}

std::string ratio_text(double ratio) {
  return fmt::format("{}", ratio);
}

}  // namespace tobogan::abadi
