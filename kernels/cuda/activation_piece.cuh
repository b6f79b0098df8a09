// The activation itself, for a thread's two runs of four elements: shared by activate() and normalize().
#pragma once
#include "kernels/activation.h"
#include "kernels/cuda/divider.cuh"
#include "kernels/cuda/flat.cuh"
#include "kernels/philox.h"

namespace tobogan::kernels {

// The numbers of an activation as a kernel parameter; the step of its random numbers is read by the kernel.
struct ActivationParams {
  RandomKey key;
  unsigned threshold;  // kept where the 16-bit uniform is at least this; 0: no dropout
  float above, below;  // what a kept element is multiplied with

  explicit ActivationParams(const Activation& how) : key(how.key) {
    const int rounded = int(double(how.dropout) * 65536 + 0.5);
    threshold = unsigned(rounded < 65535 ? rounded : 65535);
    above = float(65536.0 / (65536 - int(threshold)));
    below = above * how.slope;
  }
};

// The half-words of both runs, two in a word.  A Philox block has the half-words of two neighbouring lanes' runs: the
// even lane computes the one of their first runs, the odd lane that of their second ones, and they swap.
struct DropoutBits {
  uint32_t word[FlatRuns::kRuns][2];

  // REQUIRES: `runs` of neighbours; the whole warp comes here.
  __device__ DropoutBits(const ActivationParams& how, const FlatRuns& runs) {
    const bool odd = threadIdx.x % 2 != 0;
    const int64_t block = (odd ? runs.at(1) : runs.at(0)) / 8;
    const PhiloxWords own = random_block(how.key.stream, how.key.draw, *how.key.step, uint64_t(block));
    const uint32_t first = __shfl_xor_sync(kFullWarp, odd ? own.word[0] : own.word[2], 1);
    const uint32_t second = __shfl_xor_sync(kFullWarp, odd ? own.word[1] : own.word[3], 1);
    word[0][0] = odd ? first : own.word[0];
    word[0][1] = odd ? second : own.word[1];
    word[1][0] = odd ? own.word[2] : first;
    word[1][1] = odd ? own.word[3] : second;
  }
  __device__ unsigned at(int run, int j) const { return (word[run][j / 2] >> (j % 2 * 16)) & 0xffffu; }
};

// y = activation(values), for both runs.
template <bool kDropout>
__device__ __forceinline__ void activate_runs(const ActivationParams& how, const FlatRuns& runs,
                                              const Four (&values)[FlatRuns::kRuns], float* y) {
  Four out[FlatRuns::kRuns];
  if constexpr (kDropout) {
    const DropoutBits bits(how, runs);
#pragma unroll
    for (int k = 0; k < FlatRuns::kRuns; ++k) {
#pragma unroll
      for (int j = 0; j < 4; ++j) {
        const float v = values[k].v[j], kept = (v > 0 ? how.above : how.below) * v;
        const float marked = kept == 0 ? 0.0f : kept;  // -0 marks what was dropped
        out[k].v[j] = bits.at(k, j) >= how.threshold ? marked : -0.0f;
      }
    }
  } else {
#pragma unroll
    for (int k = 0; k < FlatRuns::kRuns; ++k) {
#pragma unroll
      for (int j = 0; j < 4; ++j) out[k].v[j] = values[k].v[j] > 0 ? values[k].v[j] : how.below * values[k].v[j];
    }
  }
#pragma unroll
  for (int k = 0; k < FlatRuns::kRuns; ++k) runs.store(y, k, out[k]);
}

// The derivative of the activation, from its result.
struct ActivationDerivative {
  float above, below;
  uint32_t dropped;

  explicit ActivationDerivative(const Activation& how) {
    const ActivationParams params(how);
    above = params.above;
    below = params.below;
    dropped = params.threshold > 0 ? 0x80000000u : ~0u;  // -0, or a NaN that nobody makes
  }
  __device__ float operator()(float y) const {
    const float kept = y > 0 ? above : below;
    return __float_as_uint(y) == dropped ? 0.0f : kept;
  }
};

// A row of parameters as the elements of a (rows x columns) matrix see it.
struct RepeatedRows {
  Divider columns;
  bool vector;  // four neighbours of a run are a float4 of every row

  // The row's values for a run; `value` where row is null.
  __device__ Four load(const float* row, const FlatRuns& runs, int run, float value) const {
    Four four{{value, value, value, value}};
    if (row == nullptr) return four;
    if (vector && runs.whole(run)) return load_vector_four(row + columns.remainder(runs.at(run)));
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      if (runs.has(run, j)) four.v[j] = row[columns.remainder(runs.at(run, j))];
    }
    return four;
  }
};

}  // namespace tobogan::kernels
