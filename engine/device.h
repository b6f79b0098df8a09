// The machines in this build, and the choice between them at run time.
//
//   dispatch(x.device(), [&](auto on) { kernels::fill(on, x.count(), 0, x.data()); });
//
// The lambda is instantiated for each tag of the variant, so overload resolution picks the machine's kernel and a
// missing one is a compile or link error.  The machine is entered first (kernels/device.h).  That is all the machinery
// there is.
#pragma once
#include <type_traits>
#include <variant>

#include "kernels/device.h"

namespace tobogan {

#if defined(TOBOGAN_WITH_CUDNN)
using Device = std::variant<kernels::Cpu, kernels::Cuda, kernels::Cudnn>;
#elif defined(TOBOGAN_WITH_CUDA)
using Device = std::variant<kernels::Cpu, kernels::Cuda>;
#else
using Device = std::variant<kernels::Cpu>;
#endif

template <class Function>
decltype(auto) dispatch(const Device& on, Function&& function) {
  return std::visit(
      [&](const auto& tag) -> decltype(auto) {
        kernels::enter(tag);
        return function(tag);
      },
      on);
}

// Whether both are the same Machine.
inline bool same_machine(const Device& a, const Device& b) {
  const auto pool_of = [](const auto& on) -> const void* { return on.pool; };
  return std::visit(pool_of, a) == std::visit(pool_of, b);
}

// The tag of a GPU, whosever kernels run on it; null on the CPU.
inline const kernels::Cuda* gpu_of(const Device& device) {
  return std::visit(
      [](const auto& on) -> const kernels::Cuda* {
        if constexpr (std::is_convertible_v<decltype(&on), const kernels::Cuda*>) return &on;
        return nullptr;
      },
      device);
}

}  // namespace tobogan
