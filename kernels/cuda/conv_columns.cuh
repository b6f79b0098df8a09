// What the tiles of a product tell about their columns while they have them in registers: sums, moments, or the sums of
// the way back of a normalisation.  Each tile leaves what its rows say; the last one of a block of columns merges, in
// teams as the parts of split products do (conv_split.cuh), and in a fixed order.
#pragma once
#include "kernels/conv.h"
#include "kernels/cuda/column_results.cuh"
#include "kernels/cuda/conv_split.cuh"

namespace tobogan::kernels {

// As a kernel parameter.
struct TileStatistics {
  enum class Kind { kNone, kSums, kMoments, kNormal };
  Kind kind = Kind::kNone;
  float4* parts =
      nullptr;  // of [tile row][column]: two sums, or how many, their mean and their squared distances from it
  unsigned* counters = nullptr;  // of a block of columns and of its teams
  int tile_rows = 0;
  double share = 0;  // 1 / rows
  float* sums = nullptr;
  ColumnMoments moments{};
  NormalizeSums normal{};
};

inline constexpr int kTileTeam = 16;  // tiles that one block merges

// What a thread knows about its columns: of each of 32 columns of its warp four in the left and four in the right half.
template <class Shape>
class ColumnParts {
 public:
  static constexpr int kAcross = Sums<Shape>::kAcross;
  float first[kAcross][2][4] = {}, second[kAcross][2][4] = {};
  float origin[kAcross][2]
              [4];  // moments are those of distances from the warp's first row: no digits lost far from zero

  __device__ __forceinline__ ColumnParts(TileStatistics::Kind kind, Sums<Shape>& sums) {
    if (kind != TileStatistics::Kind::kMoments) return;
#pragma unroll
    for (int j = 0; j < kAcross; ++j)
#pragma unroll
      for (int half = 0; half < 2; ++half)
#pragma unroll
        for (int c = 0; c < 4; ++c)
          origin[j][half][c] = __shfl_sync(kFullWarp, sums.at(0, j, 0, half, c), int(threadIdx.x) % 4);
  }

  // Four neighbouring results of a row of which `count` exist, element `at` of the images, column n; `vector`: all rows
  // of columns are multiples of 4.
  __device__ __forceinline__ void add(const TileStatistics& s, int j, int half, float4 four, size_t at, int n,
                                      int count, bool vector) {
    const float values[4] = {four.x, four.y, four.z, four.w};
    float normals[4] = {};
    if (s.kind == TileStatistics::Kind::kNormal) normalize(s.normal, at, n, count, vector, normals);
#pragma unroll
    for (int c = 0; c < 4; ++c) {
      if (c >= count) break;
      if (s.kind == TileStatistics::Kind::kMoments) {
        const float distance = values[c] - origin[j][half][c];
        first[j][half][c] += distance;
        second[j][half][c] = fmaf(distance, distance, second[j][half][c]);
      } else {
        first[j][half][c] += values[c];
        second[j][half][c] = fmaf(values[c], normals[c], second[j][half][c]);
      }
    }
  }

 private:
  static __device__ __forceinline__ void normalize(const NormalizeSums& s, size_t at, int n, int count, bool vector,
                                                   float (&normals)[4]) {
    if (vector) {
      const float4 x = load_vector<float4>(s.x + at), mean = load_vector<float4>(s.mean + n);
      const float4 scale = load_vector<float4>(s.scale + n);
      normals[0] = (x.x - mean.x) * scale.x, normals[1] = (x.y - mean.y) * scale.y;
      normals[2] = (x.z - mean.z) * scale.z, normals[3] = (x.w - mean.w) * scale.w;
      return;
    }
#pragma unroll
    for (int c = 0; c < 4; ++c) {
      if (c < count) normals[c] = (s.x[at + c] - s.mean[n + c]) * s.scale[n + c];
    }
  }
};

// Adds what other rows say about the same columns.
__device__ __forceinline__ void merge_columns(TileStatistics::Kind kind, float4& state, const float4& other) {
  if (kind != TileStatistics::Kind::kMoments) {
    state.x += other.x;
    state.y += other.y;
    return;
  }
  const float both = state.x + other.x;  // Chan, Golub & LeVeque 1983
  if (both == 0) return;
  const float distance = other.y - state.y, share = other.x / both;
  state.y = fmaf(distance, share, state.y);
  state.z += fmaf(distance * distance, state.x * share, other.z);
  state.x = both;
}

// What the `rows` first rows of this warp's say about one column, in all lanes of the column.
template <class Shape>
__device__ __forceinline__ float4 warp_columns(const ColumnParts<Shape>& parts, TileStatistics::Kind kind, int j,
                                               int half, int c, int rows) {
  float first = parts.first[j][half][c], second = parts.second[j][half][c];
#pragma unroll
  for (int step = 4; step < 32; step *= 2) {
    first += __shfl_xor_sync(kFullWarp, first, step);
    second += __shfl_xor_sync(kFullWarp, second, step);
  }
  if (kind != TileStatistics::Kind::kMoments) return make_float4(first, second, 0, 0);
  if (rows <= 0) return make_float4(0, 0, 0, 0);
  const float center = first / float(rows);
  return make_float4(float(rows), parts.origin[j][half][c] + center, fmaxf(0, fmaf(-first, center, second)), 0);
}

__device__ __forceinline__ void finish_column(const TileStatistics& s, int column, const float4& state) {
  switch (s.kind) {
    case TileStatistics::Kind::kSums:
      s.sums[column] = state.x;
      break;
    case TileStatistics::Kind::kMoments:
      write_moments(s.moments, column, state.y, state.z / state.x);
      break;
    case TileStatistics::Kind::kNormal:
      write_grad_sums(s.normal, column, double(state.x), double(state.y), s.share);
      break;
    case TileStatistics::Kind::kNone:
      break;
  }
}

// Merges `count` parts, `step` rows of parts apart.
__device__ __forceinline__ float4 merge_parts(TileStatistics::Kind kind, const float4* from, int count, size_t step) {
  float4 state = make_float4(0, 0, 0, 0);
#pragma unroll 8
  for (int i = 0; i < count; ++i) merge_columns(kind, state, __ldcg(from + size_t(i) * step));
  return state;
}

// All threads of a block come here with their columns; `rows`: how many rows of the tile exist; tile: its row of tiles.
template <class Shape>
__device__ __forceinline__ void tell_columns(const TileStatistics& s, const ColumnParts<Shape>& parts,
                                             const Seat<Shape>& seat, int rows, int tile, int column_block,
                                             int columns) {
  constexpr int kWarpsDown = Shape::kM / Shape::kWarpM;
  DYN_SMEM(float4, of_warps);  // of [warp row][column of the tile], where the stages were
  __syncthreads();
  const int lane = int(threadIdx.x) % 32, warp_down = int(threadIdx.x) / 32 / (Shape::kN / Shape::kWarpN);
  const int rows_of_warp = max(0, min(Shape::kWarpM, rows - warp_down * Shape::kWarpM));
  // Of a column's eight lanes one writes, so that eight neighbouring lanes write to different banks.
  const int own = (lane / 4 + seat.quad / 2 * 2) % 4;
#pragma unroll
  for (int j = 0; j < ColumnParts<Shape>::kAcross; ++j)
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      float4 state{};
#pragma unroll
      for (int c = 0; c < 4; ++c) {
        const float4 of_column = warp_columns(parts, s.kind, j, half, c, rows_of_warp);
        if (c == own) state = of_column;
      }
      float4* to = of_warps + warp_down * Shape::kN + seat.column + 32 * j + 16 * half + 4 * seat.quad + own;
      if (lane < 16) store_vector(to, state);
    }
  __syncthreads();
  static_assert(Shape::kThreads >= Shape::kN);
  const int column = column_block * Shape::kN + int(threadIdx.x);
  const bool mine = threadIdx.x < Shape::kN && column < columns;
  float4* to = s.parts + size_t(tile) * columns + column;
  if (mine) {
    float4 state = load_vector<float4>(of_warps + threadIdx.x);
#pragma unroll
    for (int warp = 1; warp < kWarpsDown; ++warp)
      merge_columns(s.kind, state, load_vector<float4>(of_warps + warp * Shape::kN + threadIdx.x));
    store_vector(to, state);
  }
  const int teams = (s.tile_rows + kTileTeam - 1) / kTileTeam, team = tile / kTileTeam, first = team * kTileTeam;
  const int members = min(kTileTeam, s.tile_rows - first);
  unsigned* counters = s.counters + column_block * (teams + 1);
  if (!last_block(counters + 1 + team, unsigned(members))) return;
  float4 state = make_float4(0, 0, 0, 0);
  float4* of_team = s.parts + size_t(first) * columns + column;
  if (mine) state = merge_parts(s.kind, of_team, members, size_t(columns));
  if (teams > 1) {
    if (mine) *of_team = state;
    if (!last_block(counters, unsigned(teams))) return;
    if (mine) state = merge_parts(s.kind, s.parts + column, teams, size_t(columns) * kTileTeam);
  }
  if (mine) finish_column(s, column, state);
}

}  // namespace tobogan::kernels
