// conv2d and conv_transpose2d as one thing, and its cut into tiles, computed on the host.
//
// Both gather: a result pixel is the sum over the taps that it meets of (input pixel) x (weight of the tap).  Under
// stride s a transposed convolution falls apart into s x s phases, result pixels s apart, and within a phase it has the
// arithmetic of an ordinary convolution: neighbours read neighbours under the same taps.  A convolution is one phase.
//
// Rows of a phase are its (pixel, image) pairs, images running fastest: neighbouring rows are neighbours in memory, be
// it of images (large batch) or of pixels (batch 1), and a tile is so many rows of one phase.
#pragma once
#include <vector>

#include "kernels/conv.h"

namespace tobogan::kernels {

// One axis of a phase: its results are at out_first + q * out_step for 0 <= q < count, and meet the input at
// in_first + q * in_step + k * in_tap, if that exists, under their k-th tap, tap_first + k * tap_step of the weight.
struct GatherAxis {
  int out_first, out_step, count;
  int in_first, in_step, in_tap;
  int tap_first, tap_step, taps;
};

struct GatherPhase {
  GatherAxis y, x;
};

// Some rows of a phase from first_row on, and the taps (y_begin <= k < y_end, the same for x) that any of them meets.
struct GatherTile {
  int phase, first_row;
  int y_begin, y_end, x_begin, x_end;
  int taps() const { return (y_end - y_begin) * (x_end - x_begin); }
};

struct GatherPlan {
  std::vector<GatherPhase> phases;
  std::vector<GatherTile> tiles;  // the longest first, so that the short ones fill the gaps at the end
  int most_taps = 0;              // of a tile
  double mean_taps = 0;
};

// Throws std::length_error where a side has more numbers than the kernels, which count in 32 bits, can tell apart.
void check_countable(const ConvDims& dims);

// The plan of conv2d (to_small) or conv_transpose2d in tiles of `rows` rows.
GatherPlan plan_gather(const ConvDims& dims, bool to_small, int rows);

}  // namespace tobogan::kernels
