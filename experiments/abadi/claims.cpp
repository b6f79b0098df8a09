// What the paper says its tables show, asked of ours.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "experiments/abadi/tables.h"

namespace tobogan::abadi {
namespace {

constexpr const char* kPending = "not all of the cells it needs are finished";
// The paper prints differences below 0.001 between its ratios; classifiers differ by more from start to start.
constexpr double kSameAccuracy = 0.02;

// A number for each sample; nothing if one of them is missing.
template <class Number>
std::optional<std::vector<double>> for_all_samples(const Results& r, const Number& number_of) {
  std::vector<double> numbers;
  for (const Sample& sample : r.plan.digits.samples) {
    const std::optional<double> number = number_of(sample);
    if (!number) return std::nullopt;
    numbers.push_back(*number);
  }
  return numbers;
}

// "500: 0.129, 1K: 0.108".
std::string by_size(const Results& r, const std::vector<double>& numbers, const char* form = "{:.4f}") {
  std::string text;
  for (size_t i = 0; i < numbers.size(); ++i)
    text += (i ? ", " : "") + size_text(r.plan.digits.samples[i].images) + ": " +
            fmt::format(fmt::runtime(form), numbers[i]);
  return text;
}

// How much better real images are than as many fakes.
std::optional<std::vector<double>> gaps_to_fakes(const Results& r) {
  return for_all_samples(r, [&](const Sample& sample) -> std::optional<double> {
    const auto real = r.accuracy(r.real(sample)), fake = r.accuracy(r.fake(sample, 1));
    return real && fake ? std::optional(*real - *fake) : std::nullopt;
  });
}

Claim real_beats_fake(const Results& r) {
  const std::string text = "Real images beat as many fakes at every size";
  const auto gaps = gaps_to_fakes(r);
  if (!gaps) return Claim::untested(text, kPending);
  const bool holds = std::all_of(gaps->begin(), gaps->end(), [](double gap) { return gap > 0; });
  return Claim::tested(text, holds, "gaps " + by_size(r, *gaps));
}

Claim gap_shrinks(const Results& r) {
  const std::string text = "The gap between real images and fakes shrinks as the size grows, up to 4K";
  const std::vector<Sample>& samples = r.plan.digits.samples;  // in ascending order
  if (samples.size() < 2 || samples[1].images > 4000) return Claim::untested(text, "there are no two sizes up to 4K");
  const auto gaps = gaps_to_fakes(r);
  if (!gaps) return Claim::untested(text, kPending);
  bool holds = true;
  for (size_t i = 1; i < gaps->size() && samples[i].images <= 4000; ++i) holds &= (*gaps)[i] < (*gaps)[i - 1];
  return Claim::tested(text, holds, "gaps " + by_size(r, *gaps));
}

Claim more_fakes_change_nothing(const Results& r) {
  const std::string text = fmt::format("More fakes alone change nothing (accuracies within {})", kSameAccuracy);
  const auto spreads = for_all_samples(r, [&](const Sample& sample) -> std::optional<double> {
    double low = 1, high = 0;
    for (double ratio : r.plan.digits.fake_ratios) {
      const auto accuracy = r.accuracy(r.fake(sample, ratio));
      if (!accuracy) return std::nullopt;
      low = std::min(low, *accuracy);
      high = std::max(high, *accuracy);
    }
    return high - low;
  });
  if (!spreads) return Claim::untested(text, kPending);
  const bool holds = std::all_of(spreads->begin(), spreads->end(), [](double s) { return s < kSameAccuracy; });
  return Claim::tested(text, holds, "spreads " + by_size(r, *spreads));
}

// The ratio above 0 with the largest accuracy, and what it gains over real images alone.
struct Best {
  double ratio, gain;
};
std::optional<Best> best_ratio(const Results& r, const Sample& sample) {
  const auto real = r.accuracy(r.real(sample));
  if (!real) return std::nullopt;
  Best best{0, -1};
  for (double ratio : r.plan.digits.mixed_ratios) {
    if (ratio == 0) continue;
    const auto accuracy = r.accuracy(r.mixed(sample, ratio));
    if (!accuracy) return std::nullopt;
    if (*accuracy - *real > best.gain) best = {ratio, *accuracy - *real};
  }
  return best;
}

Claim fakes_help(const Results& r) {
  const std::string text = "Real images with fakes beat real images alone, for some ratio, at every size";
  const auto gains = for_all_samples(r, [&](const Sample& sample) -> std::optional<double> {
    const auto best = best_ratio(r, sample);
    return best ? std::optional(best->gain) : std::nullopt;
  });
  if (!gains) return Claim::untested(text, kPending);
  const bool holds = std::all_of(gains->begin(), gains->end(), [](double gain) { return gain > 0; });
  return Claim::tested(text, holds, "best gains " + by_size(r, *gains));
}

Claim best_ratio_falls(const Results& r) {
  const std::string text = "The best ratio of fakes falls as the size grows";
  if (r.plan.digits.samples.size() < 2) return Claim::untested(text, "there is one size only");
  const auto ratios = for_all_samples(r, [&](const Sample& sample) -> std::optional<double> {
    const auto best = best_ratio(r, sample);
    return best ? std::optional(best->ratio) : std::nullopt;
  });
  if (!ratios) return Claim::untested(text, kPending);
  const bool holds = std::is_sorted(ratios->rbegin(), ratios->rend()) && ratios->back() < ratios->front();
  return Claim::tested(text, holds, "best ratios " + by_size(r, *ratios, "{}"));
}

Claim colour_fakes_help_a_little(const Results& r) {
  const std::string text = "On colour images a few fakes (at most R = 0.025) help, and from R = 0.05 on they harm";
  const auto real = r.colour_accuracy(0);
  std::optional<double> few, many;  // the best of few, the best of many
  std::string evidence;
  for (double ratio : r.plan.colour.ratios) {
    const auto accuracy = r.colour_accuracy(ratio);
    if (!accuracy) return Claim::untested(text, kPending);
    evidence += fmt::format("{}{}: {:.4f}", evidence.empty() ? "" : ", ", ratio, *accuracy);
    if (ratio == 0) continue;
    std::optional<double>& best = ratio <= 0.025 ? few : many;
    best = std::max(best.value_or(0), *accuracy);
  }
  if (!real || !few || !many) return Claim::untested(text, "the profile has no ratios on both sides of it");
  return Claim::tested(text, *few > *real && *many < *real, evidence);
}

}  // namespace

void add_claims(Report& report, const Results& results, const Parts& parts) {
  if (parts.digits) {
    report.add(real_beats_fake(results));
    report.add(gap_shrinks(results));
    report.add(more_fakes_change_nothing(results));
    report.add(fakes_help(results));
    report.add(best_ratio_falls(results));
  }
  if (parts.colour) report.add(colour_fakes_help_a_little(results));
}

}  // namespace tobogan::abadi
