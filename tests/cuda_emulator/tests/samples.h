// Correct kernels of every kind that a deep-learning library has: they must give right results and no report in any
// mode of the emulator.  Launchers over device pointers; rows are contiguous.
#pragma once
#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>

namespace samples {

// sample_elementwise.cu: y = leaky_relu(x + bias[channel]), x {batch, channels, pixels}; four at a time if pixels % 4
// == 0
void bias_leaky_relu(float* y, const float* x, const float* bias, int batch, int channels, int pixels, float slope,
                     cudaStream_t stream);
void adam_step(float* weight, float* mean, float* square, const float* gradient, const float* step, size_t count,
               cudaStream_t stream);
void embedding_gradient(float* table_gradient, const float* gradient, const int* index, int count, int width,
                        cudaStream_t stream);
// Philox 4x32-10; keep[i] says whether x[i] survived with probability 1 - drop.
void dropout(float* y, uint8_t* keep, const float* x, size_t count, float drop, uint64_t seed, cudaStream_t stream);
void normal_noise(float* y, size_t count, uint64_t seed, cudaStream_t stream);

// sample_reduce.cu
void channel_statistics(float* mean, float* variance, const float* x, int batch, int channels, int pixels,
                        cudaStream_t stream);
// The last block to finish adds the others' sums; scratch {64}, counter {1} zeroed before its first use.
void sum(float* result, float* scratch, unsigned* counter, const float* x, size_t count, cudaStream_t stream);
// logits {classes, batch}: column by column.
void softmax_cross_entropy(float* loss, float* gradient, const float* logits, const int* label, int classes, int batch,
                           cudaStream_t stream);

// sample_gemm.cu: c {m, n} = a {m, k} b {k, n}
void matmul_ffma(float* c, const float* a, const float* b, int m, int n, int k, cudaStream_t stream);
// y {batch, out, 2h, 2w}: transposed convolution, 4 x 4, stride 2, padding 1; weight {in, out, 4, 4}
void upsampling_conv(float* y, const float* x, const float* weight, int batch, int in, int out, int h, int w,
                     cudaStream_t stream);

// sample_tensor_core.cu; REQUIRES: n and k are multiples of 4 (tf32) or of 8 (bf16, whose a and b hold bf16)
void matmul_tf32(float* c, const float* a, const float* b, int m, int n, int k, cudaStream_t stream);
void matmul_bf16(float* c, const void* a, const void* b, int m, int n, int k, cudaStream_t stream);

}  // namespace samples
