// The convolutions as cuDNN has them: which algorithm is asked for once, by measuring them all.
#include <cudnn.h>

#include <algorithm>
#include <cstddef>
#include <mutex>
#include <span>

#include "kernels/cudnn/handles.h"
#include "kernels/cudnn/library.h"

namespace tobogan::kernels {
namespace {

constexpr int kMostAlgorithms = 16;
constexpr size_t kMostWorkspace = size_t{1} << 30;

// A descriptor of cuDNN that frees itself.
template <class Pointer, auto kCreate, auto kDestroy>
class Descriptor {
 public:
  explicit Descriptor(const char* call) { check_cudnn(kCreate(&pointer_), call); }
  ~Descriptor() { kDestroy(pointer_); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  operator Pointer() const { return pointer_; }

 private:
  Pointer pointer_ = nullptr;
};
using Filter = Descriptor<cudnnFilterDescriptor_t, cudnnCreateFilterDescriptor, cudnnDestroyFilterDescriptor>;
using Convolution =
    Descriptor<cudnnConvolutionDescriptor_t, cudnnCreateConvolutionDescriptor, cudnnDestroyConvolutionDescriptor>;

struct Algorithm {
  bool searched = false, found = false;
  int number = 0;
  cudnnMathType_t math = CUDNN_DEFAULT_MATH;
  size_t workspace = 0;
};

// Tensor cores with TF32 factors are cuDNN's default for fp32 tensors.  It has nothing that rounds fp32 tensors to
// bf16: what comes nearest allows it to round them to fp16.
cudnnMathType_t math_of(Precision precision) {
  switch (precision) {
    case Precision::kFp32:
      return CUDNN_FMA_MATH;
    case Precision::kTf32:
      return CUDNN_DEFAULT_MATH;
    default:
      return CUDNN_TENSOR_OP_MATH_ALLOW_CONVERSION;
  }
}

}  // namespace

struct CudnnConv {
  CudnnTensor big, small;
  Filter weight{"cudnnCreateFilterDescriptor"};
  Convolution conv{"cudnnCreateConvolutionDescriptor"};
  Algorithm algorithms[3];  // by ConvPass

  explicit CudnnConv(const ConvDims& d)
      : big(d.batch, d.big_channels, d.big_h, d.big_w), small(d.batch, d.small_channels, d.small_h, d.small_w) {
    check_cudnn(cudnnSetFilter4dDescriptor(weight, CUDNN_DATA_FLOAT, CUDNN_TENSOR_NHWC, d.small_channels,
                                           d.big_channels, d.kernel_h, d.kernel_w),
                "cudnnSetFilter4dDescriptor");
    check_cudnn(cudnnSetConvolution2dDescriptor(conv, d.pad_top, d.pad_left, d.stride_h, d.stride_w, d.dilation_h,
                                                d.dilation_w, CUDNN_CROSS_CORRELATION, CUDNN_DATA_FLOAT),
                "cudnnSetConvolution2dDescriptor");
  }
};

namespace {

struct Side {
  int big, pad;
};

// The rows or the columns of big as cuDNN gets them.
Side library_side(int big, int small, int kernel, int stride, int pad, int dilation) {
  const int reach = dilation * (kernel - 1) + 1, room = big + 2 * pad - reach;
  if (pad >= 0 && room >= 0 && room / stride + 1 == small) return {big, pad};
  return {(small - 1) * stride + reach, 0};
}

CudnnConv& known(Cudnn on, const ConvDims& dims) {
  std::shared_ptr<CudnnConv>& conv = on.handles->conv(dims);
  if (!conv) conv = std::make_shared<CudnnConv>(dims);
  return *conv;
}

void set_math(const CudnnConv& conv, cudnnMathType_t math) {
  check_cudnn(cudnnSetConvolutionMathType(conv.conv, math), "cudnnSetConvolutionMathType");
}

// Whether what was measured computes as precisely as was asked.
bool precise(cudnnMathType_t math, cudnnMathType_t asked) {
  if (asked == CUDNN_FMA_MATH) return math == CUDNN_FMA_MATH;
  return asked == CUDNN_TENSOR_OP_MATH_ALLOW_CONVERSION || math != CUDNN_TENSOR_OP_MATH_ALLOW_CONVERSION;
}

// The fastest algorithm that gives the same bits every time.  find(most, count, results) measures, fastest first;
// size(number, bytes) says how much memory one wants.
template <class Result, class Find, class Size>
Algorithm search(Cudnn on, const CudnnConv& conv, const char* call, Find find, Size size) {
  on.machine->refuse_capture("a convolution that cuDNN has not met before");
  const std::unique_lock no_capture(capture_mutex());
  const cudnnMathType_t asked = math_of(on.precision);
  set_math(conv, asked);
  Result results[kMostAlgorithms] = {};
  int count = 0;
  const cudnnStatus_t status = find(kMostAlgorithms, &count, results);
  Algorithm best{.searched = true};
  if (status / 1000 == CUDNN_STATUS_NOT_SUPPORTED / 1000) return best;
  check_cudnn(status, call);
  // cuDNN measures its default, TF32, unasked as well.  What was measured so comes last, and runs as was asked.
  std::stable_partition(results, results + count, [&](const Result& r) { return precise(r.mathType, asked); });
  for (const Result& result : std::span(results, static_cast<size_t>(count))) {
    if (result.status != CUDNN_STATUS_SUCCESS || result.determinism != CUDNN_DETERMINISTIC) continue;
    best.number = result.algo;
    best.math = precise(result.mathType, asked) ? result.mathType : asked;
    set_math(conv, best.math);
    best.found = size(result.algo, &best.workspace) == CUDNN_STATUS_SUCCESS && best.workspace <= kMostWorkspace;
    if (best.found) break;
  }
  return best;
}

Algorithm search(Cudnn on, const CudnnConv& c, ConvPass pass) {
  switch (pass) {
    case ConvPass::kSmall:
      return search<cudnnConvolutionFwdAlgoPerf_t>(
          on, c, "cudnnFindConvolutionForwardAlgorithm",
          [&](int most, int* count, auto* results) {
            return cudnnFindConvolutionForwardAlgorithm(*on.handles, c.big, c.weight, c.conv, c.small, most, count,
                                                        results);
          },
          [&](auto algo, size_t* bytes) {
            return cudnnGetConvolutionForwardWorkspaceSize(*on.handles, c.big, c.weight, c.conv, c.small, algo, bytes);
          });
    case ConvPass::kBig:
      return search<cudnnConvolutionBwdDataAlgoPerf_t>(
          on, c, "cudnnFindConvolutionBackwardDataAlgorithm",
          [&](int most, int* count, auto* results) {
            return cudnnFindConvolutionBackwardDataAlgorithm(*on.handles, c.weight, c.small, c.conv, c.big, most, count,
                                                             results);
          },
          [&](auto algo, size_t* bytes) {
            return cudnnGetConvolutionBackwardDataWorkspaceSize(*on.handles, c.weight, c.small, c.conv, c.big, algo,
                                                                bytes);
          });
    default:
      return search<cudnnConvolutionBwdFilterAlgoPerf_t>(
          on, c, "cudnnFindConvolutionBackwardFilterAlgorithm",
          [&](int most, int* count, auto* results) {
            return cudnnFindConvolutionBackwardFilterAlgorithm(*on.handles, c.big, c.small, c.conv, c.weight, most,
                                                               count, results);
          },
          [&](auto algo, size_t* bytes) {
            return cudnnGetConvolutionBackwardFilterWorkspaceSize(*on.handles, c.big, c.small, c.conv, c.weight, algo,
                                                                  bytes);
          });
  }
}

const Algorithm& algorithm(Cudnn on, CudnnConv& conv, ConvPass pass) {
  Algorithm& known = conv.algorithms[static_cast<int>(pass)];
  if (!known.searched) known = search(on, conv, pass);
  return known;
}

// run(conv, algorithm's number, workspace, its bytes) with the convolution's descriptors ready for the pass.
template <class Run>
void with_algorithm(Cudnn on, const ConvDims& dims, ConvPass pass, const char* call, Run run) {
  CudnnConv& conv = known(on, dims);
  const Algorithm& how = algorithm(on, conv, pass);
  if (!how.found) throw std::runtime_error(std::string(call) + ": cuDNN has no algorithm for this convolution");
  set_math(conv, how.math);
  const CudaScratch<std::byte> workspace(*on.pool, std::max<size_t>(how.workspace, 1));
  check_cudnn(run(conv, how.number, workspace.data(), how.workspace), call);
}

const float kOne = 1, kZero = 0;

}  // namespace

ConvDims library_dims(const ConvDims& dims) {
  ConvDims d = dims;
  const Side rows = library_side(d.big_h, d.small_h, d.kernel_h, d.stride_h, d.pad_top, d.dilation_h);
  const Side columns = library_side(d.big_w, d.small_w, d.kernel_w, d.stride_w, d.pad_left, d.dilation_w);
  d.big_h = rows.big, d.pad_top = rows.pad;
  d.big_w = columns.big, d.pad_left = columns.pad;
  return d;
}

bool library_has(Cudnn on, const ConvDims& dims, ConvPass pass) {
  return algorithm(on, known(on, dims), pass).found;
}

void library_conv2d(Cudnn on, const ConvDims& dims, const Real* big, const Real* weight, Real* small) {
  with_algorithm(on, dims, ConvPass::kSmall, "cudnnConvolutionForward",
                 [&](const CudnnConv& c, int number, void* workspace, size_t bytes) {
                   return cudnnConvolutionForward(*on.handles, &kOne, c.big, big, c.weight, weight, c.conv,
                                                  static_cast<cudnnConvolutionFwdAlgo_t>(number), workspace, bytes,
                                                  &kZero, c.small, small);
                 });
}

void library_conv_transpose2d(Cudnn on, const ConvDims& dims, const Real* small, const Real* weight, Real* big) {
  with_algorithm(on, dims, ConvPass::kBig, "cudnnConvolutionBackwardData",
                 [&](const CudnnConv& c, int number, void* workspace, size_t bytes) {
                   return cudnnConvolutionBackwardData(*on.handles, &kOne, c.weight, weight, c.small, small, c.conv,
                                                       static_cast<cudnnConvolutionBwdDataAlgo_t>(number), workspace,
                                                       bytes, &kZero, c.big, big);
                 });
}

void library_conv2d_weight(Cudnn on, const ConvDims& dims, const Real* big, const Real* small, Real* weight) {
  with_algorithm(on, dims, ConvPass::kWeight, "cudnnConvolutionBackwardFilter",
                 [&](const CudnnConv& c, int number, void* workspace, size_t bytes) {
                   return cudnnConvolutionBackwardFilter(*on.handles, &kOne, c.big, big, c.small, small, c.conv,
                                                         static_cast<cudnnConvolutionBwdFilterAlgo_t>(number),
                                                         workspace, bytes, &kZero, c.weight, weight);
                 });
}

}  // namespace tobogan::kernels
