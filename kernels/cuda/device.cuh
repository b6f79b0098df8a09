// The one header that knows both compilers of a .cu file: nvcc, and an ordinary C++ compiler with the CUDA emulator
// (tests/cuda_emulator).  For .cu and .cuh files only.
//
//   constexpr int kBlock = 256;
//   __global__ void __launch_bounds__(kBlock) scale_kernel(float* y, const float* x, float factor, size_t count) {
//     SHARED(float, tile, [16][33]);                            // 16-byte aligned; also DYN_SMEM(float, stages);
//     const size_t i = size_t(blockIdx.x) * kBlock + threadIdx.x;
//     ...
//   }
//   Launch<kBlock>{.grid = ceil_div(count, kBlock), .stream = stream}(scale_kernel, y, x, factor, count);
//
// The block size is a template argument, so that __launch_bounds__, the launch and the index math share one constant.
#pragma once
#include <cuda_bf16.h>
#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "kernels/cuda/check.h"

#ifdef CUDA_EMULATOR
#define SHARED(type, name, dims) auto& name = ::cuda_emulator::shared_variable<type dims, decltype([] {})>()
#define DYN_SMEM(type, name) type* name = reinterpret_cast<type*>(::cuda_emulator::thread_state.dynamic_shared)
#else
#define SHARED(type, name, dims) __shared__ __align__(16) type name dims
#define DYN_SMEM(type, name)                                               \
  extern __shared__ __align__(128) unsigned char tobogan_dynamic_shared[]; \
  type* name = reinterpret_cast<type*>(tobogan_dynamic_shared)
#endif

namespace tobogan::kernels {

inline constexpr unsigned kFullWarp = ~0u;

// The number of blocks of size b that hold a things; of a grid, REQUIRES: it fits 32 bits.
__host__ __device__ constexpr unsigned ceil_div(size_t a, size_t b) {
  return unsigned((a + b - 1) / b);
}

// How a kernel is launched with blocks of kX x kY x kZ threads.  Errors name the kernel.
template <int kX, int kY = 1, int kZ = 1>
struct Launch {
  static constexpr int kThreads = kX * kY * kZ;
  static_assert(kThreads % 32 == 0 && kThreads <= 1024, "a block is a number of whole warps, at most 32");

  dim3 grid;                // blocks
  size_t shared_bytes = 0;  // of DYN_SMEM; above 48 KiB the kernel is told so first
  cudaStream_t stream;

  template <class... Params, class... Args>
  void operator()(void (*kernel)(Params...), Args&&... args) const {
    if (shared_bytes > 48 * 1024) {
      auto attribute = cudaFuncAttributeMaxDynamicSharedMemorySize;
      check(cudaFuncSetAttribute(kernel, attribute, int(shared_bytes)), reinterpret_cast<const void*>(kernel));
    }
    cudaLaunchConfig_t config{};
    config.gridDim = grid;
    config.blockDim = dim3(kX, kY, kZ);
    config.dynamicSmemBytes = shared_bytes;
    config.stream = stream;
    check(cudaLaunchKernelEx(&config, kernel, std::forward<Args>(args)...), reinterpret_cast<const void*>(kernel));
  }

 private:
  void check(cudaError_t error, const void* kernel) const {
    if (error == cudaSuccess) [[likely]]
      return;
    const char* name = "a kernel";
    cudaFuncGetName(&name, kernel);
    const std::string tried = std::string("launch of ") + name + " with " + std::to_string(grid.x) + " x " +
                              std::to_string(grid.y) + " x " + std::to_string(grid.z) + " blocks of " +
                              std::to_string(kThreads) + " threads and " + std::to_string(shared_bytes) +
                              " bytes of dynamic shared memory";
    check_cuda(error, tried.c_str());
  }
};

// Loads and stores that must be one instruction: V is float4, int2 and the like, and p aligned to it.
template <class V>
__device__ __forceinline__ V load_vector(const void* p) {
  return *static_cast<const V*>(p);
}
template <class V>
__device__ __forceinline__ void store_vector(void* p, V value) {
  *static_cast<V*>(p) = value;
}

}  // namespace tobogan::kernels
