// cuBLAS through Eigen.  A product is one closure on the handle's stream; operands are converted to float matrices, to
// which TF32 and bf16 rounding is applied where the real library would use the tensor cores so.
#include <cublas_v2.h>
#include <cuda_bf16.h>
#include <cuda_emulator/launch.h>
#include <cuda_emulator/ptx.h>

#include <Eigen/Core>

struct cublasContext {
  cudaStream_t stream = nullptr;
  cublasMath_t math = CUBLAS_DEFAULT_MATH;
  cublasPointerMode_t pointers = CUBLAS_POINTER_MODE_HOST;
};

namespace {

using Eigen::MatrixXf;

struct Operand {
  const char* data;
  cudaDataType type;
  cublasOperation_t op;
  long long ld, stride;

  size_t element_bytes() const { return type == CUDA_R_32F ? 4 : 2; }
  // Matrix `index` of the batch, rows x columns after op.
  MatrixXf load(long long index, int rows, int columns) const {
    if (op != CUBLAS_OP_N) std::swap(rows, columns);
    const char* start = data + index * stride * (long long)element_bytes();
    MatrixXf m(rows, columns);
    for (int j = 0; j < columns; ++j)
      for (int i = 0; i < rows; ++i) {
        const size_t at = size_t(j) * size_t(ld) + size_t(i);
        m(i, j) = type == CUDA_R_32F ? reinterpret_cast<const float*>(start)[at]
                                     : float(reinterpret_cast<const __nv_bfloat16*>(start)[at]);
      }
    if (op != CUBLAS_OP_N) m.transposeInPlace();
    return m;
  }
  void store(long long index, const MatrixXf& m) const {
    char* start = const_cast<char*>(data) + index * stride * (long long)element_bytes();
    for (int j = 0; j < m.cols(); ++j)
      for (int i = 0; i < m.rows(); ++i) {
        const size_t at = size_t(j) * size_t(ld) + size_t(i);
        if (type == CUDA_R_32F)
          reinterpret_cast<float*>(start)[at] = m(i, j);
        else
          reinterpret_cast<__nv_bfloat16*>(start)[at] = __nv_bfloat16(m(i, j));
      }
  }
  bool valid(int rows, int columns) const {
    return (type == CUDA_R_32F || type == CUDA_R_16BF) && ld >= std::max(1, op == CUBLAS_OP_N ? rows : columns);
  }
};

struct Product {
  Operand a, b, c;
  int m, n, k, batch;
  const float *alpha, *beta;
  float alpha_value = 0, beta_value = 0;
  bool scalars_on_device;
  cublasComputeType_t compute;

  void round(MatrixXf& x) const {
    if (compute == CUBLAS_COMPUTE_32F_FAST_TF32)
      x = x.unaryExpr([](float v) { return std::bit_cast<float>(cuda_emulator::round_to_tf32(v)); });
    if (compute == CUBLAS_COMPUTE_32F_FAST_16BF) x = x.unaryExpr([](float v) { return float(__nv_bfloat16(v)); });
  }
  void run() const {
    const float scale = scalars_on_device ? *alpha : alpha_value, keep = scalars_on_device ? *beta : beta_value;
    for (int i = 0; i < batch; ++i) {
      MatrixXf left = a.load(i, m, k), right = b.load(i, k, n);
      round(left);
      round(right);
      MatrixXf result = scale * (left * right);
      if (keep != 0) result += keep * c.load(i, m, n);  // with beta 0, C may be uninitialised
      c.store(i, result);
    }
  }
};

}  // namespace

cublasStatus_t cublasCreate(cublasHandle_t* handle) {
  *handle = new cublasContext;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasDestroy(cublasHandle_t handle) {
  cudaDeviceSynchronize();  // as the real one does
  delete handle;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasSetStream(cublasHandle_t handle, cudaStream_t stream) {
  handle->stream = stream;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasGetStream(cublasHandle_t handle, cudaStream_t* stream) {
  *stream = handle->stream;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasSetMathMode(cublasHandle_t handle, cublasMath_t mode) {
  handle->math = mode;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasSetPointerMode(cublasHandle_t handle, cublasPointerMode_t mode) {
  handle->pointers = mode;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasSetWorkspace(cublasHandle_t, void*, size_t) {
  return CUBLAS_STATUS_SUCCESS;
}
const char* cublasGetStatusString(cublasStatus_t status) {
  switch (status) {
    case CUBLAS_STATUS_SUCCESS:
      return "CUBLAS_STATUS_SUCCESS";
    case CUBLAS_STATUS_INVALID_VALUE:
      return "CUBLAS_STATUS_INVALID_VALUE";
    case CUBLAS_STATUS_NOT_SUPPORTED:
      return "CUBLAS_STATUS_NOT_SUPPORTED";
    default:
      return "CUBLAS_STATUS_EXECUTION_FAILED";
  }
}

cublasStatus_t cublasGemmStridedBatchedEx(cublasHandle_t handle, cublasOperation_t op_a, cublasOperation_t op_b, int m,
                                          int n, int k, const void* alpha, const void* a, cudaDataType type_a, int lda,
                                          long long stride_a, const void* b, cudaDataType type_b, int ldb,
                                          long long stride_b, const void* beta, void* c, cudaDataType type_c, int ldc,
                                          long long stride_c, int batch, cublasComputeType_t compute,
                                          cublasGemmAlgo_t) {
  Product product{.a = {static_cast<const char*>(a), type_a, op_a, lda, stride_a},
                  .b = {static_cast<const char*>(b), type_b, op_b, ldb, stride_b},
                  .c = {static_cast<const char*>(c), type_c, CUBLAS_OP_N, ldc, stride_c},
                  .m = m,
                  .n = n,
                  .k = k,
                  .batch = batch,
                  .alpha = static_cast<const float*>(alpha),
                  .beta = static_cast<const float*>(beta),
                  .scalars_on_device = handle->pointers == CUBLAS_POINTER_MODE_DEVICE,
                  .compute = compute};
  if (m < 0 || n < 0 || k < 0 || batch < 0 || !product.a.valid(m, k) || !product.b.valid(k, n) ||
      !product.c.valid(m, n))
    return CUBLAS_STATUS_INVALID_VALUE;
  if (handle->math == CUBLAS_TF32_TENSOR_OP_MATH && compute == CUBLAS_COMPUTE_32F)
    product.compute = CUBLAS_COMPUTE_32F_FAST_TF32;
  if (!product.scalars_on_device) {
    product.alpha_value = *product.alpha;
    product.beta_value = *product.beta;
  }
  if (m == 0 || n == 0 || batch == 0) return CUBLAS_STATUS_SUCCESS;
  return cuda_emulator::enqueue(handle->stream, [product] { product.run(); }) == cudaSuccess
             ? CUBLAS_STATUS_SUCCESS
             : CUBLAS_STATUS_EXECUTION_FAILED;
}

cublasStatus_t cublasGemmEx(cublasHandle_t handle, cublasOperation_t op_a, cublasOperation_t op_b, int m, int n, int k,
                            const void* alpha, const void* a, cudaDataType type_a, int lda, const void* b,
                            cudaDataType type_b, int ldb, const void* beta, void* c, cudaDataType type_c, int ldc,
                            cublasComputeType_t compute, cublasGemmAlgo_t algorithm) {
  return cublasGemmStridedBatchedEx(handle, op_a, op_b, m, n, k, alpha, a, type_a, lda, 0, b, type_b, ldb, 0, beta, c,
                                    type_c, ldc, 0, 1, compute, algorithm);
}
cublasStatus_t cublasSgemmStridedBatched(cublasHandle_t handle, cublasOperation_t op_a, cublasOperation_t op_b, int m,
                                         int n, int k, const float* alpha, const float* a, int lda, long long stride_a,
                                         const float* b, int ldb, long long stride_b, const float* beta, float* c,
                                         int ldc, long long stride_c, int batch) {
  return cublasGemmStridedBatchedEx(handle, op_a, op_b, m, n, k, alpha, a, CUDA_R_32F, lda, stride_a, b, CUDA_R_32F,
                                    ldb, stride_b, beta, c, CUDA_R_32F, ldc, stride_c, batch, CUBLAS_COMPUTE_32F,
                                    CUBLAS_GEMM_DEFAULT);
}
cublasStatus_t cublasSgemm(cublasHandle_t handle, cublasOperation_t op_a, cublasOperation_t op_b, int m, int n, int k,
                           const float* alpha, const float* a, int lda, const float* b, int ldb, const float* beta,
                           float* c, int ldc) {
  return cublasSgemmStridedBatched(handle, op_a, op_b, m, n, k, alpha, a, lda, 0, b, ldb, 0, beta, c, ldc, 0, 1);
}
