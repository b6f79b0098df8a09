// Output pixels that meet the same taps are rows of one product.
//
// The pixels in the middle of an image all read the same taps, each shifted by its place; so do the pixels of one phase
// of a strided transposed convolution, and those of a border line.  Such a group times the images of the batch is a
// tall matrix whose rows share one list of pairs.  A batch of 1 has as many rows as a batch of 64 has, and the images
// of a batch need not be a multiple of a tile.
#pragma once
#include <vector>

#include "kernels/cpu/gemm_tile.h"
#include "kernels/pixels.h"

namespace tobogan::kernels {

// One axis of a group: the positions, and where each reads relative to the first.
struct AxisGroup {
  struct Place {
    int position, shift;
  };
  std::vector<Place> places;
  std::vector<AxisPairs::Pair> pairs;  // of the first position
};

// The groups of one axis, in order of their first position.
std::vector<AxisGroup> group_axis(const AxisPairs& axis);

// Pixels of the result that share their taps, and the rows (place, image) they make.
struct PixelGroup {
  const AxisGroup* lines;
  const AxisGroup* places;
  int64_t first_pair, pair_count;
  int64_t pixels() const { return static_cast<int64_t>(lines->places.size() * places->places.size()); }
};

// Some rows of a group.
struct RowBlock {
  const PixelGroup* group;
  int64_t begin, end;
  int rows() const { return static_cast<int>(end - begin); }
};

// The rows of all groups in blocks of at most `most`, the dearest first, so that the last chunks to run are small.
std::vector<RowBlock> cut_groups(const std::vector<PixelGroup>& groups, int batch, int most);

// A side of a convolution as rows are placed in it.
struct Plane {
  int width, channels;
};

// Where the rows of a block read in `in` (relative to the pairs) and where they write in `out`.
void place_rows(const RowBlock& block, int batch, const Plane& in, const Plane& out, int64_t* a_row, int64_t* c_row);

}  // namespace tobogan::kernels
