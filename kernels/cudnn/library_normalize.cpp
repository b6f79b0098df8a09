// Batch norm as cuDNN has it, for op_bench.  Its sums run over images, rows and columns alike, so our tall matrix is to
// it one image of one column.  The engine normalises by hand on every device: its moments and its normalisation are
// kernels of their own, with activation and dropout in them.
#include <cudnn.h>

#include "kernels/cudnn/handles.h"
#include "kernels/cudnn/library.h"

namespace tobogan::kernels {
namespace {

const float kOne = 1, kZero = 0;

// Of cuDNN's two algorithms the one that PyTorch takes for channels that lie together, as ours do.
constexpr cudnnBatchNormMode_t kMode = CUDNN_BATCHNORM_SPATIAL_PERSISTENT;

}  // namespace

void library_batch_norm(Cudnn on, int64_t rows, int64_t columns, Real epsilon, const Real* x, const Real* gamma,
                        const Real* beta, Real* mean, Real* scale, Real* y) {
  const CudnnTensor matrix(1, columns, rows, 1), channels(1, columns, 1, 1);
  check_cudnn(cudnnBatchNormalizationForwardTraining(*on.handles, kMode, &kOne, &kZero, matrix, x, matrix, y, channels,
                                                     gamma, beta, 0, nullptr, nullptr, epsilon, mean, scale),
              "cudnnBatchNormalizationForwardTraining");
}

void library_batch_norm_grad(Cudnn on, int64_t rows, int64_t columns, Real epsilon, const Real* dy, const Real* x,
                             const Real* mean, const Real* scale, const Real* gamma, Real* dx, Real* dgamma,
                             Real* dbeta) {
  const CudnnTensor matrix(1, columns, rows, 1), channels(1, columns, 1, 1);
  check_cudnn(cudnnBatchNormalizationBackward(*on.handles, kMode, &kOne, &kZero, &kOne, &kZero, matrix, x, matrix, dy,
                                              matrix, dx, channels, gamma, dgamma, dbeta, epsilon, mean, scale),
              "cudnnBatchNormalizationBackward");
}

}  // namespace tobogan::kernels
