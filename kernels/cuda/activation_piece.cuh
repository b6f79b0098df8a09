// The activation itself, for a thread's two runs of four elements, shared by activate() and normalize(), and for single
// elements and fours of them, for the epilogues of products.
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
  bool tanh;

  explicit ActivationParams(const Activation& how) : key(how.key), tanh(how.tanh) {
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

// activation(value) for an element with (or without) dropout whose 16-bit uniform is `bits`.
template <bool kDropout>
__device__ __forceinline__ float activate_value(const ActivationParams& how, float value, unsigned bits) {
  const float kept = (value > 0 ? how.above : how.below) * value;
  if constexpr (!kDropout) return how.tanh ? tanhf(value) : kept;
  const float marked = kept == 0 ? 0.0f : kept;  // -0 marks what was dropped
  return bits >= how.threshold ? marked : -0.0f;
}

// activation(value) for element i, and for the elements i .. i + 3 where i is a multiple of 4.
__device__ __forceinline__ float activate_one(const ActivationParams& how, size_t i, float value) {
  if (how.threshold == 0) return activate_value<false>(how, value, 0);
  const PhiloxWords words = random_block(how.key.stream, how.key.draw, *how.key.step, uint64_t(i / 8));
  const uint32_t low = i % 4 < 2 ? words.word[0] : words.word[1], high = i % 4 < 2 ? words.word[2] : words.word[3];
  return activate_value<true>(how, value, ((i % 8 < 4 ? low : high) >> (i % 2 * 16)) & 0xffffu);
}
__device__ __forceinline__ float4 activate_four(const ActivationParams& how, size_t i, float4 v) {
  if (how.threshold == 0) {
    return make_float4(activate_value<false>(how, v.x, 0), activate_value<false>(how, v.y, 0),
                       activate_value<false>(how, v.z, 0), activate_value<false>(how, v.w, 0));
  }
  const PhiloxWords words = random_block(how.key.stream, how.key.draw, *how.key.step, uint64_t(i / 8));
  const bool low = i % 8 < 4;
  const uint32_t first = low ? words.word[0] : words.word[2], second = low ? words.word[1] : words.word[3];
  return make_float4(activate_value<true>(how, v.x, first & 0xffffu), activate_value<true>(how, v.y, first >> 16),
                     activate_value<true>(how, v.z, second & 0xffffu), activate_value<true>(how, v.w, second >> 16));
}

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
      for (int j = 0; j < 4; ++j) out[k].v[j] = activate_value<true>(how, values[k].v[j], bits.at(k, j));
    }
  } else {
#pragma unroll
    for (int k = 0; k < FlatRuns::kRuns; ++k) {
#pragma unroll
      for (int j = 0; j < 4; ++j) out[k].v[j] = activate_value<false>(how, values[k].v[j], 0);
    }
  }
#pragma unroll
  for (int k = 0; k < FlatRuns::kRuns; ++k) runs.store(y, k, out[k]);
}

// The derivative of the activation, from its result.
struct ActivationDerivative {
  float above, below;
  uint32_t dropped;
  bool tanh;

  explicit ActivationDerivative(const Activation& how) {
    const ActivationParams params(how);
    above = params.above;
    below = params.below;
    tanh = params.tanh;
    dropped = params.threshold > 0 ? 0x80000000u : ~0u;  // -0, or a NaN that nobody makes
  }
  __device__ float operator()(float y) const {
    if (tanh) return 1 - y * y;
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
