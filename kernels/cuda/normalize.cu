// Normalisation: one pass over memory for the moments, one for the result, two for the way back.
#include "kernels/cuda/activation_piece.cuh"
#include "kernels/cuda/column_results.cuh"
#include "kernels/cuda/columns.cuh"

namespace tobogan::kernels {
namespace {

// The moments of a column's part: how many, their mean, and their squared distances from it (Chan, Golub & LeVeque
// 1983).  All of it is relative to the column's first element, so that a mean far from zero costs no digits.
struct MomentsOp {
  using State = float4;  // count, mean, squares, unused
  template <int W>
  struct Terms {
    float v[W];
  };
  template <int W>
  struct Constants {
    float origin[W];
  };
  static constexpr int kRows = 8;
  const float* x;
  ColumnMoments moments;

  __device__ static State begin() { return make_float4(0, 0, 0, 0); }
  template <int W>
  __device__ Constants<W> constants(int64_t column, int64_t columns) const {
    Constants<W> constants;
    load_row(x, column, columns, constants.origin);
    return constants;
  }
  template <int W>
  __device__ Terms<W> load(int64_t i, const Constants<W>& constants) const {
    Terms<W> terms;
    load_elements(x, i, terms.v);
#pragma unroll
    for (int j = 0; j < W; ++j) terms.v[j] -= constants.origin[j];
    return terms;
  }
  template <int W>
  __device__ static void add(State& state, const Terms<W> (&terms)[kRows], int count, int j) {
    const float center = sum_tree<kRows>([&](int r) { return terms[r].v[j]; }) / float(count);
    const float squares = sum_tree<kRows>([&](int r) {
      const float distance = r < count ? terms[r].v[j] - center : 0.0f;
      return distance * distance;
    });
    merge(state, make_float4(float(count), center, squares, 0));
  }
  __device__ static void merge(State& state, const State& other) {
    const float both = state.x + other.x;
    if (both == 0) return;
    const float distance = other.y - state.y, share = other.x / both;
    state.y = fmaf(distance, share, state.y);
    state.z += fmaf(distance * distance, state.x * share, other.z);
    state.x = both;
  }
  __device__ void finish(int64_t column, const State& state) const {
    write_moments(moments, column, x[column] + state.y, state.z / state.x);
  }
};

// The sums of the way back, and g on the way.
struct GradSumsOp {
  using State = double2;  // of g and of g * h
  template <int W>
  struct Terms {
    float g[W], gh[W];
  };
  template <int W>
  struct Constants {
    float mean[W], scale[W];
  };
  static constexpr int kRows = 4;
  ActivationDerivative derivative;
  const float *dy, *y;
  NormalizeSums sums;
  float* g;
  double share;  // 1 / rows

  __device__ static State begin() { return make_double2(0, 0); }
  template <int W>
  __device__ Constants<W> constants(int64_t column, int64_t columns) const {
    Constants<W> constants;
    load_row(sums.mean, column, columns, constants.mean);
    load_row(sums.scale, column, columns, constants.scale);
    return constants;
  }
  template <int W>
  __device__ Terms<W> load(int64_t i, const Constants<W>& constants) const {
    float dys[W], xs[W], ys[W];
    load_elements(dy, i, dys);
    load_elements(sums.x, i, xs);
    load_elements(y, i, ys);
    Terms<W> terms;
#pragma unroll
    for (int j = 0; j < W; ++j) {
      terms.g[j] = derivative(ys[j]) * dys[j];
      terms.gh[j] = terms.g[j] * ((xs[j] - constants.mean[j]) * constants.scale[j]);
    }
    store_elements(g, i, terms.g);
    return terms;
  }
  template <int W>
  __device__ static void add(State& state, const Terms<W> (&terms)[kRows], int, int j) {
    state.x += sum_tree<kRows>([&](int r) { return terms[r].g[j]; });
    state.y += sum_tree<kRows>([&](int r) { return terms[r].gh[j]; });
  }
  __device__ static void merge(State& state, const State& other) {
    state.x += other.x;
    state.y += other.y;
  }
  __device__ void finish(int64_t column, const State& state) const {
    write_grad_sums(sums, column, state.x, state.y, share);
  }
};

// A thread's elements of dx, from the factors of their columns.
__global__ void __launch_bounds__(kFlatBlock)
    normalize_grad_kernel(int64_t count, bool vector, RepeatedRows rows, const float* g, const float* x,
                          const float* mean, NormalizeFactors factors, float* dx) {
  const FlatRuns runs(count, vector);
  Four out[FlatRuns::kRuns];
#pragma unroll
  for (int k = 0; k < FlatRuns::kRuns; ++k) {
    const Four gs = runs.load(g, k), xs = runs.load(x, k);
    const Four means = rows.load(mean, runs, k, 0), as = rows.load(factors.a, runs, k, 0);
    const Four bs = rows.load(factors.b, runs, k, 0), cs = rows.load(factors.c, runs, k, 0);
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      out[k].v[j] = fmaf(as.v[j], gs.v[j], -fmaf(bs.v[j], xs.v[j] - means.v[j], cs.v[j]));
    }
  }
#pragma unroll
  for (int k = 0; k < FlatRuns::kRuns; ++k) runs.store(dx, k, out[k]);
}

template <bool kDropout>
__global__ void __launch_bounds__(kFlatBlock)
    normalize_kernel(ActivationParams how, int64_t count, bool vector, RepeatedRows rows, const float* x,
                     const float* mean, const float* scale, const float* gamma, const float* beta, float* y) {
  const FlatRuns runs(count, vector, kDropout);
  Four values[FlatRuns::kRuns];
#pragma unroll
  for (int k = 0; k < FlatRuns::kRuns; ++k) {
    const Four in = runs.load(x, k), means = rows.load(mean, runs, k, 0), scales = rows.load(scale, runs, k, 1);
    const Four gammas = rows.load(gamma, runs, k, 1), betas = rows.load(beta, runs, k, 0);
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      values[k].v[j] = fmaf(gammas.v[j], (in.v[j] - means.v[j]) * scales.v[j], betas.v[j]);
    }
  }
  activate_runs<kDropout>(how, runs, values, y);
}

struct InverseDeviation {
  float epsilon;
  __device__ float operator()(float variance) const { return 1 / sqrtf(variance + epsilon); }
};

}  // namespace

void column_moments(Cuda on, int64_t rows, int64_t columns, const Real* x, const ColumnMoments& moments) {
  if (columns == 0) return;
  reduce_columns(on, 1, rows, columns, aligned({x}), MomentsOp{x, moments});
}

void inverse_deviation(Cuda on, int64_t columns, Real epsilon, const Real* variance, Real* scale) {
  map(on, columns, InverseDeviation{epsilon}, variance, scale);
}

void normalize(Cuda on, const Activation& how, int64_t rows, int64_t columns, const Real* x, const Real* mean,
               const Real* scale, const Real* gamma, const Real* beta, Real* y) {
  const int64_t count = rows * columns;
  if (count == 0) return;
  const ActivationParams params(how);
  const RepeatedRows repeated{Divider(columns), columns % 4 == 0 && aligned({mean, scale, gamma, beta})};
  launch_flat(on, count, params.threshold > 0 ? normalize_kernel<true> : normalize_kernel<false>, params, count,
              aligned({x, y}), repeated, x, mean, scale, gamma, beta, y);
}

void normalize_grad_sums(Cuda on, const Activation& how, int64_t rows, int64_t columns, const Real* dy, const Real* y,
                         const NormalizeSums& sums, Real* g) {
  if (columns == 0) return;
  reduce_columns(on, 1, rows, columns, aligned({dy, sums.x, y, g}),
                 GradSumsOp{ActivationDerivative(how), dy, y, sums, g, 1 / double(rows)});
}

void normalize_grad_apply(Cuda on, int64_t rows, int64_t columns, const Real* g, const Real* x, const Real* mean,
                          const NormalizeFactors& factors, Real* dx) {
  const int64_t count = rows * columns;
  if (count == 0) return;
  const RepeatedRows repeated{Divider(columns), columns % 4 == 0 && aligned({mean, factors.a, factors.b, factors.c})};
  launch_flat(on, count, normalize_grad_kernel, count, aligned({g, x, dx}), repeated, g, x, mean, factors, dx);
}

}  // namespace tobogan::kernels
