// cuDNN's statuses become exceptions, its descriptors objects.
#include "kernels/cudnn/handles.h"

#include <cudnn.h>

#include <bit>
#include <climits>
#include <mutex>
#include <stdexcept>

namespace tobogan::kernels {

void check_cudnn(int status, const char* call) {
  if (status != CUDNN_STATUS_SUCCESS)
    throw std::runtime_error(std::string(call) + ": " + cudnnGetErrorString(static_cast<cudnnStatus_t>(status)));
}

CudnnTensor::CudnnTensor(int64_t images, int64_t channels, int64_t height, int64_t width) {
  for (const int64_t size : {images, channels, height, width, images * channels * height * width}) {
    if (size > INT_MAX)
      throw std::runtime_error("cuDNN's tensors hold at most 2^31 - 1 numbers, asked for " + std::to_string(images) +
                               " x " + std::to_string(height) + " x " + std::to_string(width) + " x " +
                               std::to_string(channels));
  }
  check_cudnn(cudnnCreateTensorDescriptor(&descriptor_), "cudnnCreateTensorDescriptor");
  const auto as_int = [](int64_t size) { return static_cast<int>(size); };
  check_cudnn(cudnnSetTensor4dDescriptor(descriptor_, CUDNN_TENSOR_NHWC, CUDNN_DATA_FLOAT, as_int(images),
                                         as_int(channels), as_int(height), as_int(width)),
              "cudnnSetTensor4dDescriptor");
}

CudnnTensor::~CudnnTensor() {
  cudnnDestroyTensorDescriptor(descriptor_);
}

CudnnHandles::CudnnHandles(const Cuda& on) {
  const std::unique_lock no_capture(capture_mutex());
  check_cudnn(cudnnCreate(&handle_), "cudnnCreate");
  check_cudnn(cudnnSetStream(handle_, on.stream), "cudnnSetStream");
}

CudnnHandles::~CudnnHandles() {
  const std::unique_lock no_capture(capture_mutex());
  cudnnDestroy(handle_);
}

std::shared_ptr<CudnnConv>& CudnnHandles::conv(const ConvDims& dims) {
  return convolutions_[std::bit_cast<std::array<int, sizeof(ConvDims) / sizeof(int)>>(dims)];
}

}  // namespace tobogan::kernels
