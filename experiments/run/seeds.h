// Mean and spread over seeds.
#pragma once
#include <cmath>
#include <optional>
#include <span>

namespace tobogan {

// REQUIRES: at least one value.
inline double mean_of(std::span<const double> values) {
  double sum = 0;
  for (double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

// The sample standard deviation (n - 1 in the denominator); nothing for fewer than two values.
inline std::optional<double> spread_of(std::span<const double> values) {
  if (values.size() < 2) return std::nullopt;
  const double mean = mean_of(values);
  double squares = 0;
  for (double value : values) squares += (value - mean) * (value - mean);
  return std::sqrt(squares / static_cast<double>(values.size() - 1));
}

}  // namespace tobogan
