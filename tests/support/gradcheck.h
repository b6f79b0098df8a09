// Derivatives against differences.  Only the double build can tell right from wrong here: in float a difference
// quotient keeps three digits.
//
// First derivatives: the gradient of <w, f(x)> for random w, once by the fused rules and once with create_graph,
// against central differences of <w, f(x)>.  Second: the gradient of <p, gradient> for random p, with respect to x and
// to w, against central differences of <p, gradient>.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "engine/tensor.h"

namespace tobogan {

using TensorFunction = std::function<Tensor(const std::vector<Tensor>&)>;

struct GradcheckOptions {
  double step = 1e-5;
  double tolerance = 1e-6;  // of the largest derivative, or of 1 where all are smaller
};

// Empty where all first derivatives with respect to the inputs `asked` are right, else a sentence that names the first
// wrong one.  `at`: all inputs; their contents are read.
std::string wrong_first_derivative(const std::string& name, const TensorFunction& function,
                                   const std::vector<Tensor>& at, const std::vector<int>& asked,
                                   const GradcheckOptions& options = {});

std::string wrong_second_derivative(const std::string& name, const TensorFunction& function,
                                    const std::vector<Tensor>& at, const std::vector<int>& asked,
                                    const GradcheckOptions& options = {});

// The central differences of a scalar function with respect to one of its inputs, in API order.
std::vector<double> central_differences(const std::function<double(const std::vector<Tensor>&)>& function,
                                        std::vector<Tensor> at, int input, double step);

}  // namespace tobogan
