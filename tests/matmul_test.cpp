// The dense product in its four transpositions against plain loops in double.
#include "kernels/matmul.h"

#include <cstring>

#include "tests/support/catch.h"
#include "tests/support/kernel_inputs.h"

namespace tobogan {
namespace {

using kernels::MatmulDims;

std::vector<double> by_plain_loops(const MatmulDims& d, const std::vector<Real>& a, const std::vector<Real>& b) {
  std::vector<double> c(static_cast<size_t>(d.rows) * d.columns);
  for (int i = 0; i < d.rows; ++i) {
    for (int j = 0; j < d.columns; ++j) {
      double sum = 0;
      for (int k = 0; k < d.inner; ++k) {
        const double left = d.transpose_a ? a[int64_t{k} * d.rows + i] : a[int64_t{i} * d.inner + k];
        sum += left * (d.transpose_b ? b[int64_t{j} * d.inner + k] : b[int64_t{k} * d.columns + j]);
      }
      c[int64_t{i} * d.columns + j] = sum;
    }
  }
  return c;
}

void check_case(CpuMachine& one, CpuMachine& three, const MatmulDims& d) {
  INFO("rows " << d.rows << " columns " << d.columns << " inner " << d.inner << " transposed " << d.transpose_a << " "
               << d.transpose_b);
  const auto a = random_values(int64_t{d.rows} * d.inner, 1), b = random_values(int64_t{d.inner} * d.columns, 2);
  std::vector<Real> c(static_cast<size_t>(d.rows) * d.columns, NAN), again = c;
  kernels::matmul(one.tag(), d, a.data(), b.data(), c.data());
  kernels::matmul(three.tag(), d, a.data(), b.data(), again.data());
  CHECK(distance(c, by_plain_loops(d, a, b)) < kSumTolerance);
  CHECK((c.empty() || std::memcmp(c.data(), again.data(), c.size() * sizeof(Real)) == 0));
  CHECK(one.pool.bytes_in_use() == 0);
}

TEST_CASE("matmul in all transpositions and around every tile") {
  CpuMachine one(1), three(3);
  for (const bool transpose_a : {false, true}) {
    for (const bool transpose_b : {false, true}) {
      for (const int rows : {1, 2, 3, 5, 6, 7, 8, 9, 64, 193}) {
        for (const int columns : {1, 2, 3, 4, 5, 8, 10, 15, 16, 17, 23, 31, 33, 48, 49, 65, 100}) {
          for (const int inner : {1, 7, 64}) {
            check_case(one, three,
                       {.rows = rows,
                        .columns = columns,
                        .inner = inner,
                        .transpose_a = transpose_a,
                        .transpose_b = transpose_b});
          }
        }
      }
      check_case(one, three,
                 {.rows = 70, .columns = 40, .inner = 3000, .transpose_a = transpose_a, .transpose_b = transpose_b});
      check_case(one, three,
                 {.rows = 9, .columns = 1, .inner = 6272, .transpose_a = transpose_a, .transpose_b = transpose_b});
      check_case(one, three,
                 {.rows = 300, .columns = 784, .inner = 5, .transpose_a = transpose_a, .transpose_b = transpose_b});
    }
  }
}

TEST_CASE("matmul of nothing") {
  CpuMachine machine(2);
  std::vector<Real> c(6, NAN);
  kernels::matmul(machine.tag(), {.rows = 2, .columns = 3, .inner = 0}, nullptr, nullptr, c.data());
  CHECK(c == std::vector<Real>(6, 0));
  kernels::matmul(machine.tag(), {.rows = 0, .columns = 3, .inner = 4}, nullptr, nullptr, nullptr);
}

}  // namespace
}  // namespace tobogan
