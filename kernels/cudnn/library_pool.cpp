// Max pooling as cuDNN has it.  It keeps no choices, and the engine's derivatives are gathers and scatters along them:
// the engine pools by hand on every device, and this is for op_bench.
#include <cudnn.h>

#include <stdexcept>

#include "kernels/cudnn/handles.h"
#include "kernels/cudnn/library.h"

namespace tobogan::kernels {
namespace {

class Pooling {
 public:
  explicit Pooling(const PoolDims& d) : x(1, d.block, d.in_h, d.in_w), y(1, d.block, d.out_h, d.out_w) {
    const auto fits = [](int in, int out, int kernel, int stride, int pad) {
      return in + 2 * pad >= kernel && (in + 2 * pad - kernel) / stride + 1 == out;
    };
    if (!fits(d.in_h, d.out_h, d.kernel_h, d.stride_h, d.pad_top) ||
        !fits(d.in_w, d.out_w, d.kernel_w, d.stride_w, d.pad_left))
      throw std::runtime_error("cuDNN's pooling: expected the same padding on both sides");
    check_cudnn(cudnnCreatePoolingDescriptor(&windows_), "cudnnCreatePoolingDescriptor");
    check_cudnn(cudnnSetPooling2dDescriptor(windows_, CUDNN_POOLING_MAX_DETERMINISTIC, CUDNN_PROPAGATE_NAN, d.kernel_h,
                                            d.kernel_w, d.pad_top, d.pad_left, d.stride_h, d.stride_w),
                "cudnnSetPooling2dDescriptor");
  }
  ~Pooling() { cudnnDestroyPoolingDescriptor(windows_); }
  Pooling(const Pooling&) = delete;
  Pooling& operator=(const Pooling&) = delete;
  cudnnPoolingDescriptor_t windows() const { return windows_; }

  const CudnnTensor x, y;

 private:
  cudnnPoolingDescriptor_t windows_ = nullptr;
};

const float kOne = 1, kZero = 0;

}  // namespace

void library_max_pool2d(Cudnn on, const PoolDims& dims, const Real* x, Real* y) {
  const Pooling pool(dims);
  check_cudnn(cudnnPoolingForward(*on.handles, pool.windows(), &kOne, pool.x, x, &kZero, pool.y, y),
              "cudnnPoolingForward");
}

void library_max_pool2d_grad(Cudnn on, const PoolDims& dims, const Real* x, const Real* y, const Real* dy, Real* dx) {
  const Pooling pool(dims);
  check_cudnn(
      cudnnPoolingBackward(*on.handles, pool.windows(), &kOne, pool.y, y, pool.y, dy, pool.x, x, &kZero, pool.x, dx),
      "cudnnPoolingBackward");
}

}  // namespace tobogan::kernels
