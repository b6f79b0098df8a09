// Max pooling and the maps along its choices: an element of a pixel is a thread's, neighbouring elements neighbours'.
#include "kernels/cuda/divider.cuh"
#include "kernels/cuda/flat.cuh"
#include "kernels/pool.h"

namespace tobogan::kernels {
namespace {

constexpr int kBlock = 256;

// PoolDims, and what divides a flat index into pixel and element.
struct Pool2d {
  PoolDims dims;
  Divider block;
};

// An element of one side: its pixel's row and column there, and its place within the pixel.
struct Place {
  int row, column;
  int64_t element;

  __device__ Place(int64_t i, const Divider& block, int width) {
    const int64_t pixel = block.quotient(i);
    element = i - pixel * block.divisor();
    row = int(pixel) / width;
    column = int(pixel) - row * width;
  }
};

__global__ void __launch_bounds__(kBlock)
    max_pool2d_kernel(Pool2d pool, int64_t count, const float* x, float* y, int32_t* choice) {
  const int64_t i = int64_t{blockIdx.x} * kBlock + threadIdx.x;
  if (i >= count) return;
  const PoolDims& d = pool.dims;
  const Place at(i, pool.block, d.out_w);
  const int top = at.row * d.stride_h - d.pad_top, left = at.column * d.stride_w - d.pad_left;
  const int bottom = min(top + d.kernel_h, d.in_h), right = min(left + d.kernel_w, d.in_w);
  int best = -1;
  float largest = 0;
  for (int r = max(top, 0); r < bottom; ++r) {
    for (int c = max(left, 0); c < right; ++c) {
      const int pixel = r * d.in_w + c;
      const float value = x[pixel * d.block + at.element];
      if (best >= 0 && !(value > largest) && value == value) continue;  // NaN wins, as it should show
      largest = value;
      best = pixel;
    }
  }
  y[i] = largest;
  choice[i] = best;
}

__global__ void __launch_bounds__(kBlock)
    pool_gather_kernel(Pool2d pool, int64_t count, const float* x, const int32_t* choice, float* y) {
  const int64_t i = int64_t{blockIdx.x} * kBlock + threadIdx.x;
  if (i < count) y[i] = x[choice[i] * pool.dims.block + pool.block.remainder(i)];
}

// Every input pixel asks the windows that hold it: nothing is written twice, and the order of the sum is fixed.
__global__ void __launch_bounds__(kBlock)
    pool_scatter_kernel(Pool2d pool, int64_t count, const float* y, const int32_t* choice, float* x) {
  const int64_t i = int64_t{blockIdx.x} * kBlock + threadIdx.x;
  if (i >= count) return;
  const PoolDims& d = pool.dims;
  const Place at(i, pool.block, d.in_w);
  const int pixel = at.row * d.in_w + at.column;
  const int row = at.row + d.pad_top, column = at.column + d.pad_left;
  const int bottom = min(row / d.stride_h + 1, d.out_h), right = min(column / d.stride_w + 1, d.out_w);
  const int top = row < d.kernel_h ? 0 : (row - d.kernel_h) / d.stride_h + 1;
  const int left = column < d.kernel_w ? 0 : (column - d.kernel_w) / d.stride_w + 1;
  float sum = 0;
  for (int r = top; r < bottom; ++r) {
    for (int c = left; c < right; ++c) {
      const int64_t o = (int64_t{r} * d.out_w + c) * d.block + at.element;
      if (choice[o] == pixel) sum += y[o];
    }
  }
  x[i] = sum;
}

template <class... Params, class... Args>
void launch(Cuda on, const PoolDims& dims, int64_t pixels, void (*kernel)(Params...), Args... args) {
  const int64_t count = pixels * dims.block;
  if (count == 0) return;
  Launch<kBlock>{.grid = ceil_div(size_t(count), kBlock), .stream = on.stream}(
      kernel, Pool2d{dims, Divider(dims.block)}, count, args...);
}

}  // namespace

void max_pool2d(Cuda on, const PoolDims& dims, const Real* x, Real* y, int32_t* choice) {
  launch(on, dims, int64_t{dims.out_h} * dims.out_w, max_pool2d_kernel, x, y, choice);
}

void pool_gather(Cuda on, const PoolDims& dims, const Real* x, const int32_t* choice, Real* y) {
  launch(on, dims, int64_t{dims.out_h} * dims.out_w, pool_gather_kernel, x, choice, y);
}

void pool_scatter(Cuda on, const PoolDims& dims, const Real* y, const int32_t* choice, Real* x) {
  launch(on, dims, int64_t{dims.in_h} * dims.in_w, pool_scatter_kernel, y, choice, x);
}

}  // namespace tobogan::kernels
