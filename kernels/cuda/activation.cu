// Bias, leaky ReLU and dropout in one pass over memory, and the way back with the bias's gradient in one more.
#include "kernels/cuda/activation_piece.cuh"
#include "kernels/cuda/columns.cuh"

namespace tobogan::kernels {
namespace {

template <bool kDropout>
__global__ void __launch_bounds__(kFlatBlock)
    activate_kernel(ActivationParams how, int64_t count, bool vector, RepeatedRows rows, const float* x,
                    const float* bias, float* y) {
  const FlatRuns runs(count, vector, kDropout);
  Four values[FlatRuns::kRuns];
#pragma unroll
  for (int k = 0; k < FlatRuns::kRuns; ++k) {
    const Four in = runs.load(x, k), shift = rows.load(bias, runs, k, 0);
#pragma unroll
    for (int j = 0; j < 4; ++j) values[k].v[j] = in.v[j] + shift.v[j];
  }
  activate_runs<kDropout>(how, runs, values, y);
}

struct ActivateGrad {
  ActivationDerivative derivative;
  __device__ float operator()(float dy, float y) const { return derivative(y) * dy; }
};

// dx as above, written on the way to the sums of its columns.
struct ActivateGradSumsOp : ColumnSumOp {
  ActivationDerivative derivative;
  const float *dy, *y;
  float* dx;

  template <int W>
  __device__ Terms<W> load(int64_t i, NoConstants) const {
    float dys[W], ys[W];
    load_elements(dy, i, dys);
    load_elements(y, i, ys);
    Terms<W> terms;
#pragma unroll
    for (int j = 0; j < W; ++j) terms.v[j] = derivative(ys[j]) * dys[j];
    store_elements(dx, i, terms.v);
    return terms;
  }
};

}  // namespace

void activate(Cuda on, const Activation& how, int64_t rows, int64_t columns, const Real* x, const Real* bias, Real* y) {
  const int64_t count = rows * columns;
  if (count == 0) return;
  const ActivationParams params(how);
  const RepeatedRows repeated{Divider(columns), columns % 4 == 0 && aligned({bias})};
  launch_flat(on, count, params.threshold > 0 ? activate_kernel<true> : activate_kernel<false>, params, count,
              aligned({x, y}), repeated, x, bias, y);
}

void activate_grad(Cuda on, const Activation& how, int64_t rows, int64_t columns, const Real* dy, const Real* y,
                   Real* dx, Real* dbias) {
  if (dbias != nullptr && columns > 0) {
    return reduce_columns(on, 1, rows, columns, aligned({dy, y, dx}),
                          ActivateGradSumsOp{{dbias}, ActivationDerivative(how), dy, y, dx});
  }
  zip(on, rows * columns, ActivateGrad{ActivationDerivative(how)}, dy, y, dx);
}

}  // namespace tobogan::kernels
