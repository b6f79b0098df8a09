// Products whose grid would leave most of the GPU idle share their depth among several blocks, the parts of a tile.
// Each leaves its sums in scratch memory, and the last to finish adds them up and goes on with the whole tile: no
// second kernel.  A long list is added in teams first, so that no block reads more than a few parts.  The order of the
// additions is fixed, so the bits do not depend on which block was last.
#pragma once
#include <algorithm>

#include "kernels/cuda/conv_tile.cuh"
#include "kernels/cuda/last_block.cuh"
#include "kernels/cuda/machine.h"

namespace tobogan::kernels {

inline constexpr int kTeam = 8;  // parts that one block adds up

// The depth that one of `parts` blocks sums up, in whole slabs.
struct Share {
  int begin, depth;
  __device__ __forceinline__ Share(int whole, int part, int parts) {
    const int slabs = (whole + kDepth - 1) / kDepth;
    begin = slabs * part / parts * kDepth;
    depth = min(whole, slabs * (part + 1) / parts * kDepth) - begin;
  }
};

// A product as the host sees it: how many tiles, and of how much depth.
struct Product {
  size_t tiles;
  double depth;
};

// In how many parts a product takes the least time, and that time in clocks.  More parts fill the multiprocessors' last
// round of blocks, and cost memory traffic.  A slab takes as long as its products, its bytes through shared memory or
// its bytes from L2; the rates are those of one multiprocessor of an H100, roughly, and only their ratios matter.
struct Parts {
  int count = 1;
  double clocks = 0;
};
template <class Shape>
Parts best_parts(Cuda on, const Product& product) {
  constexpr int kMost = kTeam * kTeam, kFewestSlabs = 4;
  constexpr double kWaiting = 1000, kBytesPerClock = 24, kSharedBytesPerClock = 128;
  constexpr double kTileClocks = Shape::kM * Shape::kN * sizeof(float) / kBytesPerClock;
  constexpr double kProducts = Shape::kM * Shape::kN * kDepth, kSlabBytes = Shape::kStageFloats * sizeof(float);
  constexpr double kReadBytes = kProducts * sizeof(float) * (1.0 / Shape::kWarpM + 1.0 / Shape::kWarpN);
  const double products_per_clock = on.precision == Precision::kFp32 ? 100 : 635;
  const double slabs = product.depth / kDepth;
  const double slab_clocks = std::max(
      {kProducts / products_per_clock, (kSlabBytes + kReadBytes) / kSharedBytesPerClock, kSlabBytes / kBytesPerClock});
  const auto processors = size_t(on.machine->multiprocessors());
  Parts best;
  for (int count = 1; count == 1 || (count <= kMost && count * kFewestSlabs <= slabs); ++count) {
    const int teams = int(ceil_div(size_t(count), kTeam));
    if (count > 1 && product.tiles * size_t(teams + 1) > CudaMachine::kCounters / 2) break;
    double clocks = ceil_div(product.tiles * size_t(count), processors) * slabs / count * slab_clocks;
    if (count > 1) clocks += kWaiting + (1 + std::min(count, kTeam)) * kTileClocks;
    if (teams > 1) clocks += kWaiting + (1 + teams) * kTileClocks;
    if (count == 1 || clocks < best.clocks) best = {count, clocks};
  }
  return best;
}

// Where the parts of a product meet, as a kernel parameter.
struct SplitSums {
  float* sums;         // of each part of each tile, in the order in which its threads hold them
  unsigned* counters;  // a tile's own and one for each of its teams
};

// Calls launch(parts, split sums) with scratch memory for the parts.
template <class Shape, class Launch>
void launch_in_parts(Cuda on, const Product& product, const Launch& launch) {
  const int parts = best_parts<Shape>(on, product).count;
  const CudaScratch<float> sums(*on.pool, parts > 1 ? product.tiles * size_t(parts) * Shape::kM * Shape::kN : 0);
  launch(unsigned(parts), SplitSums{sums.data(), on.machine->counters()});
}

// sums = f(sums, float4 in memory that belongs to it) for all of this thread's sums, where `tile` has a block's.
template <class Shape, class F>
__device__ __forceinline__ void with_sums(Sums<Shape>& sums, float* tile, const F& f) {
  float4* at = reinterpret_cast<float4*>(tile) + threadIdx.x;
#pragma unroll
  for (int i = 0; i < Sums<Shape>::kDown; ++i)
#pragma unroll
    for (int j = 0; j < Sums<Shape>::kAcross; ++j)
#pragma unroll
      for (int half = 0; half < 2; ++half)
#pragma unroll
        for (int four = 0; four < 4; ++four)
          f(sums.d[i][j][half][four], at + (((i * Sums<Shape>::kAcross + j) * 2 + half) * 4 + four) * Shape::kThreads);
}

template <class Shape>
__device__ __forceinline__ void leave_sums(Sums<Shape>& sums, float* tile) {
  with_sums(sums, tile, [](float(&own)[4], float4* at) { *at = make_float4(own[0], own[1], own[2], own[3]); });
}

// sums = the sum of `count` tiles that other blocks have left, `step` tiles apart.
template <class Shape>
__device__ __forceinline__ void add_up(Sums<Shape>& sums, float* tiles, int count, int step) {
  with_sums(sums, tiles, [](float(&own)[4], const float4* at) {
    const float4 first = __ldcg(at);
    own[0] = first.x, own[1] = first.y, own[2] = first.z, own[3] = first.w;
  });
  for (int i = 1; i < count; ++i) {
    with_sums(sums, tiles + i * step * (Shape::kM * Shape::kN), [](float(&own)[4], const float4* at) {
      const float4 more = __ldcg(at);
      own[0] += more.x, own[1] += more.y, own[2] += more.z, own[3] += more.w;
    });
  }
}

// Adds up the parts of a tile.  True for the block that then has the whole sum; the others are done.
template <class Shape>
__device__ __forceinline__ bool join_parts(Sums<Shape>& sums, const SplitSums& split, unsigned tile, int part,
                                           int parts) {
  if (parts == 1) return true;
  constexpr int kTile = Shape::kM * Shape::kN;
  const int teams = (parts + kTeam - 1) / kTeam, team = part / kTeam, first = team * kTeam;
  float* of_tile = split.sums + size_t(tile) * parts * kTile;
  unsigned* counters = split.counters + tile * unsigned(teams + 1);
  const int members = min(kTeam, parts - first);
  leave_sums(sums, of_tile + part * kTile);
  if (!last_block(counters + 1 + team, unsigned(members))) return false;
  add_up(sums, of_tile + first * kTile, members, 1);
  if (teams == 1) return true;
  leave_sums(sums, of_tile + first * kTile);
  if (!last_block(counters, unsigned(teams))) return false;
  add_up(sums, of_tile, teams, kTeam);
  return true;
}

}  // namespace tobogan::kernels
