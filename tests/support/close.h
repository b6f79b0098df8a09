// Comparing results: the answer is a sentence, empty if there is nothing to say, so that a failed test reads
// "conv2d/same_k5_s2 at {0, 2, 1, 3}: got 0.25, expected 0.5" instead of "false".
//
//   CHECK(difference("exp", y, wanted, {.of_each = 4}) == "");
#pragma once
#include <string>
#include <vector>

#include "engine/tensor.h"

namespace tobogan {

// How far a value may be off, in roundings of Real (2^-24 in float, 2^-53 in double, of a number near 1).
struct Tolerance {
  double of_each = 0;     // relative to the wanted value itself
  double of_largest = 0;  // relative to the largest wanted value of all, for sums that may cancel
};

// Half a unit in the last place of 1.
constexpr double kRounding = sizeof(Real) == 4 ? 0x1p-24 : 0x1p-53;

// The first place where the two are further apart than allowed; NaN is close to nothing.  Values in API order.
std::string difference(const std::string& what, const Shape& shape, const std::vector<Real>& got,
                       const std::vector<double>& wanted, const Tolerance& tolerance);
std::string difference(const std::string& what, const Tensor& got, const std::vector<double>& wanted,
                       const Tolerance& tolerance);

// The same for any numbers, allowed to be apart by `relative` of the largest wanted one.
std::string difference(const std::string& what, const std::vector<double>& got, const std::vector<double>& wanted,
                       double relative);

// The first element whose bits are not the same.
std::string bit_difference(const std::string& what, const Tensor& a, const Tensor& b);

// The values of a tensor in API order, as double.
std::vector<double> values_of(const Tensor& tensor);

}  // namespace tobogan
