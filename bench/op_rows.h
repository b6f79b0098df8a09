// The products that op_bench checks and times: one row is one kernel at one size that training uses.
#pragma once
#include <array>
#include <functional>
#include <string>
#include <vector>

#include "kernels/device.h"

namespace tobogan::bench {

using Values = std::vector<Real>;

// A kernel of two operands and a result, on the machines of the build.
struct Products {
  std::function<void(kernels::Cpu on, const Real* x, const Real* y, Real* result)> cpu;
#ifdef TOBOGAN_WITH_CUDA
  std::function<void(kernels::Cuda on, const Real* x, const Real* y, Real* result)> cuda;
#endif
};

struct OpRow {
  std::string name;
  double nominal_flops, useful_flops, bytes;  // "useful" leaves out multiplications by padding zeros
  std::array<int64_t, 3> counts;              // elements of the operands and of the result
  Products kernel;
  // The largest error of the result at the places looked at, relative to the largest value there.
  std::function<double(const Values& x, const Values& y, const Values& result)> error;
};

std::vector<OpRow> op_rows();

}  // namespace tobogan::bench
