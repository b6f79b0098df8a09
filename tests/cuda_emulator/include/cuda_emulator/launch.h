// Kernel launches: the arguments are copied, as CUDA does, and the call is handed to the stream without its type.
// Only cudaLaunchKernelEx is known; <<< >>> is not C++.
#pragma once
#include <cuda_emulator/language.h>
#include <cuda_emulator/runtime_api.h>

#include <tuple>
#include <type_traits>
#include <utility>

enum cudaLaunchAttributeID { cudaLaunchAttributeIgnore = 0 };
struct cudaLaunchAttribute {
  cudaLaunchAttributeID id;
};
struct cudaLaunchConfig_t {
  dim3 gridDim, blockDim;
  size_t dynamicSmemBytes;
  cudaStream_t stream;
  cudaLaunchAttribute* attrs;
  unsigned numAttrs;
};

namespace cuda_emulator {

// A call whose arguments lie at `arguments`, owned by whoever holds it last.
struct Call {
  void (*run)(const void* arguments);
  void (*destroy)(void* arguments);
  void* arguments;
  size_t bytes;
};

// Puts a kernel launch on the stream after checking it.  `kernel` is the kernel's address.
cudaError_t launch(const cudaLaunchConfig_t& config, const void* kernel, Call call);
// Puts host code that works on device memory on the stream: how library calls such as cuBLAS's are emulated.
cudaError_t enqueue(cudaStream_t stream, Call call);
// Ends the process unless the pointer argument lies in device or pinned memory (or one past its end).
void check_pointer_argument(const void* kernel, int position, const void* pointer);

template <class F>
cudaError_t enqueue(cudaStream_t stream, F f) {
  return enqueue(stream, Call{[](const void* p) { (*static_cast<const F*>(p))(); },
                              [](void* p) { delete static_cast<F*>(p); }, new F(std::move(f)), sizeof(F)});
}

template <class T>
void check_argument(const void* kernel, int position, const T& argument) {
  if constexpr (std::is_pointer_v<T>) {
    if (argument) check_pointer_argument(kernel, position, reinterpret_cast<const void*>(argument));
  }
}

template <class... Params>
struct KernelCall {
  void (*kernel)(Params...);
  std::tuple<Params...> arguments;

  static void run(const void* call) {
    std::apply(static_cast<const KernelCall*>(call)->kernel, static_cast<const KernelCall*>(call)->arguments);
  }
  static void destroy(void* call) { delete static_cast<KernelCall*>(call); }
};

cudaError_t set_function_attribute(const void* kernel, cudaFuncAttribute attribute, int value);
cudaError_t function_attributes(cudaFuncAttributes* attributes, const void* kernel);
int resident_blocks(const void* kernel, int block, size_t dynamic_shared);

}  // namespace cuda_emulator

template <class... Params, class... Args>
cudaError_t cudaLaunchKernelEx(const cudaLaunchConfig_t* config, void (*kernel)(Params...), Args&&... args) {
  static_assert((sizeof(Params) + ... + 0) <= 4096, "kernel arguments of more than 4 KiB");
  static_assert((std::is_trivially_copyable_v<Params> && ...), "kernel arguments are copied as bytes");
  using KernelCall = cuda_emulator::KernelCall<Params...>;
  auto* call = new KernelCall{kernel, std::tuple<Params...>(std::forward<Args>(args)...)};
  const void* address = reinterpret_cast<const void*>(kernel);
  int position = 0;
  std::apply([&](const auto&... argument) { (cuda_emulator::check_argument(address, position++, argument), ...); },
             call->arguments);
  return cuda_emulator::launch(*config, address, {KernelCall::run, KernelCall::destroy, call, sizeof(KernelCall)});
}

template <class... Params>
cudaError_t cudaFuncSetAttribute(void (*kernel)(Params...), cudaFuncAttribute attribute, int value) {
  return cuda_emulator::set_function_attribute(reinterpret_cast<const void*>(kernel), attribute, value);
}
template <class... Params>
cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* attributes, void (*kernel)(Params...)) {
  return cuda_emulator::function_attributes(attributes, reinterpret_cast<const void*>(kernel));
}
template <class... Params>
cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, void (*kernel)(Params...), int block,
                                                          size_t dynamic_shared) {
  *blocks = cuda_emulator::resident_blocks(reinterpret_cast<const void*>(kernel), block, dynamic_shared);
  return cudaSuccess;
}
