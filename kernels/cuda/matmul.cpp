// Dense products by cuBLAS.  It thinks in columns: our row-major c is its c transposed, so c' = op(b)' op(a)'.
#include "kernels/matmul.h"

#include <cublas_v2.h>

#include <algorithm>
#include <stdexcept>
#include <string>

#include "kernels/cuda/machine.h"
#include "kernels/elementwise.h"

namespace tobogan::kernels {
namespace {

cublasComputeType_t compute_type(Precision precision) {
  switch (precision) {
    case Precision::kTf32:
      return CUBLAS_COMPUTE_32F_FAST_TF32;
    case Precision::kBf16:
      return CUBLAS_COMPUTE_32F_FAST_16BF;
    default:
      return CUBLAS_COMPUTE_32F;
  }
}

}  // namespace

void matmul(Cuda on, const MatmulDims& dims, const Real* a, const Real* b, Real* c) {
  if (dims.rows == 0 || dims.columns == 0) return;
  if (dims.inner == 0) return fill(on, int64_t{dims.rows} * dims.columns, 0, c);
  const float one = 1, zero = 0;
  const cublasStatus_t status = cublasGemmEx(
      on.machine->cublas(), dims.transpose_b ? CUBLAS_OP_T : CUBLAS_OP_N, dims.transpose_a ? CUBLAS_OP_T : CUBLAS_OP_N,
      dims.columns, dims.rows, dims.inner, &one, b, CUDA_R_32F, dims.transpose_b ? dims.inner : dims.columns, a,
      CUDA_R_32F, dims.transpose_a ? dims.rows : dims.inner, &zero, c, CUDA_R_32F, dims.columns,
      compute_type(on.precision), CUBLAS_GEMM_DEFAULT);
  if (status != CUBLAS_STATUS_SUCCESS)
    throw std::runtime_error("cuBLAS, asked for a product of " + std::to_string(dims.rows) + " x " +
                             std::to_string(dims.inner) + " and " + std::to_string(dims.inner) + " x " +
                             std::to_string(dims.columns) + ": " + cublasGetStatusString(status));
}

}  // namespace tobogan::kernels
