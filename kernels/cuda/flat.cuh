// Flat loops over arrays: how elements are shared out among threads, and loaded and stored four at a time.
//
// A warp owns 256 consecutive elements in two runs of 128, and a lane four elements of each run: neighbours where
// float4 can be used, else every 32nd, so that a warp's loads and stores are one stretch of memory either way.  The
// loads of both runs are under way at the same time.
#pragma once
#include <initializer_list>

#include "kernels/cuda/device.cuh"
#include "kernels/device.h"

namespace tobogan::kernels {

struct Four {
  float v[4];
};

inline constexpr int kFlatBlock = 128;
inline constexpr int kFlatTile = kFlatBlock * 8;  // elements of a block

// Whether float4 may be loaded from all of these.
inline bool aligned(std::initializer_list<const void*> pointers) {
  uintptr_t bits = 0;
  for (const void* p : pointers) bits |= reinterpret_cast<uintptr_t>(p);
  return bits % 16 == 0;
}

__device__ __forceinline__ Four load_vector_four(const float* p) {
  const float4 loaded = load_vector<float4>(p);
  return {{loaded.x, loaded.y, loaded.z, loaded.w}};
}
__device__ __forceinline__ void store_vector_four(float* p, const Four& four) {
  const float4 stored = make_float4(four.v[0], four.v[1], four.v[2], four.v[3]);
  store_vector(p, stored);
}

// A thread's elements in a grid of kFlatBlock threads.
class FlatRuns {
 public:
  static constexpr int kRuns = 2;

  // vector: pointers are aligned.  neighbours: a lane's elements of a run are to be neighbours even so.
  __device__ FlatRuns(int64_t count, bool vector, bool neighbours = false)
      : first_(int64_t{blockIdx.x} * kFlatTile + threadIdx.x / 32 * 256 +
               threadIdx.x % 32 * (vector || neighbours ? 4 : 1)),
        count_(count),
        step_(vector || neighbours ? 1 : 32),
        vector_(vector) {}

  // Where element j of a run lies, and whether it exists.
  __device__ int64_t at(int run, int j = 0) const { return first_ + 128 * run + step_ * j; }
  __device__ bool has(int run, int j) const { return at(run, j) < count_; }
  // Whether the run is one float4.
  __device__ bool whole(int run) const { return vector_ && at(run) + 4 <= count_; }

  __device__ Four load(const float* p, int run) const {
    if (whole(run)) return load_vector_four(p + at(run));
    Four four{};
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      if (has(run, j)) four.v[j] = p[at(run, j)];
    }
    return four;
  }
  __device__ void store(float* p, int run, const Four& four) const {
    if (whole(run)) return store_vector_four(p + at(run), four);
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      if (has(run, j)) p[at(run, j)] = four.v[j];
    }
  }

 private:
  int64_t first_, count_;
  int step_;
  bool vector_;
};

// Launches a kernel that works on FlatRuns over `count` elements; nothing where there are none.
template <class... Params, class... Args>
void launch_flat(Cuda on, int64_t count, void (*kernel)(Params...), Args... args) {
  if (count == 0) return;
  Launch<kFlatBlock>{.grid = ceil_div(size_t(count), kFlatTile), .stream = on.stream}(kernel, args...);
}

// y[i] = f(x[i]).  y may be x.
template <class F>
__global__ void __launch_bounds__(kFlatBlock) map_kernel(F f, int64_t count, bool vector, const float* x, float* y) {
  const FlatRuns runs(count, vector);
  Four in[FlatRuns::kRuns];
#pragma unroll
  for (int k = 0; k < FlatRuns::kRuns; ++k) in[k] = runs.load(x, k);
#pragma unroll
  for (int k = 0; k < FlatRuns::kRuns; ++k) {
    Four out;
#pragma unroll
    for (int j = 0; j < 4; ++j) out.v[j] = f(in[k].v[j]);
    runs.store(y, k, out);
  }
}
template <class F>
void map(Cuda on, int64_t count, const F& f, const float* x, float* y) {
  launch_flat(on, count, map_kernel<F>, f, count, aligned({x, y}), x, y);
}

// y[i] = f(a[i], b[i]).  y may be a or b.
template <class F>
__global__ void __launch_bounds__(kFlatBlock)
    zip_kernel(F f, int64_t count, bool vector, const float* a, const float* b, float* y) {
  const FlatRuns runs(count, vector);
  Four first[FlatRuns::kRuns], second[FlatRuns::kRuns];
#pragma unroll
  for (int k = 0; k < FlatRuns::kRuns; ++k) {
    first[k] = runs.load(a, k);
    second[k] = runs.load(b, k);
  }
#pragma unroll
  for (int k = 0; k < FlatRuns::kRuns; ++k) {
    Four out;
#pragma unroll
    for (int j = 0; j < 4; ++j) out.v[j] = f(first[k].v[j], second[k].v[j]);
    runs.store(y, k, out);
  }
}
template <class F>
void zip(Cuda on, int64_t count, const F& f, const float* a, const float* b, float* y) {
  launch_flat(on, count, zip_kernel<F>, f, count, aligned({a, b, y}), a, b, y);
}

}  // namespace tobogan::kernels
