// The devices that tests of the engine run on: those in the build that this machine has.
#pragma once
#include <string>
#include <vector>

#include "engine/context.h"

#if defined(TOBOGAN_WITH_CUDA)
#include <cuda_runtime.h>
#endif

namespace tobogan {

inline std::vector<std::string> devices() {
  std::vector<std::string> names{"cpu"};
#if defined(TOBOGAN_WITH_CUDA)
  int count = 0;
  if (cudaGetDeviceCount(&count) == cudaSuccess && count > 0) names.push_back("cuda");
#if defined(TOBOGAN_WITH_CUDNN)
  if (names.size() > 1) names.push_back("cudnn");
#endif
#endif
  return names;
}

// Those of them that are GPUs: "cuda" and "cudnn", the same GPU with other kernels.
inline std::vector<std::string> gpus() {
  std::vector<std::string> names = devices();
  names.erase(names.begin());
  return names;
}

}  // namespace tobogan
