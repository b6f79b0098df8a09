// One block: a batch has one score an image.
#include "kernels/cuda/functions.cuh"
#include "kernels/loss.h"

namespace tobogan::kernels {
namespace {

constexpr int kBlock = 256;

__global__ void __launch_bounds__(kBlock)
    binary_cross_entropy_kernel(int64_t count, BceTerms terms, const float* logits, float* loss, float* gradient) {
  SHARED(double, warp_sums, [kBlock / 32]);
  double sum = 0;
  for (int64_t i = threadIdx.x; i < count; i += kBlock) {
    const BceTerm term = i < count / 2 ? terms.first : terms.second;
    const float l = logits[i];
    sum +=
        double(term.weight) * (double(fmaxf(l, 0)) - double(l) * double(term.target) + double(log1pf(expf(-fabsf(l)))));
    if (gradient != nullptr) gradient[i] = 1 / float(count) * term.weight * (sigmoid(l) - term.target);
  }
  for (int bit = 16; bit > 0; bit /= 2) sum += __shfl_xor_sync(kFullWarp, sum, bit);
  if (threadIdx.x % 32 == 0) warp_sums[threadIdx.x / 32] = sum;
  __syncthreads();
  if (threadIdx.x != 0) return;
  for (int warp = 1; warp < kBlock / 32; ++warp) sum += warp_sums[warp];
  loss[0] = float(sum / double(count));
}

}  // namespace

void binary_cross_entropy(Cuda on, int64_t count, const BceTerms& terms, const float* logits, float* loss,
                          float* gradient) {
  Launch<kBlock>{.grid = 1, .stream = on.stream}(binary_cross_entropy_kernel, count, terms, logits, loss, gradient);
}

}  // namespace tobogan::kernels
