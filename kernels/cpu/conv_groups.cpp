// Groups are found along each axis alone; a group of pixels is a pair of them.
#include "kernels/cpu/conv_groups.h"

#include <algorithm>

namespace tobogan::kernels {

std::vector<AxisGroup> group_axis(const AxisPairs& axis) {
  std::vector<AxisGroup> groups;
  for (int position = 0; position < axis.positions(); ++position) {
    const AxisPairs::Pair *first = axis.begin(position), *last = axis.end(position);
    const auto same_taps = [&](const AxisGroup& group) {
      return std::equal(first, last, group.pairs.begin(), group.pairs.end(),
                        [](const AxisPairs::Pair& a, const AxisPairs::Pair& b) { return a.tap == b.tap; });
    };
    auto group = std::find_if(groups.begin(), groups.end(), same_taps);
    if (group == groups.end()) group = groups.insert(groups.end(), {{}, {first, last}});
    group->places.push_back({position, first == last ? 0 : first->other - group->pairs[0].other});
  }
  return groups;
}

std::vector<RowBlock> cut_groups(const std::vector<PixelGroup>& groups, int batch, int most) {
  std::vector<RowBlock> blocks;
  for (const PixelGroup& group : groups) {
    const int64_t rows = int64_t{batch} * group.pixels(), pieces = (rows + most - 1) / most;
    for (int64_t piece = 0; piece < pieces; ++piece) {
      blocks.push_back({&group, rows * piece / pieces, rows * (piece + 1) / pieces});
    }
  }
  std::stable_sort(blocks.begin(), blocks.end(),
                   [](const RowBlock& a, const RowBlock& b) { return a.group->pair_count > b.group->pair_count; });
  return blocks;
}

void place_rows(const RowBlock& block, int batch, const Plane& in, const Plane& out, int64_t* a_row, int64_t* c_row) {
  const std::vector<AxisGroup::Place>& lines = block.group->lines->places;
  const std::vector<AxisGroup::Place>& places = block.group->places->places;
  const int64_t across = static_cast<int64_t>(places.size());
  int64_t image = block.begin % batch, place = block.begin / batch % across, line = block.begin / batch / across;
  for (int64_t row = block.begin; row < block.end;) {
    const int64_t from = int64_t{lines[line].shift} * in.width + places[place].shift;
    const int64_t to = int64_t{lines[line].position} * out.width + places[place].position;
    const int64_t a = (from * batch + image) * in.channels, c = (to * batch + image) * out.channels;
    const int64_t images = std::min<int64_t>(batch - image, block.end - row);
    for (int64_t i = 0; i < images; ++i) a_row[i] = a + i * in.channels;
    for (int64_t i = 0; i < images; ++i) c_row[i] = c + i * out.channels;
    a_row += images, c_row += images, row += images;
    image = 0;
    if (++place < across) continue;
    place = 0;
    ++line;
  }
}

}  // namespace tobogan::kernels
