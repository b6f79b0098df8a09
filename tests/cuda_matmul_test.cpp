// Products by cuBLAS: our rows are its columns, in every transposition and every precision.
#include "kernels/matmul.h"
#include "tests/support/cuda_kernels.h"

namespace tobogan::kernels {
namespace {

// The worst error over sizes and transpositions, as a share of the sum of the terms' sizes.
double worst(Precision precision) {
  CpuMachine cpu(1);
  CudaMachine cuda({.precision = precision});
  double error = 0;
  for (const int rows : {1, 3, 33})
    for (const int columns : {1, 10, 65})
      for (const int inner : {1, 7, 100})
        for (const bool transpose_a : {false, true})
          for (const bool transpose_b : {false, true}) {
            const MatmulDims dims{rows, columns, inner, transpose_a, transpose_b};
            const Reals a = test_values(rows * inner, 61), b = test_values(inner * columns, 62);
            Reals want(static_cast<size_t>(rows * columns));
            matmul(cpu.tag(), dims, a.data(), b.data(), want.data());
            const OnGpu<Real> gpu_a(cuda, a), gpu_b(cuda, b), c(cuda, rows * columns);
            matmul(cuda.tag(), dims, gpu_a.data(), gpu_b.data(), c.data());
            error = std::max(error, apart(c.host(), want, inner));
          }
  return error;
}

TEST_CASE("products in every transposition, as exact as the precision says") {
  CHECK(worst(Precision::kFp32) < 4 * kRounding);
  const double tf32 = worst(Precision::kTf32), bf16 = worst(Precision::kBf16);
  CHECK(tf32 < 0x1p-9);
  CHECK(bf16 < 0x1p-6);
#ifdef CUDA_EMULATOR  // really rounded; a GPU is allowed to be more precise
  CHECK(tf32 > 4 * kRounding);
  CHECK(bf16 > tf32);
#endif
}

TEST_CASE("empty products") {
  CudaMachine cuda;
  const OnGpu<Real> c(cuda, Reals(6, Real(7)));
  matmul(cuda.tag(), {.rows = 0, .columns = 3, .inner = 2}, c.data(), c.data(), c.data());
  CHECK(c.host() == Reals(6, Real(7)));
  matmul(cuda.tag(), {.rows = 2, .columns = 3, .inner = 0}, c.data(), c.data(), c.data());
  CHECK(c.host() == Reals(6, Real(0)));
}

}  // namespace
}  // namespace tobogan::kernels
