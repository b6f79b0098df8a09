// The place of a difference is told by its index in API order, as the user of a tensor would write it.
#include "tests/support/close.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <iomanip>
#include <sstream>

namespace tobogan {
namespace {

// {n, c, h, w} of the i-th element in API order.
std::string place_of(const Shape& shape, int64_t i) {
  std::string place;
  for (int axis = shape.rank() - 1; axis >= 0; --axis) {
    place = std::to_string(i % shape[axis]) + (place.empty() ? "" : ", ") + place;
    i /= shape[axis];
  }
  return "{" + place + "}";
}

std::string sentence(const std::string& what, const Shape& shape, size_t i, double got, double wanted, double allowed) {
  std::ostringstream text;
  text << std::setprecision(17) << what << " of shape " << shape << " at " << place_of(shape, static_cast<int64_t>(i))
       << ": got " << got << ", expected " << wanted << std::setprecision(3) << " (apart by " << std::abs(got - wanted)
       << ", allowed " << allowed << ")";
  return text.str();
}

double largest_of(const std::vector<double>& values) {
  double largest = 0;
  for (const double value : values) largest = std::max(largest, std::abs(value));
  return largest;
}

}  // namespace

std::string difference(const std::string& what, const Shape& shape, const std::vector<Real>& got,
                       const std::vector<double>& wanted, const Tolerance& tolerance) {
  if (got.size() != wanted.size())
    return concat_text(what, ": got shape ", shape, ", expected ", wanted.size(), " values");
  const double everywhere = tolerance.of_largest * largest_of(wanted);
  for (size_t i = 0; i < wanted.size(); ++i) {
    const double allowed = kRounding * (everywhere + tolerance.of_each * std::abs(wanted[i]));
    if (!(std::abs(double{got[i]} - wanted[i]) <= allowed)) return sentence(what, shape, i, got[i], wanted[i], allowed);
  }
  return "";
}

std::string difference(const std::string& what, const Tensor& got, const std::vector<double>& wanted,
                       const Tolerance& tolerance) {
  return difference(what, got.shape(), got.to_host(), wanted, tolerance);
}

std::string difference(const std::string& what, const std::vector<double>& got, const std::vector<double>& wanted,
                       double relative) {
  const Shape shape{static_cast<int>(got.size())};
  if (got.size() != wanted.size()) return concat_text(what, ": got ", got.size(), " values, expected ", wanted.size());
  const double allowed = relative * largest_of(wanted);
  for (size_t i = 0; i < wanted.size(); ++i)
    if (!(std::abs(got[i] - wanted[i]) <= allowed)) return sentence(what, shape, i, got[i], wanted[i], allowed);
  return "";
}

std::string bit_difference(const std::string& what, const Tensor& a, const Tensor& b) {
  if (a.shape() != b.shape()) return concat_text(what, ": shapes ", a.shape(), " and ", b.shape());
  const std::vector<Real> first = a.to_host(), second = b.to_host();
  for (size_t i = 0; i < first.size(); ++i)
    if (std::memcmp(&first[i], &second[i], sizeof(Real)) != 0)
      return sentence(what, a.shape(), i, second[i], first[i], 0);
  return "";
}

std::vector<double> values_of(const Tensor& tensor) {
  const std::vector<Real> values = tensor.to_host();
  return {values.begin(), values.end()};
}

}  // namespace tobogan
