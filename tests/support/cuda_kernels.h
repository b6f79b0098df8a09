// What tests of CUDA kernels against the CPU's need: a machine of each kind, and runs that must repeat bit for bit.
#pragma once
#include "tests/support/kernels.h"
#include "tests/support/on_gpu.h"

namespace tobogan::kernels {

struct BothMachines {
  CpuMachine cpu{1};  // TSan sees nothing of the thread pool's own order: it is not instrumented here
  CudaMachine cuda;

  // run(cuda, y) twice on memory that holds other values each time: the same bits; returns them.  With `offset` y is so
  // many elements off the alignment of vector loads.
  template <class T = Real, class Run>
  std::vector<T> repeat(int64_t count, const Run& run, int64_t offset = 0) {
    std::vector<T> results[2];
    for (int turn = 0; turn < 2; ++turn) {
      const OnGpu<T> y(cuda, std::vector<T>(static_cast<size_t>(count + offset), static_cast<T>(7 + turn)));
      run(cuda.tag(), y.data() + offset);
      results[turn] = y.host();
      results[turn].erase(results[turn].begin(), results[turn].begin() + offset);
    }
    REQUIRE((count == 0 || std::memcmp(results[0].data(), results[1].data(), results[0].size() * sizeof(T)) == 0));
    return results[0];
  }
};

// `values` in GPU memory, `offset` elements off the alignment of vector loads.
template <class T>
class Shifted {
 public:
  Shifted(CudaMachine& machine, const std::vector<T>& values, int64_t offset)
      : offset_(offset), memory_(machine, shifted(values, offset)) {}
  T* data() const { return memory_.data() + offset_; }

 private:
  static std::vector<T> shifted(std::vector<T> values, int64_t offset) {
    values.insert(values.begin(), static_cast<size_t>(offset), T{});
    return values;
  }
  int64_t offset_;
  OnGpu<T> memory_;
};

// The largest of |got - wanted| / (absolute + |wanted|); infinite where the sizes differ.
inline double apart(const Reals& got, const Reals& wanted, double absolute = 1) {
  if (got.size() != wanted.size()) return HUGE_VAL;
  return worst_error(
      got, [&](int64_t i) { return wanted[static_cast<size_t>(i)]; }, absolute);
}

}  // namespace tobogan::kernels
