// How CUDA's refusals become exceptions: one sentence with what was tried and what CUDA said.
#pragma once
#include <cuda_runtime.h>

#include <stdexcept>
#include <string>

namespace tobogan::kernels {

struct CudaError : std::runtime_error {
  CudaError(cudaError_t code_, const std::string& tried)
      : std::runtime_error(tried + ": " + cudaGetErrorString(code_) + " (" + cudaGetErrorName(code_) + ")"),
        code(code_) {}
  cudaError_t code;
};

// check_cuda(cudaStreamSynchronize(stream), "waiting for a stream");
inline void check_cuda(cudaError_t error, const char* tried) {
  if (error == cudaSuccess) [[likely]]
    return;
  cudaGetLastError();  // takes the error away: it has been reported
  throw CudaError(error, tried);
}

}  // namespace tobogan::kernels
