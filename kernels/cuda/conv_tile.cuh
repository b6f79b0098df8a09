// The heart of the convolutions: a block multiplies an operand a (kM rows) with an operand b (kN columns) along a depth
// that comes in slabs of 32, by cp.async through a ring of stages in shared memory.
//
// What the depth is, the loads know (conv_load.cuh).  Each operand lies in one of two layouts, after what is contiguous
// in global memory: Deep (a lane's depth) or Flat (the lanes of a step of depth); "lanes" are a's rows or b's columns.
// Both are read in patches of 4 lanes x 4 steps, four 16-byte loads without bank conflicts, and the same patches feed
// FFMA, TF32 and bf16: a sum does not care which steps of depth an instruction takes together, so lane (group, quad)
// of a warp takes the steps 4 quad .. 4 quad + 3 where the instruction's fragment wants quad, quad + 4 and the like.
// In memory everything is fp32; factors are rounded to TF32 or bf16 on their way from shared memory into registers.
//
// Results of a thread: of each 32 x 32 results of its warp the rows 4 g .. 4 g + 3 and the columns 4 quad .. 4 quad + 3
// and 16 more, where g runs over the groups so that two neighbouring groups are 16 apart.
#pragma once
#include "kernels/cuda/ptx.cuh"
#include "kernels/device.h"

namespace tobogan::kernels {

inline constexpr int kDepth = 32;  // of a slab

// Results of a block and of a warp, stages of the ring, blocks that must fit a multiprocessor at a time.
template <int kM_, int kN_, int kWarpM_, int kWarpN_, int kStages_, int kBlocks_>
struct TileShape {
  static constexpr int kM = kM_, kN = kN_, kWarpM = kWarpM_, kWarpN = kWarpN_, kStages = kStages_, kBlocks = kBlocks_;
  static constexpr int kThreads = 32 * (kM / kWarpM) * (kN / kWarpN);
  static constexpr int kStageFloats = (kM + kN) * kDepth;
  static constexpr size_t kSharedBytes = sizeof(float) * kStages * kStageFloats;
  static_assert(kM % kWarpM == 0 && kN % kWarpN == 0 && kWarpM % 32 == 0 && kWarpN % 32 == 0);
};

// Where lane r at depth k of a slab lies.  Chunks of 16 bytes change places so that what is read together is in
// different banks.  Bits, not quotients: so the compiler sees which of them a thread's next place shares with its last.
template <int kLanes>
struct Deep {
  static constexpr bool kDeep = true;
  static __device__ __forceinline__ int at(int r, int k) {
    return r * kDepth + ((k >> 2) ^ (r >> 2 & 7)) * 4 + (k & 3);
  }
};
template <int kLanes>
struct Flat {
  static constexpr bool kDeep = false;
  static __device__ __forceinline__ int at(int r, int k) {
    return k * kLanes + ((r >> 2) ^ (k >> 2 & 3)) * 4 + (r & 3);
  }
};

// patch[i][j] is lane r + i at depth k + j.  REQUIRES: r and k are multiples of 4.
template <class Layout>
__device__ __forceinline__ void load_patch(float (&patch)[4][4], const float* operand, int r, int k) {
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    const float4 v = load_vector<float4>(operand + (Layout::kDeep ? Layout::at(r + i, k) : Layout::at(r, k + i)));
    const float values[4] = {v.x, v.y, v.z, v.w};
#pragma unroll
    for (int j = 0; j < 4; ++j) (Layout::kDeep ? patch[i][j] : patch[j][i]) = values[j];
  }
}

// What a thread sums up: of each 32 x 32 results the row `row` (of 4) and the column `column` (of 4) in the left or
// right half, at the place where mma.sync wants it.
template <class Shape>
struct Sums {
  static constexpr int kDown = Shape::kWarpM / 32, kAcross = Shape::kWarpN / 32;
  float d[kDown][kAcross][2][4][4] = {};
  __device__ __forceinline__ float& at(int down, int across, int row, int half, int column) {
    return d[down][across][row / 2][column][row % 2 * 2 + half];
  }
};

// Where this thread's results are in the block's.
template <class Shape>
struct Seat {
  int quad, row, column;  // of the warp's first result, but for `row`: of the first of 4 rows
  __device__ __forceinline__ Seat() {
    const int lane = int(threadIdx.x) % 32, warp = int(threadIdx.x) / 32, group = lane / 4;
    constexpr int kAcross = Shape::kN / Shape::kWarpN;
    quad = lane % 4;
    row = warp / kAcross * Shape::kWarpM + 4 * (group / 2 + group % 2 * 4);
    column = warp % kAcross * Shape::kWarpN;
  }
  // The lane of b that this thread loads for the tensor cores.
  __device__ __forceinline__ int lane_of_b() const { return column + (row & 31); }
};

template <Precision kPrecision>
__device__ __forceinline__ void round_patch(uint32_t (&words)[4][4], const float (&patch)[4][4]) {
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    if constexpr (kPrecision == Precision::kTf32) {
#pragma unroll
      for (int j = 0; j < 4; ++j) words[i][j] = ptx::to_tf32(patch[i][j]);
    } else {
#pragma unroll
      for (int j = 0; j < 2; ++j) words[i][j] = ptx::pack_bf16(patch[i][2 * j], patch[i][2 * j + 1]);
    }
  }
}

// d += a b for 32 x 32 results and 16 steps of depth, four patches wide and high.
template <Precision kPrecision>
__device__ __forceinline__ void tensor_product(float (&d)[2][4][4], const uint32_t (&a)[4][4],
                                               const uint32_t (&b)[4][4]) {
#pragma unroll
  for (int i = 0; i < 2; ++i)
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      constexpr int kSteps = kPrecision == Precision::kTf32 ? 2 : 1;
#pragma unroll
      for (int s = 0; s < kSteps; ++s) {
        const uint32_t fa[4] = {a[2 * i][2 * s], a[2 * i + 1][2 * s], a[2 * i][2 * s + 1], a[2 * i + 1][2 * s + 1]};
        const uint32_t fb[2] = {b[j][2 * s], b[j][2 * s + 1]};
        if constexpr (kPrecision == Precision::kTf32) {
          ptx::mma_m16n8k8_tf32(d[i][j], fa, fb);
        } else {
          ptx::mma_m16n8k16_bf16(d[i][j], fa, fb);
        }
      }
    }
}

// One slab of which the first `depth` steps count; the others are zero.
template <Precision kPrecision, class Shape, class LayoutA, class LayoutB>
__device__ __forceinline__ void multiply_slab(Sums<Shape>& sums, const Seat<Shape>& seat, const float* stage,
                                              int depth) {
  const float *a = stage, *b = stage + Shape::kM * kDepth;
  constexpr int kDown = Sums<Shape>::kDown, kAcross = Sums<Shape>::kAcross;
  float patch[4][4];
  if constexpr (kPrecision != Precision::kFp32) {
#pragma unroll
    for (int k = 0; k < kDepth; k += 16) {
      if (k >= depth) break;
      uint32_t fa[kDown][4][4], fb[kAcross][4][4];
#pragma unroll
      for (int i = 0; i < kDown; ++i) {
        load_patch<LayoutA>(patch, a, seat.row + 32 * i, k + 4 * seat.quad);
        round_patch<kPrecision>(fa[i], patch);
      }
#pragma unroll
      for (int j = 0; j < kAcross; ++j) {
        load_patch<LayoutB>(patch, b, seat.lane_of_b() + 32 * j, k + 4 * seat.quad);
        round_patch<kPrecision>(fb[j], patch);
      }
#pragma unroll
      for (int i = 0; i < kDown; ++i)
#pragma unroll
        for (int j = 0; j < kAcross; ++j) tensor_product<kPrecision>(sums.d[i][j], fa[i], fb[j]);
    }
  } else {
    for (int k = 0; k < depth; k += 4) {
      float fa[kDown][4][4];
#pragma unroll
      for (int i = 0; i < kDown; ++i) load_patch<LayoutA>(fa[i], a, seat.row + 32 * i, k);
#pragma unroll
      for (int j = 0; j < 2 * kAcross; ++j) {
        load_patch<LayoutB>(patch, b, seat.column + 16 * j + 4 * seat.quad, k);
#pragma unroll
        for (int step = 0; step < 4; ++step)
#pragma unroll
          for (int row = 0; row < 4 * kDown; ++row)
#pragma unroll
            for (int column = 0; column < 4; ++column) {
              float& sum = sums.at(row / 4, j / 2, row % 4, j % 2, column);
              sum = fmaf(fa[row / 4][row % 4][step], patch[column][step], sum);
            }
      }
    }
  }
}

// sums = a b over `depth` steps.  load_a(operand) and load_b(operand) start the copies of the next slab.
template <Precision kPrecision, class Shape, class LoadA, class LoadB>
__device__ __forceinline__ void multiply(Sums<Shape>& sums, const Seat<Shape>& seat, LoadA& load_a, LoadB& load_b,
                                         int depth) {
  DYN_SMEM(float, stages);
  const int slabs = (depth + kDepth - 1) / kDepth;
  const auto load = [&](int slab) {
    if (slab < slabs) {
      float* stage = stages + slab % Shape::kStages * Shape::kStageFloats;
      load_a(stage);
      load_b(stage + Shape::kM * kDepth);
    }
    ptx::cp_async_commit();  // an empty group keeps the count of groups right
  };
  for (int slab = 0; slab < Shape::kStages - 1; ++slab) load(slab);
  for (int slab = 0; slab < slabs; ++slab) {
    ptx::cp_async_wait<Shape::kStages - 2>();
    __syncthreads();  // this slab is here, and everybody is done with the one before, whose place is taken next
    load(slab + Shape::kStages - 1);
    multiply_slab<kPrecision, Shape, typename LoadA::Layout, typename LoadB::Layout>(
        sums, seat, stages + slab % Shape::kStages * Shape::kStageFloats, min(kDepth, depth - slab * kDepth));
  }
}

// Calls store(row, column, values) for this thread's results, four neighbouring columns at a time, or four neighbouring
// rows (store_columns); row and column are the block's.
template <class Shape, class Store>
__device__ __forceinline__ void store_rows(Sums<Shape>& sums, const Seat<Shape>& seat, const Store& store) {
#pragma unroll
  for (int i = 0; i < Sums<Shape>::kDown; ++i)
#pragma unroll
    for (int row = 0; row < 4; ++row)
#pragma unroll
      for (int j = 0; j < Sums<Shape>::kAcross; ++j)
#pragma unroll
        for (int half = 0; half < 2; ++half) {
          const float4 values = make_float4(sums.at(i, j, row, half, 0), sums.at(i, j, row, half, 1),
                                            sums.at(i, j, row, half, 2), sums.at(i, j, row, half, 3));
          store(seat.row + 32 * i + row, seat.column + 32 * j + 16 * half + 4 * seat.quad, values);
        }
}
template <class Shape, class Store>
__device__ __forceinline__ void store_columns(Sums<Shape>& sums, const Seat<Shape>& seat, const Store& store) {
#pragma unroll
  for (int i = 0; i < Sums<Shape>::kDown; ++i)
#pragma unroll
    for (int j = 0; j < Sums<Shape>::kAcross; ++j)
#pragma unroll
      for (int half = 0; half < 2; ++half)
#pragma unroll
        for (int column = 0; column < 4; ++column) {
          const float4 values = make_float4(sums.at(i, j, 0, half, column), sums.at(i, j, 1, half, column),
                                            sums.at(i, j, 2, half, column), sums.at(i, j, 3, half, column));
          store(seat.row + 32 * i, seat.column + 32 * j + 16 * half + 4 * seat.quad + column, values);
        }
}

// A block's results in shared memory, where the stages were, for what is to be done with them row by row: written out
// for the sums in a thread's registers it would be tens of thousands of instructions.
template <class Shape>
class SharedTile {
 public:
  static constexpr int kFours = Shape::kN / 4, kGroups = Shape::kThreads / kFours;
  static_assert(Shape::kM * Shape::kN <= Shape::kStages * Shape::kStageFloats && Shape::kThreads % kFours == 0);
  // A thread has the four columns 4 * four of every kGroups-th row from `group` on.
  const int four = int(threadIdx.x) % kFours, group = int(threadIdx.x) / kFours;

  // All threads of a block come here.
  __device__ __forceinline__ SharedTile(Sums<Shape>& sums, const Seat<Shape>& seat) {
    DYN_SMEM(float, tile);
    __syncthreads();  // the stages have been read
    store_rows(sums, seat,
               [&](int row, int column, float4 values) { store_vector(tile + at(row, column / 4), values); });
    __syncthreads();
  }
  __device__ __forceinline__ float4 row(int row) const {
    DYN_SMEM(float, tile);
    return load_vector<float4>(tile + at(row, four));
  }

 private:
  // Rows that are 16 apart are written together: one of them to the other banks.
  static __device__ __forceinline__ int at(int row, int four) {
    return row * Shape::kN + (four ^ (row >> 4 & 1) << 2) * 4;
  }
};

// Four neighbours to `to`, of which `count` exist; `vector`: all rows are multiples of 16 bytes.
__device__ __forceinline__ void store_four(float* to, float4 values, int count, bool vector) {
  if (vector && count >= 4) {
    store_vector(to, values);
  } else {
    if (count > 0) to[0] = values.x;
    if (count > 1) to[1] = values.y;
    if (count > 2) to[2] = values.z;
    if (count > 3) to[3] = values.w;
  }
}

}  // namespace tobogan::kernels
