// Products whose grid would leave most of the GPU idle share their depth among several blocks: each writes its part of
// the sum to memory of its own, and a second kernel adds the parts in their order, so that the bits do not depend on
// which block was first.
#pragma once
#include <algorithm>

#include "kernels/cuda/conv_tile.cuh"
#include "kernels/cuda/machine.h"

namespace tobogan::kernels {

// The depth that one of `parts` blocks sums up, in whole slabs.
struct Share {
  int begin, depth;
  __device__ __forceinline__ Share(int whole, int part, int parts) {
    const int slabs = (whole + kDepth - 1) / kDepth;
    begin = slabs * part / parts * kDepth;
    depth = min(whole, slabs * (part + 1) / parts * kDepth) - begin;
  }
};

// How many parts: enough for two blocks on every multiprocessor, but none shorter than 8 slabs.
inline int parts_of(Cuda on, size_t blocks, int depth) {
  const auto wanted = int(ceil_div(2 * size_t(on.machine->multiprocessors()), std::max<size_t>(1, blocks)));
  return std::clamp(std::min(wanted, depth / (8 * kDepth)), 1, 16);
}

// to[i] = the sum of parts[p * size + i] over p.
void add_parts(Cuda on, size_t size, int parts, const float* from, float* to);

// Runs make(result, part_size, parts), where result holds part_size numbers for each part, and adds the parts up.
template <class Make>
void make_in_parts(Cuda on, size_t size, int parts, float* result, const Make& make) {
  if (parts == 1) return make(result, size, 1);
  const CudaScratch<float> scratch(*on.pool, size * size_t(parts));
  make(scratch.data(), size, parts);
  add_parts(on, size, parts, scratch.data(), result);
}

}  // namespace tobogan::kernels
