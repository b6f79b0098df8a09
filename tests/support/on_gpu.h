// What tests of CUDA kernels need: arrays in GPU memory that come from the host and go back there.
#pragma once
#include <cstdint>
#include <vector>

#include "kernels/cuda/machine.h"

namespace tobogan::kernels {

template <class T>
class OnGpu {
 public:
  // `count` values, not initialised.
  OnGpu(CudaMachine& machine, int64_t count)
      : machine_(machine), memory_(*machine.tag().pool, static_cast<size_t>(count)), count_(count) {}
  OnGpu(CudaMachine& machine, const std::vector<T>& values) : OnGpu(machine, static_cast<int64_t>(values.size())) {
    machine.from_host(values.size() * sizeof(T), values.data(), data());
  }

  T* data() const { return memory_.data(); }
  std::vector<T> host() const {
    std::vector<T> values(static_cast<size_t>(count_));
    machine_.to_host(values.size() * sizeof(T), data(), values.data());
    return values;
  }

 private:
  CudaMachine& machine_;
  CudaScratch<T> memory_;
  int64_t count_;
};

}  // namespace tobogan::kernels
