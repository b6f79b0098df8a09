// The three convolutions as batch-reduce products (gemm_tile.h) over the lists of pixels that meet.
//
// The two sides of a convolution differ only in which list is read and which way the weight is packed, so conv2d and
// conv_transpose2d are one function.  The weight gradient is the same list summed over pixels instead of taps.  Where a
// side has very few channels a vector of channels would be mostly empty, and taps take their place:
//   - conv2d from few channels needs nothing special: a pair is then one tap, a few steps deep;
//   - conv2d to few channels is rows of dot products;
//   - conv_transpose2d to few channels first computes what each small pixel sends to all taps, then gathers;
//   - the weight gradient of few big channels has taps for rows and reads the image in place (padded once).
#include "kernels/conv.h"

#include <algorithm>

#include "kernels/cpu/conv_groups.h"
#include "kernels/cpu/gemm.h"
#include "kernels/cpu/memory_pool.h"
#include "kernels/cpu/threads.h"

namespace tobogan::kernels {
namespace {

constexpr int kFewChannels = 4;

int taps_of(const ConvDims& d) {
  return d.kernel_h * d.kernel_w;
}

// Pixels of the result that share their taps, and the rows (place, image) they make.
struct Group {
  const AxisGroup* rows;
  const AxisGroup* columns;
  int64_t first_pair, pair_count;
  int64_t pixels() const { return static_cast<int64_t>(rows->places.size() * columns->places.size()); }
};

struct Block {
  const Group* group;
  int64_t begin, end;  // of the group's rows
};

// The rows of all groups in blocks of at most `most`, the dearest first, so that the last chunks to run are small.
std::vector<Block> cut_groups(const std::vector<Group>& groups, int batch, int most) {
  std::vector<Block> blocks;
  for (const Group& group : groups) {
    const int64_t rows = int64_t{batch} * group.pixels(), pieces = (rows + most - 1) / most;
    for (int64_t piece = 0; piece < pieces; ++piece) {
      blocks.push_back({&group, rows * piece / pieces, rows * (piece + 1) / pieces});
    }
  }
  std::stable_sort(blocks.begin(), blocks.end(),
                   [](const Block& a, const Block& b) { return a.group->pair_count > b.group->pair_count; });
  return blocks;
}

// An image as rows are placed in it.
struct Plane {
  int width, channels;
};

// Where the rows of a block read and where they write.
void place_rows(const Block& block, int batch, const Plane& in, const Plane& out, int64_t* a_row, int64_t* c_row) {
  const std::vector<AxisGroup::Place>& lines = block.group->rows->places;
  const std::vector<AxisGroup::Place>& places = block.group->columns->places;
  const int64_t across = static_cast<int64_t>(places.size());
  int64_t image = block.begin % batch, place = block.begin / batch % across, line = block.begin / batch / across;
  for (int64_t row = block.begin; row < block.end; ++row) {
    const int64_t from = int64_t{lines[line].shift} * in.width + places[place].shift;
    const int64_t to = int64_t{lines[line].position} * out.width + places[place].position;
    *a_row++ = (from * batch + image) * in.channels;
    *c_row++ = (to * batch + image) * out.channels;
    if (++image < batch) continue;
    image = 0;
    if (++place < across) continue;
    place = 0;
    ++line;
  }
}

// What conv2d and conv_transpose2d share.
struct Gathering {
  ConvDims dims;
  bool to_small;  // conv2d
  const Real* in;
  const Real* weight;
  Real* out;

  int in_channels() const { return to_small ? dims.big_channels : dims.small_channels; }
  int out_channels() const { return to_small ? dims.small_channels : dims.big_channels; }
  int in_width() const { return to_small ? dims.big_w : dims.small_w; }
  int out_width() const { return to_small ? dims.small_w : dims.big_w; }
  int64_t out_pixels() const { return int64_t{out_width()} * (to_small ? dims.small_h : dims.big_h); }
};

void pack_weight(Cpu on, const Gathering& g, const Panels& panels, Real* packed) {
  const int taps = taps_of(g.dims), depth = g.in_channels();
  const int64_t k_step = g.to_small ? 1 : g.dims.big_channels, column_step = g.to_small ? g.dims.big_channels : 1;
  run_chunks(
      *on.threads, int64_t{panels.count()} * taps, int64_t{depth} * panels.list[0].width * 8, [&](int64_t chunk) {
        const Panel& panel = panels.list[chunk / taps];
        const int64_t tap = chunk % taps;
        const Real* from = g.weight + tap * g.dims.small_channels * g.dims.big_channels + panel.begin * column_step;
        Real* to = packed + (int64_t{panel.begin} * taps + tap * panel.width) * depth;
        pack_panel(from, k_step, column_step, depth, panel.columns, panel.width, to);
      });
}

// out[pixel] = sum over the pixels and taps it meets of in[other pixel] * weight[tap].
void gather_product(Cpu on, const Gathering& g) {
  const ConvDims& d = g.dims;
  const MicroKernels& kernels = micro_kernels();
  const int taps = taps_of(d), depth = g.in_channels(), columns = g.out_channels();
  const bool dot = g.to_small && columns <= kFewChannels && depth >= 2 * kernels.lanes;
  const Panels panels(kernels, columns);
  Scratch<Real> packed(*on.pool, dot ? 0 : size_t{1} * panels.padded * taps * depth);
  if (!dot) pack_weight(on, g, panels, packed.data());

  const PixelPairs list = g.to_small ? PixelPairs::of_small(d) : PixelPairs::of_big(d);
  const std::vector<AxisGroup> row_groups = group_axis(list.rows), column_groups = group_axis(list.columns);
  std::vector<Pair> pairs;
  std::vector<Group> groups;
  for (const AxisGroup& rows : row_groups) {
    for (const AxisGroup& across : column_groups) {
      const int64_t first = static_cast<int64_t>(pairs.size());
      for (const AxisPairs::Pair& u : rows.pairs) {
        for (const AxisPairs::Pair& v : across.pairs) {
          const int64_t pixel = int64_t{u.other} * g.in_width() + v.other, tap = u.tap * d.kernel_w + v.tap;
          // Steps of a are channels; steps of b are channels of a packed tap, or rows of the weight for dot products.
          if (dot) {
            pairs.push_back({pixel * d.batch * depth, tap * columns, depth});
          } else {
            append_pair(pairs, {pixel * d.batch * depth, tap * depth, depth});
          }
        }
      }
      groups.push_back({&rows, &across, first, static_cast<int64_t>(pairs.size()) - first});
    }
  }

  const ChunkSize size(on.threads->count(), int64_t{d.batch} * g.out_pixels(), int64_t{depth} * taps, panels);
  const EvenCut panel_cut(panels.count(), size.panels);
  const std::vector<Block> blocks = cut_groups(groups, d.batch, size.rows);
  const int64_t chunk_work = int64_t{size.rows} * depth * taps * (dot ? columns : panels.padded / panel_cut.pieces);
  run_chunks(*on.threads, static_cast<int64_t>(blocks.size()) * panel_cut.pieces, chunk_work, [&](int64_t chunk) {
    const Block& block = blocks[chunk / panel_cut.pieces];
    int64_t a_row[ChunkSize::kMaxRows], c_row[ChunkSize::kMaxRows];
    place_rows(block, d.batch, {g.in_width(), depth}, {g.out_width(), columns}, a_row, c_row);
    const Tile tile{.pairs = pairs.data() + block.group->first_pair,
                    .pair_count = block.group->pair_count,
                    .a = g.in,
                    .a_step = 1,
                    .a_row = a_row,
                    .b = dot ? g.weight : packed.data(),
                    .b_step = d.big_channels,
                    .c = g.out,
                    .c_row = c_row,
                    .columns = columns,
                    .accumulate = false};
    const int rows = static_cast<int>(block.end - block.begin);
    if (dot) return dot_rows(kernels, rows, tile);
    multiply_rows(kernels, panel_cut.slice(panels.list, static_cast<int>(chunk % panel_cut.pieces)),
                  int64_t{taps} * depth, rows, tile);
  });
}

// Rows of `in`, `depth` long and contiguous, times panels that are packed already: out has `columns` columns.
void multiply_pixels(Cpu on, const MicroKernels& kernels, const Panels& panels, int64_t rows, int depth, int columns,
                     const Real* in, const Real* packed, Real* out) {
  std::vector<Pair> pairs;
  append_pair(pairs, {0, 0, depth});
  constexpr int64_t kRows = ChunkSize::kMaxRows;
  run_chunks(*on.threads, (rows + kRows - 1) / kRows, kRows * depth * panels.padded, [&](int64_t chunk) {
    const int64_t first = chunk * kRows, last = std::min(rows, first + kRows);
    int64_t a_row[kRows], c_row[kRows];
    for (int64_t row = first; row < last; ++row) {
      a_row[row - first] = row * depth;
      c_row[row - first] = row * columns;
    }
    multiply_rows(kernels, panels.list, depth, static_cast<int>(last - first),
                  {.pairs = pairs.data(),
                   .pair_count = static_cast<int64_t>(pairs.size()),
                   .a = in,
                   .a_step = 1,
                   .a_row = a_row,
                   .b = packed,
                   .b_step = 0,
                   .c = out,
                   .c_row = c_row,
                   .columns = columns,
                   .accumulate = false});
  });
}

// conv_transpose2d to few channels: sent[small pixel][image][tap][big channel], then every big pixel gathers.
void send_and_gather(Cpu on, const Gathering& g) {
  const ConvDims& d = g.dims;
  const MicroKernels& kernels = micro_kernels();
  const int channels = d.big_channels, depth = d.small_channels, columns = taps_of(d) * channels;
  const Panels panels(kernels, columns);
  Scratch<Real> lines(*on.pool, size_t{1} * columns * depth);  // the weight as [tap][big channel][small channel]
  Scratch<Real> packed(*on.pool, size_t{1} * panels.padded * depth);
  for (int column = 0; column < columns; ++column) {
    const Real* from = g.weight + int64_t{column / channels} * depth * channels + column % channels;
    for (int k = 0; k < depth; ++k) lines[int64_t{column} * depth + k] = from[int64_t{k} * channels];
  }
  for (const Panel& panel : panels.list) {
    pack_panel(lines.data() + int64_t{panel.begin} * depth, 1, depth, depth, panel.columns, panel.width,
               packed.data() + int64_t{panel.begin} * depth);
  }
  const int64_t rows = int64_t{d.small_h} * d.small_w * d.batch;
  Scratch<Real> sent(*on.pool, static_cast<size_t>(rows) * columns);
  multiply_pixels(on, kernels, panels, rows, depth, columns, g.in, packed.data(), sent.data());

  const PixelPairs list = PixelPairs::of_big(d);
  run_chunks(*on.threads, int64_t{d.big_h} * d.big_w, int64_t{d.batch} * columns, [&](int64_t pixel) {
    const int y = static_cast<int>(pixel / d.big_w), x = static_cast<int>(pixel % d.big_w);
    Real* to = g.out + pixel * d.batch * channels;
    std::fill(to, to + int64_t{d.batch} * channels, Real{0});
    for (auto* u = list.rows.begin(y); u != list.rows.end(y); ++u) {
      for (auto* v = list.columns.begin(x); v != list.columns.end(x); ++v) {
        const Real* from = sent.data() + (int64_t{u->other} * d.small_w + v->other) * d.batch * columns +
                           (int64_t{u->tap} * d.kernel_w + v->tap) * channels;
        for (int image = 0; image < d.batch; ++image) {
          for (int c = 0; c < channels; ++c) to[image * channels + c] += from[int64_t{image} * columns + c];
        }
      }
    }
  });
}

// The lines of small pixels, cut into blocks over which the sums of a weight gradient are formed, so that what a block
// reads of both sides stays in the caches while all taps pass over it.
EvenCut line_blocks(const ConvDims& d) {
  constexpr int kPixelImages = 1024;
  const int64_t line = std::max<int64_t>(1, int64_t{d.small_w} * d.batch);
  return EvenCut(d.small_h, static_cast<int>(std::max<int64_t>(1, kPixelImages / line)));
}

// Packs rows of `from` (rows x channels) into panels: panel `begin` starts at begin * rows.
template <class PanelsOf>
void pack_rows(Cpu on, const PanelsOf& panels, int64_t rows, int channels, const Real* from, Real* packed) {
  constexpr int64_t kRows = 128;
  run_chunks(*on.threads, (rows + kRows - 1) / kRows, kRows * channels * 4, [&](int64_t chunk) {
    const int64_t first = chunk * kRows;
    const int count = static_cast<int>(std::min(kRows, rows - first));
    for (const Panel& panel : panels) {
      pack_panel(from + first * channels + panel.begin, channels, 1, count, panel.columns, panel.width,
                 packed + int64_t{panel.begin} * rows + first * panel.width);
    }
  });
}

// The pairs (small pixel, big pixel) that meet under tap (u, v) in the lines of small from `first` to `last`.
void append_meetings(const ConvDims& d, int u, int v, int first, int last, std::vector<Pair>& pairs) {
  const int64_t shift = int64_t{v} * d.dilation_w - d.pad_left;
  const auto meets = [&](int j) {
    return j * int64_t{d.stride_w} + shift >= 0 && j * int64_t{d.stride_w} + shift < d.big_w;
  };
  int begin = 0, end = d.small_w;
  while (begin < end && !meets(begin)) ++begin;
  while (end > begin && !meets(end - 1)) --end;
  if (begin == end) return;
  for (int i = first; i < last; ++i) {
    const int64_t y = int64_t{i} * d.stride_h + int64_t{u} * d.dilation_h - d.pad_top;
    if (y < 0 || y >= d.big_h) continue;
    const int64_t small = (int64_t{i} * d.small_w + begin) * d.batch;
    const int64_t big = (y * d.big_w + begin * int64_t{d.stride_w} + shift) * d.batch;
    if (d.stride_w == 1) {  // neighbours meet neighbours: the whole line is one pair
      pairs.push_back({small, big, int64_t{end - begin} * d.batch});
      continue;
    }
    for (int j = 0; j < end - begin; ++j) {
      pairs.push_back({small + int64_t{j} * d.batch, big + int64_t{j} * d.stride_w * d.batch, d.batch});
    }
  }
}

// weight[tap] (small x big channels) = sum over the pixels that meet of small[pixel]^T * big[pixel].
void weight_product(Cpu on, const ConvDims& d, const Real* big, const Real* small, Real* weight) {
  const MicroKernels& kernels = micro_kernels();
  const int taps = taps_of(d);
  const int64_t small_rows = int64_t{d.small_h} * d.small_w * d.batch, big_rows = int64_t{d.big_h} * d.big_w * d.batch;
  const Panels panels(kernels, d.big_channels);
  const EvenCut cut(d.small_channels, panels.max_rows);
  std::vector<Panel> tiles;
  for (int piece = 0; piece < cut.pieces; ++piece) {
    const int begin = cut.begin(piece), rows = cut.begin(piece + 1) - begin;
    tiles.push_back({begin, rows, 0, rows});
  }
  Scratch<Real> left(*on.pool, static_cast<size_t>(small_rows) * d.small_channels);
  Scratch<Real> right(*on.pool, static_cast<size_t>(big_rows) * panels.padded);
  pack_rows(on, tiles, small_rows, d.small_channels, small, left.data());
  pack_rows(on, panels.list, big_rows, d.big_channels, big, right.data());

  const EvenCut blocks = line_blocks(d);
  std::vector<Pair> pairs;
  std::vector<int64_t> first_pair;  // of (block, tap)
  for (int block = 0; block < blocks.pieces; ++block) {
    for (int tap = 0; tap < taps; ++tap) {
      first_pair.push_back(static_cast<int64_t>(pairs.size()));
      append_meetings(d, tap / d.kernel_w, tap % d.kernel_w, blocks.begin(block), blocks.begin(block + 1), pairs);
    }
  }
  first_pair.push_back(static_cast<int64_t>(pairs.size()));

  int64_t row[MicroKernels::kMaxRows], c_row[MicroKernels::kMaxRows];
  for (int i = 0; i < MicroKernels::kMaxRows; ++i) {
    row[i] = i;
    c_row[i] = int64_t{i} * d.big_channels;
  }
  // A chunk is a tile of the result for some taps; taps are split where there are few tiles.
  const int64_t tile_count = static_cast<int64_t>(tiles.size()) * panels.count();
  const EvenCut tap_cut(taps, std::max(1, static_cast<int>(taps * tile_count / 64)));
  run_chunks(*on.threads, tile_count * tap_cut.pieces, small_rows * panels.list[0].width * panels.max_rows,
             [&](int64_t chunk) {
               const int piece = static_cast<int>(chunk % tap_cut.pieces);
               const Panel& part = tiles[chunk / tap_cut.pieces % static_cast<int64_t>(tiles.size())];
               const Panel& panel = panels.list[chunk / tap_cut.pieces / static_cast<int64_t>(tiles.size())];
               Tile tile{.pairs = nullptr,
                         .pair_count = 0,
                         .a = left.data() + part.begin * small_rows,
                         .a_step = part.width,
                         .a_row = row,
                         .b = right.data() + panel.begin * big_rows,
                         .b_step = panel.width,
                         .c = nullptr,
                         .c_row = c_row,
                         .columns = panel.columns,
                         .accumulate = false};
               for (int block = 0; block < blocks.pieces; ++block) {
                 for (int tap = tap_cut.begin(piece); tap < tap_cut.begin(piece + 1); ++tap) {
                   const int64_t* first = &first_pair[int64_t{block} * taps + tap];
                   tile.pairs = pairs.data() + first[0];
                   tile.pair_count = first[1] - first[0];
                   if (block > 0 && tile.pair_count == 0) continue;
                   tile.c = weight + (int64_t{tap} * d.small_channels + part.begin) * d.big_channels + panel.begin;
                   tile.accumulate = block > 0;
                   kernels.multiply[part.columns][panel.vectors](tile);
                 }
               }
             });
}

// The weight gradient of few big channels: rows are (tap, channel), which read the padded image where it lies.
void weight_product_of_few(Cpu on, const ConvDims& d, const Real* big, const Real* small, Real* weight) {
  const MicroKernels& kernels = micro_kernels();
  const int channels = d.big_channels, rows = taps_of(d) * channels;
  // The part of the padded image that taps can reach.
  const int64_t height = int64_t{d.small_h - 1} * d.stride_h + int64_t{d.kernel_h - 1} * d.dilation_h + 1;
  const int64_t width = int64_t{d.small_w - 1} * d.stride_w + int64_t{d.kernel_w - 1} * d.dilation_w + 1;
  const int64_t pixel = int64_t{d.batch} * channels;
  Scratch<Real> padded(*on.pool, static_cast<size_t>(height * width * pixel));
  run_chunks(*on.threads, height, width * pixel * 4, [&](int64_t y) {
    const int64_t from_y = y - d.pad_top;
    const bool outside = from_y < 0 || from_y >= d.big_h;
    const int64_t begin = outside ? width : std::min<int64_t>(width, d.pad_left);
    const int64_t end = outside ? width : std::clamp<int64_t>(d.big_w + int64_t{d.pad_left}, begin, width);
    Real* to = padded.data() + y * width * pixel;
    std::fill(to, to + begin * pixel, Real{0});
    const Real* from = big + (from_y * d.big_w + begin - d.pad_left) * pixel;
    if (end > begin) std::copy(from, from + (end - begin) * pixel, to + begin * pixel);
    std::fill(to + end * pixel, to + width * pixel, Real{0});
  });

  const Panels panels(kernels, d.small_channels);
  const int64_t small_rows = int64_t{d.small_h} * d.small_w * d.batch;
  Scratch<Real> right(*on.pool, static_cast<size_t>(small_rows) * panels.padded);
  pack_rows(on, panels.list, small_rows, d.small_channels, small, right.data());

  // The sum over pixels is split at places that the sizes alone decide; the parts are added in order.
  const EvenCut splits(d.small_h, static_cast<int>(std::max<int64_t>(1, 8192 / std::max(1, d.small_w * d.batch))));
  std::vector<Pair> pairs;
  for (int i = 0; i < d.small_h; ++i) {
    for (int j = 0; j < d.small_w; ++j) {
      pairs.push_back({(i * d.stride_h * width + int64_t{j} * d.stride_w) * d.batch,
                       (int64_t{i} * d.small_w + j) * d.batch, d.batch});
    }
  }
  std::vector<int64_t> a_row(rows), c_row(rows);
  for (int row = 0; row < rows; ++row) {
    const int tap = row / channels;
    a_row[row] = (int64_t{tap / d.kernel_w} * d.dilation_h * width + int64_t{tap % d.kernel_w} * d.dilation_w) * pixel +
                 row % channels;
    c_row[row] = int64_t{row} * d.small_channels;
  }
  Scratch<Real> parts(*on.pool, size_t{1} * splits.pieces * rows * d.small_channels);
  const int64_t part_size = int64_t{rows} * d.small_channels;
  run_chunks(*on.threads, int64_t{splits.pieces} * panels.count(),
             small_rows / splits.pieces * rows * panels.list[0].width, [&](int64_t chunk) {
               const Panel& panel = panels.list[chunk % panels.count()];
               const int split = static_cast<int>(chunk / panels.count());
               const int64_t first = int64_t{splits.begin(split)} * d.small_w;
               const int64_t last = int64_t{splits.begin(split + 1)} * d.small_w;
               multiply_rows(kernels, {&panel, 1}, small_rows, rows,
                             {.pairs = pairs.data() + first,
                              .pair_count = last - first,
                              .a = padded.data(),
                              .a_step = channels,
                              .a_row = a_row.data(),
                              .b = right.data(),
                              .b_step = 0,
                              .c = parts.data() + split * part_size,
                              .c_row = c_row.data(),
                              .columns = panel.columns,
                              .accumulate = false});
             });
  for (int row = 0; row < rows; ++row) {
    for (int s = 0; s < d.small_channels; ++s) {
      Real sum = 0;
      for (int split = 0; split < splits.pieces; ++split) {
        sum += parts[split * part_size + int64_t{row} * d.small_channels + s];
      }
      weight[(int64_t{row / channels} * d.small_channels + s) * channels + row % channels] = sum;
    }
  }
}

}  // namespace

void conv2d(Cpu on, const ConvDims& dims, const Real* big, const Real* weight, Real* small) {
  gather_product(on, {.dims = dims, .to_small = true, .in = big, .weight = weight, .out = small});
}

void conv_transpose2d(Cpu on, const ConvDims& dims, const Real* small, const Real* weight, Real* big) {
  const Gathering gathering{.dims = dims, .to_small = false, .in = small, .weight = weight, .out = big};
  if (dims.big_channels <= kFewChannels && dims.small_channels > kFewChannels) {
    send_and_gather(on, gathering);
  } else {
    gather_product(on, gathering);
  }
}

void conv2d_weight(Cpu on, const ConvDims& dims, const Real* big, const Real* small, Real* weight) {
  if (dims.big_channels <= kFewChannels) {
    weight_product_of_few(on, dims, big, small, weight);
  } else {
    weight_product(on, dims, big, small, weight);
  }
}

}  // namespace tobogan::kernels
