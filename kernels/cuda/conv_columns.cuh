// What the tiles of a product tell about their columns on the way out: sums, moments, or the sums of the way back of a
// normalisation.  Each tile leaves what its rows say; the last one of a block of columns merges, in teams as the parts
// of split products do (conv_split.cuh), and in a fixed order.
#pragma once
#include "kernels/conv.h"
#include "kernels/cuda/column_results.cuh"
#include "kernels/cuda/conv_split.cuh"
#include "kernels/cuda/flat.cuh"

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

// What a thread's rows say about four neighbouring columns, of which `count` exist, from channel n on.
class ColumnParts {
 public:
  __device__ __forceinline__ ColumnParts(const TileStatistics& s, int n, int count) : s_(s), count_(count) {
    if (s.kind != TileStatistics::Kind::kNormal) return;
#pragma unroll
    for (int c = 0; c < 4; ++c) {
      if (c >= count) break;
      origin_[c] = s.normal.mean[n + c];
      scale_[c] = s.normal.scale[n + c];
    }
  }
  // Another row: its results, which begin at element `at` of the images; `vector`: all rows of channels are multiples
  // of 4.
  __device__ __forceinline__ void add(const float4& four, size_t at, bool vector) {
    const float values[4] = {four.x, four.y, four.z, four.w};
    if (s_.kind == TileStatistics::Kind::kNormal) {
      const Four x = vector ? load_vector_four(s_.normal.x + at) : load_some(s_.normal.x + at);
#pragma unroll
      for (int c = 0; c < 4; ++c) {
        first_[c] += values[c];
        second_[c] = fmaf(values[c], (x.v[c] - origin_[c]) * scale_[c], second_[c]);
      }
    } else {
#pragma unroll
      for (int c = 0; c < 4; ++c) {
        // Moments are those of distances from the first row: no digits lost far from zero.
        if (rows_ == 0 && s_.kind == TileStatistics::Kind::kMoments) origin_[c] = values[c];
        const float distance = values[c] - origin_[c];
        first_[c] += distance;
        second_[c] = fmaf(distance, distance, second_[c]);
      }
    }
    ++rows_;
  }
  __device__ __forceinline__ float4 state(int c) const {
    if (s_.kind != TileStatistics::Kind::kMoments) return make_float4(first_[c], second_[c], 0, 0);
    if (rows_ == 0) return make_float4(0, 0, 0, 0);
    const float center = first_[c] / float(rows_);
    return make_float4(float(rows_), origin_[c] + center, fmaxf(0, fmaf(-first_[c], center, second_[c])), 0);
  }

 private:
  __device__ __forceinline__ Four load_some(const float* from) const {
    Four four{};
#pragma unroll
    for (int c = 0; c < 4; ++c) {
      if (c < count_) four.v[c] = from[c];
    }
    return four;
  }

  const TileStatistics& s_;
  const int count_;
  float first_[4] = {}, second_[4] = {}, origin_[4] = {}, scale_[4] = {};
  int rows_ = 0;
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

// All threads of a block come here with their columns; tile: its row of tiles.
template <class Shape>
__device__ __forceinline__ void tell_columns(const TileStatistics& s, const ColumnParts& parts,
                                             const SharedTile<Shape>& seat, int tile, int column_block, int columns) {
  constexpr int kGroups = SharedTile<Shape>::kGroups;
  constexpr int kPitch = SharedTile<Shape>::kFours + 2;  // a column's four neighbours in different banks
  DYN_SMEM(float4, states);                              // of [group][column % 4][column / 4], where the results were
  __syncthreads();
#pragma unroll
  for (int c = 0; c < 4; ++c) store_vector(states + (seat.group * 4 + c) * kPitch + seat.four, parts.state(c));
  __syncthreads();
  static_assert(Shape::kThreads >= Shape::kN && kGroups * 4 * kPitch * sizeof(float4) <= Shape::kSharedBytes);
  const int thread = int(threadIdx.x), column = column_block * Shape::kN + thread;
  const bool mine = thread < Shape::kN && column < columns;
  float4* to = s.parts + size_t(tile) * columns + column;
  if (mine) {
    const float4* own = states + thread % 4 * kPitch + thread / 4;
    float4 state = load_vector<float4>(own);
#pragma unroll
    for (int group = 1; group < kGroups; ++group)
      merge_columns(s.kind, state, load_vector<float4>(own + group * 4 * kPitch));
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
