// cuDNN by plain loops.  A call is checked as far as its descriptors allow, then is one closure on the handle's stream.
// Strides are those that a descriptor's format gives, sums are double; factors are rounded where the real library would
// use the tensor cores so (fp16, which "allow conversion" means, is taken for bf16).  A workspace is overwritten with
// NaN.
#include <cuda_bf16.h>
#include <cuda_emulator/launch.h>
#include <cuda_emulator/ptx.h>
#include <cudnn.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <initializer_list>
#include <vector>

struct cudnnContext {
  cudaStream_t stream = nullptr;
};
struct cudnnTensorStruct {
  cudnnTensorFormat_t format = CUDNN_TENSOR_NCHW;
  int n = 0, c = 0, h = 0, w = 0;

  bool operator==(const cudnnTensorStruct&) const = default;
  long long count() const { return 1ll * n * c * h * w; }
  long long at(int i, int channel, int y, int x) const {
    return format == CUDNN_TENSOR_NHWC ? ((1ll * i * h + y) * w + x) * c + channel
                                       : ((1ll * i * c + channel) * h + y) * w + x;
  }
};
struct cudnnFilterStruct : cudnnTensorStruct {};
struct cudnnConvolutionStruct {
  int pad_h = 0, pad_w = 0, stride_h = 1, stride_w = 1, dilation_h = 1, dilation_w = 1;
  cudnnMathType_t math = CUDNN_DEFAULT_MATH;
};
struct cudnnPoolingStruct {
  int window_h = 0, window_w = 0, pad_h = 0, pad_w = 0, stride_h = 1, stride_w = 1;
};

namespace {

template <class F>
cudnnStatus_t enqueue(cudnnHandle_t handle, F f) {
  return cuda_emulator::enqueue(handle->stream, std::move(f)) == cudaSuccess ? CUDNN_STATUS_SUCCESS
                                                                             : CUDNN_STATUS_EXECUTION_FAILED;
}

// Whether all are there; ends the process where one is not of the device.
template <class Function>
bool on_device(Function* function, std::initializer_list<const void*> pointers) {
  int position = 0;
  for (const void* pointer : pointers) {
    if (pointer) cuda_emulator::check_pointer_argument(reinterpret_cast<const void*>(function), position++, pointer);
  }
  return std::find(pointers.begin(), pointers.end(), nullptr) == pointers.end();
}

// result = alpha * value + beta * result; with beta 0 the result may be uninitialised.
struct Blend {
  float alpha, beta;
  Blend(const void* a, const void* b) : alpha(*static_cast<const float*>(a)), beta(*static_cast<const float*>(b)) {}
  void operator()(float& result, double value) const {
    result = static_cast<float>(alpha * value) + (beta == 0 ? 0 : beta * result);
  }
};

template <class T>
cudnnStatus_t create(T** made) {
  *made = new T;
  return CUDNN_STATUS_SUCCESS;
}
template <class T>
cudnnStatus_t destroy(T* made) {
  delete made;
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t set_tensor(cudnnTensorStruct& tensor, cudnnTensorFormat_t format, cudnnDataType_t type, int n, int c,
                         int h, int w) {
  if (n < 1 || c < 1 || h < 1 || w < 1) return CUDNN_STATUS_BAD_PARAM;
  if (type != CUDNN_DATA_FLOAT) return CUDNN_STATUS_NOT_SUPPORTED;
  tensor.format = format, tensor.n = n, tensor.c = c, tensor.h = h, tensor.w = w;
  return CUDNN_STATUS_SUCCESS;
}

int windows(int size, int pad, int window, int stride) {
  return size + 2 * pad < window ? 0 : (size + 2 * pad - window) / stride + 1;
}

// A pass over the pixels that meet: all three passes are this loop.
struct Meeting {
  cudnnTensorStruct x, w, y;
  cudnnConvolutionStruct conv;

  cudnnStatus_t check() const {
    if (x.format != w.format || x.format != y.format) return CUDNN_STATUS_NOT_SUPPORTED_LAYOUT;
    const bool fits = x.n == y.n && x.c == w.c && y.c == w.n &&
                      y.h == windows(x.h, conv.pad_h, conv.dilation_h * (w.h - 1) + 1, conv.stride_h) &&
                      y.w == windows(x.w, conv.pad_w, conv.dilation_w * (w.w - 1) + 1, conv.stride_w);
    return fits ? CUDNN_STATUS_SUCCESS : CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH;
  }
  size_t workspace(int algorithm) const { return algorithm == 1 ? size_t(w.count()) * 4 + 64 : 0; }
  float rounded(float value) const {
    if (conv.math == CUDNN_FMA_MATH) return value;
    if (conv.math == CUDNN_TENSOR_OP_MATH_ALLOW_CONVERSION) return float(__nv_bfloat16(value));
    return std::bit_cast<float>(cuda_emulator::round_to_tf32(value));
  }
  // visit(place in x, place in w, place in y) wherever a pixel of x meets one of y.
  template <class Visit>
  void run(Visit visit) const {
    for (int n = 0; n < y.n; ++n)
      for (int i = 0; i < y.h; ++i)
        for (int j = 0; j < y.w; ++j)
          for (int u = 0; u < w.h; ++u)
            for (int v = 0; v < w.w; ++v) {
              const int row = i * conv.stride_h + u * conv.dilation_h - conv.pad_h;
              const int column = j * conv.stride_w + v * conv.dilation_w - conv.pad_w;
              if (row < 0 || row >= x.h || column < 0 || column >= x.w) continue;
              for (int k = 0; k < w.n; ++k)
                for (int c = 0; c < w.c; ++c) visit(x.at(n, c, row, column), w.at(k, c, u, v), y.at(n, k, i, j));
            }
  }
};

// a and b are the factors, result what is computed, each with its place among (x, w, y).
template <class Function>
cudnnStatus_t convolve(Function* function, cudnnHandle_t handle, const Meeting& meeting, int algorithm, void* workspace,
                       size_t bytes, const Blend& blend, const void* a, int place_a, const void* b, int place_b,
                       void* result, long long results) {
  if (const cudnnStatus_t status = meeting.check()) return status;
  if (!on_device(function, {a, b, result})) return CUDNN_STATUS_BAD_PARAM_NULL_POINTER;
  const size_t needed = meeting.workspace(algorithm);
  if (bytes < needed) return CUDNN_STATUS_BAD_PARAM_SIZE_INSUFFICIENT;
  if (needed && !on_device(function, {workspace})) return CUDNN_STATUS_BAD_PARAM_NULL_POINTER;
  if (result == a || result == b) return CUDNN_STATUS_BAD_PARAM;
  return enqueue(handle, [=, a = static_cast<const float*>(a), b = static_cast<const float*>(b),
                          result = static_cast<float*>(result)] {
    if (needed) std::memset(workspace, 0xff, needed);
    std::vector<double> sums(size_t(results), 0.0);
    const int place_result = 3 - place_a - place_b;
    meeting.run([&](long long x, long long w, long long y) {
      const long long places[] = {x, w, y};
      sums[size_t(places[place_result])] +=
          double(meeting.rounded(a[places[place_a]])) * double(meeting.rounded(b[places[place_b]]));
    });
    for (long long i = 0; i < results; ++i) blend(result[i], sums[size_t(i)]);
  });
}

// The fastest first: one that is not deterministic, one in another precision, one with a workspace, one without.
template <class Perf>
cudnnStatus_t find(const Meeting& meeting, int most, int* count, Perf* results) {
  if (const cudnnStatus_t status = meeting.check()) return status;
  using Algorithm = decltype(results->algo);
  const auto result = [&](int algorithm, float time, cudnnDeterminism_t determinism, cudnnMathType_t math) {
    return Perf{Algorithm(algorithm), CUDNN_STATUS_SUCCESS, time, meeting.workspace(algorithm), determinism, math};
  };
  const Perf all[] = {
      result(0, 1, CUDNN_NON_DETERMINISTIC, meeting.conv.math), result(0, 2, CUDNN_DETERMINISTIC, CUDNN_TENSOR_OP_MATH),
      result(1, 3, CUDNN_DETERMINISTIC, meeting.conv.math), result(0, 4, CUDNN_DETERMINISTIC, meeting.conv.math)};
  *count = std::min(most, 4);
  std::copy(all, all + *count, results);
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t workspace_size(const Meeting& meeting, int algorithm, size_t* bytes) {
  *bytes = meeting.workspace(algorithm);
  return meeting.check();
}

// Checks of both passes of batch norm.
bool per_channel(cudnnBatchNormMode_t mode, const cudnnTensorStruct& x, const cudnnTensorStruct& y,
                 const cudnnTensorStruct& channels) {
  return mode != CUDNN_BATCHNORM_PER_ACTIVATION && x == y && channels.n == 1 && channels.c == x.c && channels.h == 1 &&
         channels.w == 1;
}

// visit(place) for every number of a channel.
template <class Visit>
void of_channel(const cudnnTensorStruct& x, int channel, Visit visit) {
  for (int n = 0; n < x.n; ++n)
    for (int i = 0; i < x.h; ++i)
      for (int j = 0; j < x.w; ++j) visit(x.at(n, channel, i, j));
}

bool pools(const cudnnPoolingStruct& pool, const cudnnTensorStruct& x, const cudnnTensorStruct& y) {
  return x.n == y.n && x.c == y.c && y.h == windows(x.h, pool.pad_h, pool.window_h, pool.stride_h) &&
         y.w == windows(x.w, pool.pad_w, pool.window_w, pool.stride_w);
}

// visit(place of the largest in x, place in y) for every window.
template <class Visit>
void pool_windows(const cudnnPoolingStruct& pool, const cudnnTensorStruct& x_shape, const cudnnTensorStruct& y_shape,
                  const float* x, Visit visit) {
  for (int n = 0; n < y_shape.n; ++n)
    for (int c = 0; c < y_shape.c; ++c)
      for (int i = 0; i < y_shape.h; ++i)
        for (int j = 0; j < y_shape.w; ++j) {
          long long largest = -1;
          for (int u = 0; u < pool.window_h; ++u)
            for (int v = 0; v < pool.window_w; ++v) {
              const int row = i * pool.stride_h + u - pool.pad_h, column = j * pool.stride_w + v - pool.pad_w;
              if (row < 0 || row >= x_shape.h || column < 0 || column >= x_shape.w) continue;
              const long long at = x_shape.at(n, c, row, column);
              if (largest < 0 || x[at] > x[largest]) largest = at;
            }
          visit(largest, y_shape.at(n, c, i, j));
        }
}

}  // namespace

const char* cudnnGetErrorString(cudnnStatus_t status) {
  switch (status) {
    case CUDNN_STATUS_SUCCESS:
      return "CUDNN_STATUS_SUCCESS";
    case CUDNN_STATUS_BAD_PARAM_NULL_POINTER:
      return "CUDNN_STATUS_BAD_PARAM_NULL_POINTER";
    case CUDNN_STATUS_BAD_PARAM_SIZE_INSUFFICIENT:
      return "CUDNN_STATUS_BAD_PARAM_SIZE_INSUFFICIENT";
    case CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH:
      return "CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH";
    case CUDNN_STATUS_NOT_SUPPORTED:
      return "CUDNN_STATUS_NOT_SUPPORTED";
    case CUDNN_STATUS_NOT_SUPPORTED_LAYOUT:
      return "CUDNN_STATUS_NOT_SUPPORTED_LAYOUT";
    case CUDNN_STATUS_EXECUTION_FAILED:
      return "CUDNN_STATUS_EXECUTION_FAILED";
    default:
      return "CUDNN_STATUS_BAD_PARAM";
  }
}

cudnnStatus_t cudnnCreate(cudnnHandle_t* handle) {
  return create(handle);
}
cudnnStatus_t cudnnDestroy(cudnnHandle_t handle) {
  return destroy(handle);
}
cudnnStatus_t cudnnSetStream(cudnnHandle_t handle, cudaStream_t stream) {
  handle->stream = stream;
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnCreateTensorDescriptor(cudnnTensorDescriptor_t* tensor) {
  return create(tensor);
}
cudnnStatus_t cudnnDestroyTensorDescriptor(cudnnTensorDescriptor_t tensor) {
  return destroy(tensor);
}
cudnnStatus_t cudnnSetTensor4dDescriptor(cudnnTensorDescriptor_t tensor, cudnnTensorFormat_t format,
                                         cudnnDataType_t type, int n, int c, int h, int w) {
  return set_tensor(*tensor, format, type, n, c, h, w);
}
cudnnStatus_t cudnnCreateFilterDescriptor(cudnnFilterDescriptor_t* filter) {
  return create(filter);
}
cudnnStatus_t cudnnDestroyFilterDescriptor(cudnnFilterDescriptor_t filter) {
  return destroy(filter);
}
cudnnStatus_t cudnnSetFilter4dDescriptor(cudnnFilterDescriptor_t filter, cudnnDataType_t type,
                                         cudnnTensorFormat_t format, int k, int c, int h, int w) {
  return set_tensor(*filter, format, type, k, c, h, w);
}
cudnnStatus_t cudnnCreateConvolutionDescriptor(cudnnConvolutionDescriptor_t* conv) {
  return create(conv);
}
cudnnStatus_t cudnnDestroyConvolutionDescriptor(cudnnConvolutionDescriptor_t conv) {
  return destroy(conv);
}
cudnnStatus_t cudnnSetConvolution2dDescriptor(cudnnConvolutionDescriptor_t conv, int pad_h, int pad_w, int stride_h,
                                              int stride_w, int dilation_h, int dilation_w, cudnnConvolutionMode_t mode,
                                              cudnnDataType_t compute) {
  if (pad_h < 0 || pad_w < 0 || stride_h < 1 || stride_w < 1 || dilation_h < 1 || dilation_w < 1)
    return CUDNN_STATUS_BAD_PARAM;
  if (mode != CUDNN_CROSS_CORRELATION || compute != CUDNN_DATA_FLOAT) return CUDNN_STATUS_NOT_SUPPORTED;
  *conv = {pad_h, pad_w, stride_h, stride_w, dilation_h, dilation_w, conv->math};
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnSetConvolutionMathType(cudnnConvolutionDescriptor_t conv, cudnnMathType_t math) {
  conv->math = math;
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnFindConvolutionForwardAlgorithm(cudnnHandle_t, cudnnTensorDescriptor_t x, cudnnFilterDescriptor_t w,
                                                   cudnnConvolutionDescriptor_t conv, cudnnTensorDescriptor_t y,
                                                   int most, int* count, cudnnConvolutionFwdAlgoPerf_t* results) {
  return find(Meeting{*x, *w, *y, *conv}, most, count, results);
}
cudnnStatus_t cudnnGetConvolutionForwardWorkspaceSize(cudnnHandle_t, cudnnTensorDescriptor_t x,
                                                      cudnnFilterDescriptor_t w, cudnnConvolutionDescriptor_t conv,
                                                      cudnnTensorDescriptor_t y, cudnnConvolutionFwdAlgo_t algorithm,
                                                      size_t* bytes) {
  return workspace_size({*x, *w, *y, *conv}, algorithm, bytes);
}
cudnnStatus_t cudnnConvolutionForward(cudnnHandle_t handle, const void* alpha, cudnnTensorDescriptor_t x_shape,
                                      const void* x, cudnnFilterDescriptor_t w_shape, const void* w,
                                      cudnnConvolutionDescriptor_t conv, cudnnConvolutionFwdAlgo_t algorithm,
                                      void* workspace, size_t bytes, const void* beta, cudnnTensorDescriptor_t y_shape,
                                      void* y) {
  return convolve(&cudnnConvolutionForward, handle, {*x_shape, *w_shape, *y_shape, *conv}, algorithm, workspace, bytes,
                  {alpha, beta}, x, 0, w, 1, y, y_shape->count());
}
cudnnStatus_t cudnnFindConvolutionBackwardDataAlgorithm(cudnnHandle_t, cudnnFilterDescriptor_t w,
                                                        cudnnTensorDescriptor_t dy, cudnnConvolutionDescriptor_t conv,
                                                        cudnnTensorDescriptor_t dx, int most, int* count,
                                                        cudnnConvolutionBwdDataAlgoPerf_t* results) {
  return find(Meeting{*dx, *w, *dy, *conv}, most, count, results);
}
cudnnStatus_t cudnnGetConvolutionBackwardDataWorkspaceSize(cudnnHandle_t, cudnnFilterDescriptor_t w,
                                                           cudnnTensorDescriptor_t dy,
                                                           cudnnConvolutionDescriptor_t conv,
                                                           cudnnTensorDescriptor_t dx,
                                                           cudnnConvolutionBwdDataAlgo_t algorithm, size_t* bytes) {
  return workspace_size({*dx, *w, *dy, *conv}, algorithm, bytes);
}
cudnnStatus_t cudnnConvolutionBackwardData(cudnnHandle_t handle, const void* alpha, cudnnFilterDescriptor_t w_shape,
                                           const void* w, cudnnTensorDescriptor_t dy_shape, const void* dy,
                                           cudnnConvolutionDescriptor_t conv, cudnnConvolutionBwdDataAlgo_t algorithm,
                                           void* workspace, size_t bytes, const void* beta,
                                           cudnnTensorDescriptor_t dx_shape, void* dx) {
  return convolve(&cudnnConvolutionBackwardData, handle, {*dx_shape, *w_shape, *dy_shape, *conv}, algorithm, workspace,
                  bytes, {alpha, beta}, w, 1, dy, 2, dx, dx_shape->count());
}
cudnnStatus_t cudnnFindConvolutionBackwardFilterAlgorithm(cudnnHandle_t, cudnnTensorDescriptor_t x,
                                                          cudnnTensorDescriptor_t dy, cudnnConvolutionDescriptor_t conv,
                                                          cudnnFilterDescriptor_t dw, int most, int* count,
                                                          cudnnConvolutionBwdFilterAlgoPerf_t* results) {
  // As the library has no algorithm for some convolutions, this one has none here: callers must be able to do without.
  if (conv->dilation_h * conv->dilation_w > 1) return CUDNN_STATUS_NOT_SUPPORTED;
  return find(Meeting{*x, *dw, *dy, *conv}, most, count, results);
}
cudnnStatus_t cudnnGetConvolutionBackwardFilterWorkspaceSize(cudnnHandle_t, cudnnTensorDescriptor_t x,
                                                             cudnnTensorDescriptor_t dy,
                                                             cudnnConvolutionDescriptor_t conv,
                                                             cudnnFilterDescriptor_t dw,
                                                             cudnnConvolutionBwdFilterAlgo_t algorithm, size_t* bytes) {
  return workspace_size({*x, *dw, *dy, *conv}, algorithm, bytes);
}
cudnnStatus_t cudnnConvolutionBackwardFilter(cudnnHandle_t handle, const void* alpha, cudnnTensorDescriptor_t x_shape,
                                             const void* x, cudnnTensorDescriptor_t dy_shape, const void* dy,
                                             cudnnConvolutionDescriptor_t conv,
                                             cudnnConvolutionBwdFilterAlgo_t algorithm, void* workspace, size_t bytes,
                                             const void* beta, cudnnFilterDescriptor_t dw_shape, void* dw) {
  return convolve(&cudnnConvolutionBackwardFilter, handle, {*x_shape, *dw_shape, *dy_shape, *conv}, algorithm,
                  workspace, bytes, {alpha, beta}, x, 0, dy, 2, dw, dw_shape->count());
}

cudnnStatus_t cudnnBatchNormalizationForwardTraining(cudnnHandle_t handle, cudnnBatchNormMode_t mode, const void* alpha,
                                                     const void* beta, cudnnTensorDescriptor_t x_shape, const void* x,
                                                     cudnnTensorDescriptor_t y_shape, void* y,
                                                     cudnnTensorDescriptor_t channels, const void* scale,
                                                     const void* bias, double factor, void* running_mean,
                                                     void* running_variance, double epsilon, void* saved_mean,
                                                     void* saved_inverse_deviation) {
  if (!per_channel(mode, *x_shape, *y_shape, *channels) || epsilon < 0 || factor < 0 || factor > 1 || x == y)
    return CUDNN_STATUS_BAD_PARAM;
  if (!on_device(&cudnnBatchNormalizationForwardTraining, {x, y, scale, bias, saved_mean, saved_inverse_deviation}) ||
      on_device(&cudnnBatchNormalizationForwardTraining, {running_mean}) !=
          on_device(&cudnnBatchNormalizationForwardTraining, {running_variance}))
    return CUDNN_STATUS_BAD_PARAM_NULL_POINTER;
  return enqueue(
      handle,
      [=, shape = *x_shape, blend = Blend(alpha, beta), x = static_cast<const float*>(x), y = static_cast<float*>(y),
       scale = static_cast<const float*>(scale), bias = static_cast<const float*>(bias),
       running_mean = static_cast<float*>(running_mean), running_variance = static_cast<float*>(running_variance),
       saved_mean = static_cast<float*>(saved_mean), inverse = static_cast<float*>(saved_inverse_deviation)] {
        const double count = double(shape.count() / shape.c);
        for (int c = 0; c < shape.c; ++c) {
          double mean = 0, squares = 0;
          of_channel(shape, c, [&](long long at) { mean += x[at] / count; });
          of_channel(shape, c, [&](long long at) { squares += (x[at] - mean) * (x[at] - mean); });
          const double deviation = std::sqrt(squares / count + epsilon);
          of_channel(shape, c, [&](long long at) { blend(y[at], (x[at] - mean) / deviation * scale[c] + bias[c]); });
          saved_mean[c] = float(mean);
          inverse[c] = float(1 / deviation);
          if (!running_mean) continue;
          running_mean[c] = float(mean * factor + running_mean[c] * (1 - factor));
          running_variance[c] = float(squares / (count - 1) * factor + running_variance[c] * (1 - factor));
        }
      });
}

cudnnStatus_t cudnnBatchNormalizationBackward(cudnnHandle_t handle, cudnnBatchNormMode_t mode, const void* alpha_data,
                                              const void* beta_data, const void* alpha_parameters,
                                              const void* beta_parameters, cudnnTensorDescriptor_t x_shape,
                                              const void* x, cudnnTensorDescriptor_t dy_shape, const void* dy,
                                              cudnnTensorDescriptor_t dx_shape, void* dx,
                                              cudnnTensorDescriptor_t channels, const void* scale, void* dscale,
                                              void* dbias, double epsilon, const void* saved_mean,
                                              const void* saved_inverse_deviation) {
  if (!per_channel(mode, *x_shape, *dy_shape, *channels) || !(*x_shape == *dx_shape) || epsilon < 0 || dx == dy ||
      dx == x)
    return CUDNN_STATUS_BAD_PARAM;
  if (!on_device(&cudnnBatchNormalizationBackward,
                 {x, dy, dx, scale, dscale, dbias, saved_mean, saved_inverse_deviation}))
    return CUDNN_STATUS_BAD_PARAM_NULL_POINTER;
  return enqueue(handle, [=, shape = *x_shape, blend = Blend(alpha_data, beta_data),
                          blend_parameters = Blend(alpha_parameters, beta_parameters), x = static_cast<const float*>(x),
                          dy = static_cast<const float*>(dy), dx = static_cast<float*>(dx),
                          scale = static_cast<const float*>(scale), dscale = static_cast<float*>(dscale),
                          dbias = static_cast<float*>(dbias), mean = static_cast<const float*>(saved_mean),
                          inverse = static_cast<const float*>(saved_inverse_deviation)] {
    const double count = double(shape.count() / shape.c);
    for (int c = 0; c < shape.c; ++c) {
      const auto h = [&](long long at) { return (double(x[at]) - mean[c]) * inverse[c]; };
      double sum = 0, sum_h = 0;
      of_channel(shape, c, [&](long long at) { sum += dy[at], sum_h += dy[at] * h(at); });
      of_channel(shape, c, [&](long long at) {
        blend(dx[at], double(scale[c]) * inverse[c] * (dy[at] - sum / count - h(at) * sum_h / count));
      });
      blend_parameters(dscale[c], sum_h);
      blend_parameters(dbias[c], sum);
    }
  });
}

cudnnStatus_t cudnnCreatePoolingDescriptor(cudnnPoolingDescriptor_t* pool) {
  return create(pool);
}
cudnnStatus_t cudnnDestroyPoolingDescriptor(cudnnPoolingDescriptor_t pool) {
  return destroy(pool);
}
cudnnStatus_t cudnnSetPooling2dDescriptor(cudnnPoolingDescriptor_t pool, cudnnPoolingMode_t, cudnnNanPropagation_t,
                                          int window_h, int window_w, int pad_h, int pad_w, int stride_h,
                                          int stride_w) {
  if (window_h < 1 || window_w < 1 || pad_h < 0 || pad_w < 0 || stride_h < 1 || stride_w < 1)
    return CUDNN_STATUS_BAD_PARAM;
  *pool = {window_h, window_w, pad_h, pad_w, stride_h, stride_w};
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnPoolingForward(cudnnHandle_t handle, cudnnPoolingDescriptor_t pool, const void* alpha,
                                  cudnnTensorDescriptor_t x_shape, const void* x, const void* beta,
                                  cudnnTensorDescriptor_t y_shape, void* y) {
  if (!pools(*pool, *x_shape, *y_shape)) return CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH;
  if (!on_device(&cudnnPoolingForward, {x, y})) return CUDNN_STATUS_BAD_PARAM_NULL_POINTER;
  return enqueue(handle, [pool = *pool, x_shape = *x_shape, y_shape = *y_shape, blend = Blend(alpha, beta),
                          x = static_cast<const float*>(x), y = static_cast<float*>(y)] {
    pool_windows(pool, x_shape, y_shape, x, [&](long long from, long long to) { blend(y[to], x[from]); });
  });
}
cudnnStatus_t cudnnPoolingBackward(cudnnHandle_t handle, cudnnPoolingDescriptor_t pool, const void* alpha,
                                   cudnnTensorDescriptor_t y_shape, const void* y, cudnnTensorDescriptor_t dy_shape,
                                   const void* dy, cudnnTensorDescriptor_t x_shape, const void* x, const void* beta,
                                   cudnnTensorDescriptor_t dx_shape, void* dx) {
  if (!pools(*pool, *x_shape, *y_shape) || !(*y_shape == *dy_shape) || !(*x_shape == *dx_shape))
    return CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH;
  if (!on_device(&cudnnPoolingBackward, {x, y, dy, dx})) return CUDNN_STATUS_BAD_PARAM_NULL_POINTER;
  return enqueue(
      handle, [pool = *pool, x_shape = *x_shape, y_shape = *y_shape, blend = Blend(alpha, beta),
               x = static_cast<const float*>(x), dy = static_cast<const float*>(dy), dx = static_cast<float*>(dx)] {
        std::vector<double> sums(size_t(x_shape.count()), 0.0);
        pool_windows(pool, x_shape, y_shape, x, [&](long long from, long long to) { sums[size_t(from)] += dy[to]; });
        for (size_t i = 0; i < sums.size(); ++i) blend(dx[i], sums[i]);
      });
}

cudnnStatus_t cudnnSoftmaxForward(cudnnHandle_t handle, cudnnSoftmaxAlgorithm_t algorithm, cudnnSoftmaxMode_t mode,
                                  const void* alpha, cudnnTensorDescriptor_t x_shape, const void* x, const void* beta,
                                  cudnnTensorDescriptor_t y_shape, void* y) {
  if (!(*x_shape == *y_shape)) return CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH;
  if (mode != CUDNN_SOFTMAX_MODE_CHANNEL || algorithm != CUDNN_SOFTMAX_LOG) return CUDNN_STATUS_NOT_SUPPORTED;
  if (!on_device(&cudnnSoftmaxForward, {x, y})) return CUDNN_STATUS_BAD_PARAM_NULL_POINTER;
  return enqueue(handle, [shape = *x_shape, blend = Blend(alpha, beta), x = static_cast<const float*>(x),
                          y = static_cast<float*>(y)] {
    for (int n = 0; n < shape.n; ++n)
      for (int i = 0; i < shape.h; ++i)
        for (int j = 0; j < shape.w; ++j) {
          double largest = -HUGE_VAL, sum = 0;
          for (int c = 0; c < shape.c; ++c) largest = std::max(largest, double(x[shape.at(n, c, i, j)]));
          for (int c = 0; c < shape.c; ++c) sum += std::exp(x[shape.at(n, c, i, j)] - largest);
          for (int c = 0; c < shape.c; ++c)
            blend(y[shape.at(n, c, i, j)], x[shape.at(n, c, i, j)] - largest - std::log(sum));
        }
  });
}
