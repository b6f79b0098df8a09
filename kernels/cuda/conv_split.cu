// The second pass of a product in parts: bound by memory, and most of that is in L2.
#include "kernels/cuda/conv_split.cuh"

namespace tobogan::kernels {
namespace {

constexpr int kBlock = 256;

__global__ void __launch_bounds__(kBlock)
    add_parts_kernel(float* __restrict__ to, const float* __restrict__ from, size_t size, int parts) {
  const size_t i = size_t(blockIdx.x) * kBlock + threadIdx.x;
  if (i >= size) return;
  float sum = from[i];
  for (int part = 1; part < parts; ++part) sum += from[size_t(part) * size + i];
  to[i] = sum;
}

__global__ void __launch_bounds__(kBlock)
    add_parts_by_four_kernel(float* __restrict__ to, const float* __restrict__ from, size_t size, int parts) {
  const size_t i = (size_t(blockIdx.x) * kBlock + threadIdx.x) * 4;
  if (i >= size) return;
  float4 sum = load_vector<float4>(from + i);
  for (int part = 1; part < parts; ++part) {
    const float4 more = load_vector<float4>(from + size_t(part) * size + i);
    sum = make_float4(sum.x + more.x, sum.y + more.y, sum.z + more.z, sum.w + more.w);
  }
  store_vector(to + i, sum);
}

}  // namespace

void add_parts(Cuda on, size_t size, int parts, const float* from, float* to) {
  const bool by_four = size % 4 == 0;
  const Launch<kBlock> launch{.grid = ceil_div(by_four ? size / 4 : size, kBlock), .stream = on.stream};
  launch(by_four ? add_parts_by_four_kernel : add_parts_kernel, to, from, size, parts);
}

}  // namespace tobogan::kernels
