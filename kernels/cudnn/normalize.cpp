// Batch norm through cuDNN.  Its sums run over images, rows and columns alike, so our tall matrix is to it one image of
// one column, without a copy.
//
// It knows no leaky ReLU and no dropout: those are a pass of their own, by hand.  And it gives no variance but the
// unbiased one that it averages over batches: with a factor of 1 the average is the batch's own.
#include "kernels/normalize.h"

#include <cudnn.h>

#include <memory>
#include <vector>

#include "kernels/cudnn/handles.h"
#include "kernels/elementwise.h"

namespace tobogan::kernels {
namespace {

const float kOne = 1, kZero = 0;

// Of cuDNN's two algorithms the one that PyTorch takes for channels that lie together, as ours do.
constexpr cudnnBatchNormMode_t kMode = CUDNN_BATCHNORM_SPATIAL_PERSISTENT;

// cuDNN insists on a gamma and a beta: what stands for one that is not there.
const Real* or_constant(Cudnn on, const Real* given, int64_t columns, Real value) {
  return given ? given : on.machine->table(std::span<const Real>(std::vector<Real>(columns, value)));
}

}  // namespace

void batch_normalize(Cudnn on, const Activation& how, int64_t rows, int64_t columns, Real epsilon, const Real* x,
                     const Real* gamma, const Real* beta, Real* mean, Real* variance, Real* scale, Real* y) {
  if (rows < 2 || columns == 0)  // of one row there is no unbiased variance
    return batch_normalize(Cuda(on), how, rows, columns, epsilon, x, gamma, beta, mean, variance, scale, y);
  const CudnnTensor matrix(1, columns, rows, 1), channels(1, columns, 1, 1);
  const CudaScratch<Real> average(*on.pool, static_cast<size_t>(2 * columns));
  fill(on, 2 * columns, 0, average.data());
  check_cudnn(cudnnBatchNormalizationForwardTraining(
                  *on.handles, kMode, &kOne, &kZero, matrix, x, matrix, y, channels, or_constant(on, gamma, columns, 1),
                  or_constant(on, beta, columns, 0), 1, average.data(), average.data() + columns, epsilon, mean, scale),
              "cudnnBatchNormalizationForwardTraining");
  affine(on, columns, static_cast<Real>(rows - 1) / static_cast<Real>(rows), 0, average.data() + columns, variance);
  if (how.slope != 1 || how.dropout > 0) activate(on, how, rows, columns, y, nullptr, y);
}

void normalize_grad(Cudnn on, const Activation& how, int64_t rows, int64_t columns, const Real* dy, const Real* x,
                    const Real* y, const Real* mean, const Real* scale, const Real* gamma, Real* dx, Real* dgamma,
                    Real* dbeta) {
  if (rows < 2 || columns == 0)
    return normalize_grad(Cuda(on), how, rows, columns, dy, x, y, mean, scale, gamma, dx, dgamma, dbeta);
  const CudnnTensor matrix(1, columns, rows, 1), channels(1, columns, 1, 1);
  std::unique_ptr<CudaScratch<Real>> g;  // cuDNN does not say that dx may be dy
  if (how.slope != 1 || how.dropout > 0 || dx == dy) {
    g = std::make_unique<CudaScratch<Real>>(*on.pool, static_cast<size_t>(rows * columns));
    activate_grad(on, how, rows, columns, dy, y, g->data());
  }
  // The deviations are given, so epsilon is only checked.
  check_cudnn(cudnnBatchNormalizationBackward(*on.handles, kMode, &kOne, &kZero, &kOne, &kZero, matrix, x, matrix,
                                              g ? g->data() : dy, matrix, dx, channels,
                                              or_constant(on, gamma, columns, 1), dgamma, dbeta, 1e-5, mean, scale),
              "cudnnBatchNormalizationBackward");
}

}  // namespace tobogan::kernels
