// cuDNN on one stream, and what has been asked of it so far: the algorithm of each convolution.
//
// Only the .cpp files of this folder read cuDNN's header, so its types stand here as names.
#pragma once
#include <array>
#include <map>
#include <memory>

#include "kernels/conv.h"
#include "kernels/cuda/machine.h"

struct cudnnContext;
struct cudnnTensorStruct;

namespace tobogan::kernels {

// Throws std::runtime_error that names the call, unless `status`, a cudnnStatus_t, is success.
void check_cudnn(int status, const char* call);

// The descriptor of packed floats [image][row][column][channel].
class CudnnTensor {
 public:
  CudnnTensor(int64_t images, int64_t channels, int64_t height, int64_t width);
  ~CudnnTensor();
  CudnnTensor(const CudnnTensor&) = delete;
  CudnnTensor& operator=(const CudnnTensor&) = delete;
  operator cudnnTensorStruct*() const { return descriptor_; }

 private:
  cudnnTensorStruct* descriptor_ = nullptr;
};

struct CudnnConv;  // kernels/cudnn/library_conv.cpp: descriptors and algorithms of one convolution

class CudnnHandles {
 public:
  explicit CudnnHandles(const Cuda& on);
  ~CudnnHandles();
  CudnnHandles(const CudnnHandles&) = delete;
  CudnnHandles& operator=(const CudnnHandles&) = delete;

  operator cudnnContext*() const { return handle_; }
  // What is known about a convolution of these sizes: null at first.
  std::shared_ptr<CudnnConv>& conv(const ConvDims& dims);

  int64_t left_to_us = 0;  // convolutions that the hand-written kernels did, because the library has no algorithm

 private:
  cudnnContext* handle_ = nullptr;
  std::map<std::array<int, sizeof(ConvDims) / sizeof(int)>, std::shared_ptr<CudnnConv>> convolutions_;
};

// A GPU with cuDNN on its stream.
class CudnnMachine : public CudaMachine {
 public:
  explicit CudnnMachine(const CudaOptions& options = {}) : CudaMachine(options), handles_(CudaMachine::tag()) {}
  Cudnn tag() { return {CudaMachine::tag(), &handles_}; }

 private:
  CudnnHandles handles_;
};

}  // namespace tobogan::kernels
