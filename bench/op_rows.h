// The kernels that op_bench checks and times: one row is one kernel at one size that training uses.
#pragma once
#include <array>
#include <functional>
#include <string>
#include <vector>

#include "kernels/device.h"

namespace tobogan::bench {

using Values = std::vector<Real>;

// A kernel of two operands and a result, on the machines of the build.
struct Kernel {
  std::function<void(kernels::Cpu on, const Real* x, const Real* y, Real* result)> cpu;
#ifdef TOBOGAN_WITH_CUDA
  std::function<void(kernels::Cuda on, const Real* x, const Real* y, Real* result)> cuda;
#endif
#ifdef TOBOGAN_WITH_CUDNN
  std::function<void(kernels::Cudnn on, const Real* x, const Real* y, Real* result)> cudnn;
#endif
};

// The same by cuDNN alone, on operands in the layout that it likes best: its time without our copies.
struct InLibraryLayout {
  std::array<int64_t, 3> counts{};
  std::function<void(kernels::Cudnn on, const Real* x, const Real* y, Real* result)> run;  // null: no such thing
};

struct OpRow {
  std::string name;
  double nominal_flops, useful_flops, bytes;  // "useful" leaves out multiplications by padding zeros
  std::array<int64_t, 3> counts;              // elements of the operands and of the result
  Kernel kernel;
  // The largest error of the result at the places looked at, relative to the largest value there.
  std::function<double(const Values& x, const Values& y, const Values& result)> error;
  InLibraryLayout library = {};
};

std::vector<OpRow> op_rows();
std::vector<OpRow> memory_rows();  // those of them that are bound by memory (op_rows_memory.cpp)

// What rows share: how far apart values are, relative to the largest that is wanted, and the same kernel for every
// machine.
double relative_error(const std::vector<double>& wanted, const std::vector<double>& got);

template <class Function>
Kernel on_machines(const Function& kernel) {
#if defined(TOBOGAN_WITH_CUDNN)
  return {kernel, kernel, kernel};
#elif defined(TOBOGAN_WITH_CUDA)
  return {kernel, kernel};
#else
  return {kernel};
#endif
}

// Places of a result of `size` numbers that are looked at, the same every time.
std::vector<size_t> places(int count, size_t size);

}  // namespace tobogan::bench
