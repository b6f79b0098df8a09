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

// A product as the host sees it: how many tiles, of how much depth, and how many results they are together.
struct Product {
  size_t tiles;
  double depth;
  size_t results;
};

// In how many parts a product takes the least time, and that time in clocks.  More parts fill the multiprocessors' last
// round of blocks, and cost memory traffic and another kernel.  A slab takes as long as its products or its bytes from
// L2; the rates are those of an H100, roughly, and only their ratios matter.
struct Parts {
  int count = 1;
  double clocks = 0;
};
template <class Shape>
Parts best_parts(Cuda on, const Product& product) {
  constexpr int kMost = 64, kFewestSlabs = 4;
  constexpr double kSecondPass = 2500, kBytesPerClock = 24;  // of one multiprocessor
  const double products_per_clock = on.precision == Precision::kFp32 ? 100 : 500;
  const double slabs = product.depth / kDepth;
  const double slab_clocks = std::max(Shape::kM * Shape::kN * kDepth / products_per_clock,
                                      (Shape::kM + Shape::kN) * kDepth * sizeof(float) / kBytesPerClock);
  const auto processors = size_t(on.machine->multiprocessors());
  Parts best;
  for (int count = 1; count == 1 || (count <= kMost && count * kFewestSlabs <= slabs); ++count) {
    double clocks = ceil_div(product.tiles * size_t(count), processors) * slabs / count * slab_clocks;
    if (count > 1)
      clocks +=
          kSecondPass + 2.0 * sizeof(float) * double(product.results) * count / kBytesPerClock / double(processors);
    if (count == 1 || clocks < best.clocks) best = {count, clocks};
  }
  return best;
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
