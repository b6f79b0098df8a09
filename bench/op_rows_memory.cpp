// Kernels that move more than they compute: batch norm, max pooling and log-softmax at the sizes of the papers'
// networks.
#include <algorithm>
#include <cmath>

#include "bench/op_rows.h"
#include "kernels/normalize.h"
#include "kernels/pool.h"
#include "kernels/softmax.h"
#ifdef TOBOGAN_WITH_CUDNN
#include "kernels/cudnn/library.h"
#endif

namespace tobogan::bench {
namespace {

using kernels::PoolDims;

OpRow memory_row(const std::string& name, const std::array<int64_t, 3>& counts, Kernel kernel,
                 std::function<double(const Values&, const Values&, const Values&)> error) {
  return {.name = name,
          .nominal_flops = 0,
          .useful_flops = 0,
          .bytes = sizeof(Real) * static_cast<double>(counts[0] + counts[1] + counts[2]),
          .counts = counts,
          .kernel = std::move(kernel),
          .error = std::move(error)};
}

struct Matrix {
  int64_t rows, columns;
  int64_t count() const { return rows * columns; }
};

constexpr Real kEpsilon = Real(1e-5);

// Operands x and (gamma, beta); result (y, mean, variance, scale).
double batch_norm_error(Matrix m, const Values& x, const Values& parameters, const Values& result) {
  std::vector<double> wanted, got;
  for (const size_t at : places(20, static_cast<size_t>(m.count()))) {
    const size_t c = at % m.columns;
    double mean = 0, variance = 0;
    for (size_t i = c; i < x.size(); i += m.columns) mean += x[i] / static_cast<double>(m.rows);
    for (size_t i = c; i < x.size(); i += m.columns)
      variance += (x[i] - mean) * (x[i] - mean) / static_cast<double>(m.rows);
    wanted.push_back((x[at] - mean) / std::sqrt(variance + kEpsilon) * parameters[c] + parameters[m.columns + c]);
    got.push_back(result[at]);
    wanted.push_back(variance);
    got.push_back(result[m.count() + m.columns + c]);
  }
  return relative_error(wanted, got);
}

OpRow batch_norm(const std::string& name, Matrix m) {
  const int64_t n = m.count(), c = m.columns;
  OpRow row = memory_row(name + " batch norm", {n, 2 * c, n + 3 * c},
                         on_machines([=](auto on, auto* x, auto* parameters, auto* y) {
                           auto *mean = y + n, *variance = mean + c, *scale = variance + c;
                           kernels::column_moments(on, m.rows, c, x, {kEpsilon, mean, variance, scale, {}});
                           kernels::normalize(on, {}, m.rows, c, x, mean, scale, parameters, parameters + c, y);
                         }),
                         [=](const Values& x, const Values& parameters, const Values& y) {
                           return batch_norm_error(m, x, parameters, y);
                         });
#ifdef TOBOGAN_WITH_CUDNN
  row.library = {row.counts, [=](kernels::Cudnn on, const Real* x, const Real* parameters, Real* y) {
                   kernels::library_batch_norm(on, m.rows, c, kEpsilon, x, parameters, parameters + c, y + n,
                                               y + n + 2 * c, y);
                 }};
#endif
  return row;
}

// Operands (dy, x) and (mean, scale, gamma); result (dx, dgamma, dbeta, factors).
double batch_norm_grad_error(Matrix m, const Values& operands, const Values& parameters, const Values& result) {
  std::vector<double> wanted, got;
  const Real *dy = operands.data(), *x = dy + m.count();
  for (const size_t at : places(20, static_cast<size_t>(m.count()))) {
    const size_t c = at % m.columns;
    const double mean = parameters[c], scale = parameters[m.columns + c], gamma = parameters[2 * m.columns + c];
    const auto h = [&](size_t i) { return (x[i] - mean) * scale; };
    double sum = 0, sum_h = 0;
    for (size_t i = c; i < static_cast<size_t>(m.count()); i += m.columns) sum += dy[i], sum_h += dy[i] * h(i);
    const auto rows = static_cast<double>(m.rows);
    wanted.push_back(gamma * scale * (dy[at] - sum / rows - h(at) * sum_h / rows));
    got.push_back(result[at]);
  }
  return relative_error(wanted, got);
}

OpRow batch_norm_grad(const std::string& name, Matrix m) {
  const int64_t n = m.count(), c = m.columns;
  OpRow row = memory_row(
      name + " batch norm gradient", {2 * n, 3 * c, n + 5 * c},
      on_machines([=](auto on, auto* dy, auto* parameters, auto* dx) {
        const Real *x = dy + n, *y = x;  // the result matters to an activation only
        auto *dgamma = dx + n, *dbeta = dgamma + c, *factors = dbeta + c;
        const kernels::NormalizeSums sums{
            x, parameters, parameters + c, parameters + 2 * c, dgamma, dbeta, {factors, factors + c, factors + 2 * c}};
        kernels::normalize_grad_sums(on, {}, m.rows, c, dy, y, sums, dx);
        kernels::normalize_grad_apply(on, m.rows, c, dx, x, parameters, sums.factors, dx);
      }),
      [=](const Values& dy, const Values& parameters, const Values& dx) {
        return batch_norm_grad_error(m, dy, parameters, dx);
      });
#ifdef TOBOGAN_WITH_CUDNN
  row.library = {row.counts, [=](kernels::Cudnn on, const Real* dy, const Real* parameters, Real* dx) {
                   kernels::library_batch_norm_grad(on, m.rows, c, kEpsilon, dy, dy + n, parameters, parameters + c,
                                                    parameters + 2 * c, dx, dx + n, dx + n + c);
                 }};
#endif
  return row;
}

// Windows of 2 x 2 that do not overlap.  Operand (x, dy); result (dx, y, choices).
double pool_error(const PoolDims& d, const Values& operands, const Values& result) {
  const int64_t in = d.block * d.in_h * d.in_w;
  std::vector<double> wanted, got;
  for (const size_t at : places(200, static_cast<size_t>(in))) {
    const int64_t e = at % d.block, pixel = at / d.block, row = pixel / d.in_w, column = pixel % d.in_w;
    int64_t largest = -1;
    for (const int64_t y : {row / 2 * 2, row / 2 * 2 + 1}) {
      for (const int64_t x : {column / 2 * 2, column / 2 * 2 + 1}) {
        const int64_t candidate = (y * d.in_w + x) * d.block + e;
        if (largest < 0 || operands[candidate] > operands[largest]) largest = candidate;
      }
    }
    const int64_t window = (row / 2 * d.out_w + column / 2) * d.block + e;
    wanted.insert(wanted.end(), {static_cast<int64_t>(at) == largest ? operands[in + window] : 0, operands[largest]});
    got.insert(got.end(), {result[at], result[in + window]});
  }
  return relative_error(wanted, got);
}

OpRow pool(const std::string& name, int64_t block, int side) {
  const PoolDims d{.block = block,
                   .in_h = side,
                   .in_w = side,
                   .out_h = side / 2,
                   .out_w = side / 2,
                   .kernel_h = 2,
                   .kernel_w = 2,
                   .stride_h = 2,
                   .stride_w = 2};
  const int64_t in = block * side * side, out = in / 4;
  OpRow row = memory_row(name + " max pool and back", {in + out, 1, in + 2 * out},
                         on_machines([=](auto on, auto* x, auto*, auto* dx) {
                           auto* choice = reinterpret_cast<int32_t*>(dx + in + out);
                           kernels::max_pool2d(on, d, x, dx + in, choice);
                           kernels::pool_scatter(on, d, x + in, choice, dx);
                         }),
                         [=](const Values& x, const Values&, const Values& dx) { return pool_error(d, x, dx); });
#ifdef TOBOGAN_WITH_CUDNN
  row.library = {row.counts, [=](kernels::Cudnn on, const Real* x, const Real*, Real* dx) {
                   kernels::library_max_pool2d(on, d, x, dx + in);
                   kernels::library_max_pool2d_grad(on, d, x, dx + in, x + in, dx);
                 }};
#endif
  return row;
}

OpRow softmax(const std::string& name, Matrix m) {
  return memory_row(
      name + " log-softmax", {m.count(), 1, m.count()},
      on_machines([=](auto on, auto* x, auto*, auto* y) { kernels::log_softmax(on, m.rows, m.columns, x, y); }),
      [=](const Values& x, const Values&, const Values& y) {
        std::vector<double> wanted, got;
        for (const size_t at : places(200, y.size())) {
          const size_t row = at / m.columns * m.columns;
          double sum = 0;
          for (int64_t k = 0; k < m.columns; ++k) sum += std::exp(static_cast<double>(x[row + k]));
          wanted.push_back(x[at] - std::log(sum));
          got.push_back(y[at]);
        }
        return relative_error(wanted, got);
      });
}

}  // namespace

std::vector<OpRow> memory_rows() {
  std::vector<OpRow> rows;
  for (const auto& [name, matrix] : {std::pair<const char*, Matrix>{"mnist G 256x7x7", {64 * 7 * 7, 256}},
                                     {"resnet 64x16x16", {64 * 16 * 16, 64}},
                                     {"resnet 512x1x1", {64, 512}}}) {
    rows.push_back(batch_norm(name, matrix));
    rows.push_back(batch_norm_grad(name, matrix));
  }
  rows.push_back(pool("lenet 6x28x28", 64 * 6, 28));
  rows.push_back(pool("64x32x32", 64 * 64, 32));
  rows.push_back(softmax("classifier 64x10", {64, 10}));
  return rows;
}

}  // namespace tobogan::bench
