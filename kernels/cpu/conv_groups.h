// Output pixels that meet the same taps are rows of one product.
//
// The pixels in the middle of an image all read the same taps, each shifted by its place; so do the pixels of one phase
// of a strided transposed convolution, and those of a border line.  Such a group times the images of the batch is a
// tall matrix whose rows share one list of pairs.  A batch of 1 has as many rows as a batch of 64 has, and the images
// of a batch need not be a multiple of a tile.
#pragma once
#include <vector>

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

inline std::vector<AxisGroup> group_axis(const AxisPairs& axis) {
  std::vector<AxisGroup> groups;
  for (int position = 0; position < axis.positions(); ++position) {
    const AxisPairs::Pair* first = axis.begin(position);
    const auto same_taps = [&](const AxisGroup& group) {
      if (static_cast<int>(group.pairs.size()) != axis.size(position)) return false;
      for (int i = 0; i < axis.size(position); ++i) {
        if (group.pairs[i].tap != first[i].tap) return false;
      }
      return true;
    };
    size_t g = 0;
    while (g < groups.size() && !same_taps(groups[g])) ++g;
    if (g == groups.size()) groups.push_back({{}, {first, axis.end(position)}});
    const int shift = axis.size(position) == 0 ? 0 : first->other - groups[g].pairs[0].other;
    groups[g].places.push_back({position, shift});
  }
  return groups;
}

}  // namespace tobogan::kernels
