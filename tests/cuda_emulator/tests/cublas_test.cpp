// The cuBLAS subset against plain loops: transposes, leading dimensions, batches, bf16, and refusals.
#include <cublas_v2.h>
#include <cuda_bf16.h>

#include "tests/cuda_emulator/tests/support.h"

namespace {
using namespace emulator_test;

class Handle {
 public:
  explicit Handle(cudaStream_t stream) {
    cublasCreate(&handle_);
    cublasSetStream(handle_, stream);
  }
  ~Handle() { cublasDestroy(handle_); }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  operator cublasHandle_t() const { return handle_; }

 private:
  cublasHandle_t handle_;
};

// 2 op(A) op(B) - C for a batch of two, leading dimensions three larger than need be.
void test_product(cublasOperation_t op_a, cublasOperation_t op_b, bool bf16) {
  constexpr int kM = 5, kN = 7, kK = 3, kPad = 3;
  const int lda = (op_a == CUBLAS_OP_N ? kM : kK) + kPad, ldb = (op_b == CUBLAS_OP_N ? kK : kN) + kPad, ldc = kM + kPad;
  const long long stride_a = lda * (op_a == CUBLAS_OP_N ? kK : kM), stride_b = ldb * (op_b == CUBLAS_OP_N ? kN : kK);
  const long long stride_c = ldc * kN;
  auto a = normal_values(size_t(stride_a) * 2), b = normal_values(size_t(stride_b) * 2, 8);
  const auto c = normal_values(size_t(stride_c) * 2, 9);
  std::vector<__nv_bfloat16> a16, b16;
  for (float& v : a) a16.push_back(__float2bfloat16(v)), v = bf16 ? __bfloat162float(a16.back()) : v;
  for (float& v : b) b16.push_back(__float2bfloat16(v)), v = bf16 ? __bfloat162float(b16.back()) : v;
  auto right = c;
  for (int batch = 0; batch < 2; ++batch)
    for (int i = 0; i < kM; ++i)
      for (int j = 0; j < kN; ++j) {
        double sum = 0;
        for (int k = 0; k < kK; ++k)
          sum += double(a[size_t(batch * stride_a + (op_a == CUBLAS_OP_N ? k * lda + i : i * lda + k))]) *
                 b[size_t(batch * stride_b + (op_b == CUBLAS_OP_N ? j * ldb + k : k * ldb + j))];
        float& r = right[size_t(batch * stride_c + j * ldc + i)];
        r = float(2 * sum - r);
      }
  const Stream stream;
  const Handle handle(stream);
  const Array<float> da(a), db(b), dc(c);
  const Array<__nv_bfloat16> da16(a16), db16(b16);
  const float alpha = 2, beta = -1;
  const auto status =
      bf16 ? cublasGemmStridedBatchedEx(handle, op_a, op_b, kM, kN, kK, &alpha, da16, CUDA_R_16BF, lda, stride_a, db16,
                                        CUDA_R_16BF, ldb, stride_b, &beta, dc, CUDA_R_32F, ldc, stride_c, 2,
                                        CUBLAS_COMPUTE_32F, CUBLAS_GEMM_DEFAULT)
           : cublasSgemmStridedBatched(handle, op_a, op_b, kM, kN, kK, &alpha, da, lda, stride_a, db, ldb, stride_b,
                                       &beta, dc, ldc, stride_c, 2);
  expect(status == CUBLAS_STATUS_SUCCESS, "a product is accepted");
  expect_near(dc.read(stream), right, 1e-5f, "a batched product");
}

// In TF32 mode 1 + 2^-11 is rounded to 1 + 2^-10, and its low bits are gone.
void test_tf32() {
  const Stream stream;
  const Handle handle(stream);
  const Array<float> a(std::vector<float>{1 + 0x1p-11f}), b(std::vector<float>{1}), c(1);
  const float alpha = 1, beta = 0;  // with beta 0 the uninitialised c must not count
  cublasSgemm(handle, CUBLAS_OP_N, CUBLAS_OP_N, 1, 1, 1, &alpha, a, 1, b, 1, &beta, c, 1);
  expect(c.read(stream)[0] == 1 + 0x1p-11f, "fp32 keeps the bits");
  cublasSetMathMode(handle, CUBLAS_TF32_TENSOR_OP_MATH);
  cublasSgemm(handle, CUBLAS_OP_N, CUBLAS_OP_N, 1, 1, 1, &alpha, a, 1, b, 1, &beta, c, 1);
  expect(c.read(stream)[0] == 1 + 0x1p-10f, "TF32 rounds");
  expect(cublasSgemm(handle, CUBLAS_OP_N, CUBLAS_OP_N, 4, 1, 1, &alpha, a, 3, b, 1, &beta, c, 4) ==
             CUBLAS_STATUS_INVALID_VALUE,
         "a leading dimension that is too small is refused");
}

}  // namespace

int main() {
  for (const auto op_a : {CUBLAS_OP_N, CUBLAS_OP_T})
    for (const auto op_b : {CUBLAS_OP_N, CUBLAS_OP_T})
      for (const bool bf16 : {false, true}) test_product(op_a, op_b, bf16);
  test_tf32();
  return report();
}
