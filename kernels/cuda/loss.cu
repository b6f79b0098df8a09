// One block: a batch has one score an image.
#include "kernels/cuda/functions.cuh"
#include "kernels/loss.h"

namespace tobogan::kernels {
namespace {

constexpr int kBlock = 256;

__device__ __forceinline__ double cross_entropy(float l, float target) {
  return double(fmaxf(l, 0)) - double(l) * double(target) + double(log1pf(expf(-fabsf(l))));
}

// The sum over the block, for its first thread.
__device__ __forceinline__ double block_sum(double sum) {
  SHARED(double, warp_sums, [kBlock / 32]);
  for (int bit = 16; bit > 0; bit /= 2) sum += __shfl_xor_sync(kFullWarp, sum, bit);
  __syncthreads();  // whoever read the sums of another turn is done
  if (threadIdx.x % 32 == 0) warp_sums[threadIdx.x / 32] = sum;
  __syncthreads();
  sum = warp_sums[0];
  for (int warp = 1; warp < kBlock / 32; ++warp) sum += warp_sums[warp];
  return sum;
}

__global__ void __launch_bounds__(kBlock)
    binary_cross_entropy_kernel(int64_t count, float target, const float* logits, float* loss, float* gradient) {
  double sum = 0;
  for (int64_t i = threadIdx.x; i < count; i += kBlock) {
    const float l = logits[i];
    sum += cross_entropy(l, target);
    if (gradient != nullptr) gradient[i] = (sigmoid(l) - target) / float(count);
  }
  sum = block_sum(sum);
  if (threadIdx.x == 0) loss[0] = float(sum / double(count));
}

__global__ void __launch_bounds__(kBlock) gan_losses_kernel(int64_t pairs, const float* logits, GanLosses losses) {
  double of_discriminator = 0, of_generator = 0;
  const float each = 0.5f / float(pairs);
  for (int64_t i = threadIdx.x; i < pairs; i += kBlock) {
    const float real = logits[i], fake = logits[pairs + i], bounded = fmaxf(fake, kLowestFake);
    of_discriminator += cross_entropy(real, 1) + cross_entropy(fake, 0);
    of_generator += cross_entropy(fake, 1);
    losses.gradient[i] = each * (sigmoid(real) - 1);
    losses.gradient[pairs + i] = each * sigmoid(bounded);
    losses.fake_scale[i] = -2 * expf(-bounded);
  }
  of_discriminator = block_sum(of_discriminator);
  of_generator = block_sum(of_generator);
  if (threadIdx.x != 0) return;
  losses.discriminator[0] = float(0.5 * of_discriminator / double(pairs));
  losses.generator[0] = float(of_generator / double(pairs));
}

}  // namespace

void binary_cross_entropy(Cuda on, int64_t count, float target, const float* logits, float* loss, float* gradient) {
  Launch<kBlock>{.grid = 1, .stream = on.stream}(binary_cross_entropy_kernel, count, target, logits, loss, gradient);
}

void gan_losses(Cuda on, int64_t pairs, const float* logits, const GanLosses& losses) {
  Launch<kBlock>{.grid = 1, .stream = on.stream}(gan_losses_kernel, pairs, logits, losses);
}

}  // namespace tobogan::kernels
