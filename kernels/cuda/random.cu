// Random numbers: a thread computes one Philox block, which is one float4 of results.
#include <cmath>

#include "kernels/cuda/flat.cuh"
#include "kernels/philox.h"
#include "kernels/random.h"

namespace tobogan::kernels {
namespace {

struct Uniform {
  float low, high, width, below;
  using Result = float;
  __device__ void operator()(const PhiloxWords& words, float (&out)[4]) const {
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      const float value = fmaf(width, uniform_from(words.word[j]), low);
      out[j] = value < high ? value : below;
    }
  }
};

// Sine and cosine of `turn` / 2^32 of a full circle.  The quadrant comes from the integer, exactly.
__device__ __forceinline__ void sine_cosine(uint32_t turn, float* sine, float* cosine) {
  const uint32_t quadrant = (turn + 0x20000000u) >> 30;
  float s, c;
  sincospif(float(int32_t(turn - (quadrant << 30))) * 0x1p-31f, &s, &c);
  const bool swapped = (quadrant & 1) != 0;
  const float a = swapped ? c : s, b = swapped ? s : c;
  *sine = (quadrant & 2) != 0 ? -a : a;
  *cosine = ((quadrant + 1) & 2) != 0 ? -b : b;
}

struct Normal {
  float mean, deviation;
  using Result = float;
  __device__ void operator()(const PhiloxWords& words, float (&out)[4]) const {
#pragma unroll
    for (int j = 0; j < 4; j += 2) {  // Box & Muller 1958
      const float uniform = fmaf(float(words.word[j]), 0x1p-32f, 0x1p-33f);
      const float radius = deviation * sqrtf(-2 * logf(uniform));
      float sine, cosine;
      sine_cosine(words.word[j + 1], &sine, &cosine);
      out[j] = fmaf(radius, cosine, mean);
      out[j + 1] = fmaf(radius, sine, mean);
    }
  }
};

struct Integers {
  uint32_t bound;
  using Result = int32_t;
  __device__ void operator()(const PhiloxWords& words, int32_t (&out)[4]) const {
#pragma unroll
    for (int j = 0; j < 4; ++j) out[j] = int32_t(__umulhi(words.word[j], bound));
  }
};

__device__ __forceinline__ void store_run(float* y, const float (&out)[4]) {
  store_vector_four(y, {{out[0], out[1], out[2], out[3]}});
}
__device__ __forceinline__ void store_run(int32_t* y, const int32_t (&out)[4]) {
  const int4 stored = make_int4(out[0], out[1], out[2], out[3]);
  store_vector(y, stored);
}

constexpr int kBlock = 128;

template <class Draw>
__global__ void __launch_bounds__(kBlock)
    random_kernel(Draw draw, RandomKey key, int64_t count, bool vector, typename Draw::Result* y) {
  const int64_t block = int64_t{blockIdx.x} * kBlock + threadIdx.x, i = 4 * block;
  if (i >= count) return;
  typename Draw::Result out[4];
  draw(random_block(key.stream, key.draw, *key.step, uint64_t(block)), out);
  if (vector && i + 4 <= count) {
    store_run(y + i, out);
  } else {
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      if (i + j < count) y[i + j] = out[j];
    }
  }
}

template <class Draw>
void draw(Cuda on, const Draw& draw, const RandomKey& key, int64_t count, typename Draw::Result* y) {
  if (count == 0) return;
  Launch<kBlock>{.grid = ceil_div(size_t(count), 4 * kBlock), .stream = on.stream}(random_kernel<Draw>, draw, key,
                                                                                   count, aligned({y}), y);
}

__global__ void __launch_bounds__(kBlock)
    permuted_indices_kernel(uint64_t stream, uint32_t size, const uint64_t* cursor, int64_t count, int32_t* index) {
  const int64_t i = int64_t{blockIdx.x} * kBlock + threadIdx.x;
  if (i >= count) return;
  const uint64_t epoch = *cursor / size, first = *cursor % size;
  index[i] = int32_t(permute_index(stream, epoch, size, uint32_t(first) + uint32_t(i)));
}

__global__ void __launch_bounds__(32) advance_kernel(uint64_t by, uint64_t* counter) {
  if (threadIdx.x == 0) *counter += by;
}

}  // namespace

void uniform(Cuda on, const RandomKey& key, int64_t count, Real low, Real high, Real* y) {
  draw(on, Uniform{low, high, high - low, std::nextafter(high, low)}, key, count, y);
}

void normal(Cuda on, const RandomKey& key, int64_t count, Real mean, Real deviation, Real* y) {
  draw(on, Normal{mean, deviation}, key, count, y);
}

void random_integers(Cuda on, const RandomKey& key, int64_t count, int32_t bound, int32_t* index) {
  draw(on, Integers{uint32_t(bound)}, key, count, index);
}

void permuted_indices(Cuda on, uint64_t stream, int32_t size, const uint64_t* cursor, int64_t count, int32_t* index) {
  if (count == 0) return;
  Launch<kBlock>{.grid = ceil_div(size_t(count), kBlock), .stream = on.stream}(permuted_indices_kernel, stream,
                                                                               uint32_t(size), cursor, count, index);
}

void advance(Cuda on, uint64_t by, uint64_t* counter) {
  Launch<32>{.grid = 1, .stream = on.stream}(advance_kernel, by, counter);
}

}  // namespace tobogan::kernels
