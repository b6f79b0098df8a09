// Bias, leaky ReLU and dropout in one pass over memory.
#include "kernels/cuda/activation_piece.cuh"

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
                   Real* dx) {
  zip(on, rows * columns, ActivateGrad{ActivationDerivative(how)}, dy, y, dx);
}

}  // namespace tobogan::kernels
