// The cuDNN subset: known answers in both layouts, blending, a workspace that is too small, shapes that do not fit.
#include <cudnn.h>

#include <algorithm>

#include "tests/cuda_emulator/tests/support.h"

namespace {
using namespace emulator_test;

// What the tests share: a handle on a stream and descriptors that are set anew by each.
struct Library {
  Stream stream;
  cudnnHandle_t handle;
  cudnnTensorDescriptor_t x, y, channels;
  cudnnFilterDescriptor_t w;
  cudnnConvolutionDescriptor_t conv;

  Library() {
    cudnnCreate(&handle), cudnnSetStream(handle, stream);
    cudnnCreateTensorDescriptor(&x), cudnnCreateTensorDescriptor(&y), cudnnCreateTensorDescriptor(&channels);
    cudnnCreateFilterDescriptor(&w), cudnnCreateConvolutionDescriptor(&conv);
  }
  ~Library() {
    cudnnDestroyConvolutionDescriptor(conv), cudnnDestroyFilterDescriptor(w);
    cudnnDestroyTensorDescriptor(channels), cudnnDestroyTensorDescriptor(y), cudnnDestroyTensorDescriptor(x);
    cudnnDestroy(handle);
  }
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  // One image of 3 x 3 pixels and 2 channels, one result channel, a 2 x 2 kernel.
  void small_convolution(cudnnTensorFormat_t format) {
    cudnnSetTensor4dDescriptor(x, format, CUDNN_DATA_FLOAT, 1, 2, 3, 3);
    cudnnSetTensor4dDescriptor(y, format, CUDNN_DATA_FLOAT, 1, 1, 2, 2);
    cudnnSetFilter4dDescriptor(w, CUDNN_DATA_FLOAT, format, 1, 2, 2, 2);
    cudnnSetConvolution2dDescriptor(conv, 0, 0, 1, 1, 1, 1, CUDNN_CROSS_CORRELATION, CUDNN_DATA_FLOAT);
    cudnnSetConvolutionMathType(conv, CUDNN_FMA_MATH);
  }
};

// Channel c of pixel (i, j) is 9 c + 3 i + j; the kernel takes channel 0 at its first tap and channel 1 at its last:
// the result is 2 (x0 + 9 + x0 + 4) - 1 with alpha 2 and beta -1 on ones.
void test_layouts() {
  for (const cudnnTensorFormat_t format : {CUDNN_TENSOR_NCHW, CUDNN_TENSOR_NHWC}) {
    Library library;
    library.small_convolution(format);
    const bool last = format == CUDNN_TENSOR_NHWC;
    std::vector<float> x(18), w(8);
    for (int c = 0; c < 2; ++c)
      for (int pixel = 0; pixel < 9; ++pixel) x[size_t(last ? 2 * pixel + c : 9 * c + pixel)] = float(9 * c + pixel);
    w[0] = w[7] = 1;
    const Array<float> dx(x), dw(w), dy(std::vector<float>(4, 1));
    const float alpha = 2, beta = -1;
    expect(cudnnConvolutionForward(library.handle, &alpha, library.x, dx, library.w, dw, library.conv,
                                   CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_GEMM, nullptr, 0, &beta, library.y,
                                   dy.data()) == CUDNN_STATUS_SUCCESS,
           "a convolution is accepted");
    expect(dy.read(library.stream) == std::vector<float>({25, 29, 37, 41}), "a convolution in either layout");
  }
}

void test_refusals() {
  Library library;
  library.small_convolution(CUDNN_TENSOR_NHWC);
  const Array<float> x(18), w(8), y(4), workspace(1000);
  const float one = 1, zero = 0;
  const auto run = [&](size_t bytes, float* result) {
    return cudnnConvolutionForward(library.handle, &one, library.x, x, library.w, w, library.conv,
                                   CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM, workspace.data(), bytes, &zero,
                                   library.y, result);
  };
  size_t bytes = 0;
  cudnnGetConvolutionForwardWorkspaceSize(library.handle, library.x, library.w, library.conv, library.y,
                                          CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM, &bytes);
  expect(bytes > 0 && run(bytes - 1, y) == CUDNN_STATUS_BAD_PARAM_SIZE_INSUFFICIENT, "a small workspace is refused");
  expect(run(bytes, x) == CUDNN_STATUS_BAD_PARAM, "a result in place is refused");
  expect(run(bytes, nullptr) == CUDNN_STATUS_BAD_PARAM_NULL_POINTER, "a null pointer is refused");
  cudnnSetTensor4dDescriptor(library.y, CUDNN_TENSOR_NHWC, CUDNN_DATA_FLOAT, 1, 1, 3, 2);
  expect(run(bytes, y) == CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH, "a result of the wrong size is refused");
  cudnnSetTensor4dDescriptor(library.y, CUDNN_TENSOR_NCHW, CUDNN_DATA_FLOAT, 1, 1, 2, 2);
  expect(run(bytes, y) == CUDNN_STATUS_NOT_SUPPORTED_LAYOUT, "mixed layouts are refused");
}

void test_search() {
  Library library;
  library.small_convolution(CUDNN_TENSOR_NHWC);
  cudnnConvolutionBwdFilterAlgoPerf_t found[8];
  int count = 0;
  cudnnFindConvolutionBackwardFilterAlgorithm(library.handle, library.x, library.y, library.conv, library.w, 8, &count,
                                              found);
  expect(count > 1 && std::is_sorted(found, found + count, [](auto& a, auto& b) { return a.time < b.time; }),
         "algorithms come fastest first");
  const auto one_of = [&](auto what) { return std::any_of(found, found + count, what); };
  expect(one_of([](auto& f) { return f.determinism == CUDNN_NON_DETERMINISTIC; }) &&
             one_of([](auto& f) { return f.mathType != CUDNN_FMA_MATH; }),
         "not every algorithm is what was asked for");
}

// Moments of {1, 3} are 2 and, biased, 1; the running variance is the unbiased one, 2, blended with what was there.
void test_batch_norm() {
  Library library;
  cudnnSetTensor4dDescriptor(library.x, CUDNN_TENSOR_NHWC, CUDNN_DATA_FLOAT, 1, 1, 2, 1);
  cudnnSetTensor4dDescriptor(library.channels, CUDNN_TENSOR_NHWC, CUDNN_DATA_FLOAT, 1, 1, 1, 1);
  const Array<float> x(std::vector<float>{1, 3}), y(2), scale(std::vector<float>{10}), bias(std::vector<float>{5});
  const Array<float> mean(std::vector<float>{0}), variance(std::vector<float>{6}), saved_mean(1), inverse(1);
  const float one = 1, zero = 0;
  cudnnBatchNormalizationForwardTraining(library.handle, CUDNN_BATCHNORM_SPATIAL, &one, &zero, library.x, x, library.x,
                                         y.data(), library.channels, scale, bias, 0.25, mean.data(), variance.data(), 3,
                                         saved_mean.data(), inverse.data());
  expect_near(y.read(library.stream), {0, 10}, 1e-6f, "batch norm");
  expect_near(mean.read(library.stream), {0.5f}, 1e-6f, "the running mean");
  expect_near(variance.read(library.stream), {5}, 1e-6f, "the running variance");
  expect_near(saved_mean.read(library.stream), {2}, 1e-6f, "the mean");
  expect_near(inverse.read(library.stream), {0.5f}, 1e-6f, "the inverse deviation");
}

}  // namespace

int main() {
  test_layouts();
  test_refusals();
  test_search();
  test_batch_norm();
  return report();
}
