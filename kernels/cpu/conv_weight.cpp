// conv2d_weight as batch-reduce products (gemm_tile.h): the lists of pixels that meet, summed over pixels.
//
// weight[tap] (small x big channels) = sum over the pixels that meet under the tap of small[pixel]^T * big[pixel], so
// rows are small channels, columns are big channels, and a step is one image of one pixel.  Where the big side has very
// few channels, rows are (tap, big channel) and columns small channels instead: the rows then read the image, padded
// once so that all taps exist everywhere, in place.
#include <algorithm>

#include "kernels/conv.h"
#include "kernels/cpu/gemm.h"
#include "kernels/cpu/memory_pool.h"
#include "kernels/cpu/threads.h"

namespace tobogan::kernels {
namespace {

// A side of the convolution cut into panels, each read along its pixels' images: packed, or in place where packing
// would change nothing or cost more than it saves.
struct Strips {
  struct Strip {
    const Real* data;
    int64_t step;  // to the next image
  };
  std::vector<Panel> panels;
  std::vector<Strip> strips;
  Scratch<Real> packed;

  Strips(Cpu on, const std::vector<Panel>& panels_of_side, bool in_place, int64_t rows, int channels, const Real* side)
      : panels(panels_of_side), packed(*on.pool, static_cast<size_t>(rows) * packed_width(in_place)) {
    int64_t at = 0;
    for (const Panel& panel : panels) {
      const bool here = in_place && panel.columns == panel.width;
      strips.push_back(here ? Strip{side + panel.begin, channels} : Strip{packed.data() + at, panel.width});
      if (!here) at += rows * panel.width;
    }
    if (at > 0) pack(on, rows, channels, side);
  }

  int count() const { return static_cast<int>(panels.size()); }

 private:
  int64_t packed_width(bool in_place) const {
    int64_t width = 0;
    for (const Panel& panel : panels) width += in_place && panel.columns == panel.width ? 0 : panel.width;
    return width;
  }

  void pack(Cpu on, int64_t rows, int channels, const Real* side) {
    constexpr int64_t kRows = 128;
    run_chunks(*on.threads, (rows + kRows - 1) / kRows, kRows * channels * 4, [&](int64_t chunk) {
      const int64_t first = chunk * kRows, count = std::min(kRows, rows - first);
      for (size_t i = 0; i < panels.size(); ++i) {
        if (strips[i].data == side + panels[i].begin) continue;
        pack_panel(side + first * channels + panels[i].begin, channels, 1, count, panels[i].columns, panels[i].width,
                   const_cast<Real*>(strips[i].data) + first * strips[i].step);
      }
    });
  }
};

// Appends the pairs (small pixel, big pixel) that meet under tap (u, v) in the lines of small from `first` to `last`.
void append_meetings(const ConvDims& d, int u, int v, int first, int last, std::vector<Pair>& pairs) {
  const int64_t shift = int64_t{v} * d.dilation_w - d.pad_left;
  const auto x_of = [&](int j) { return int64_t{j} * d.stride_w + shift; };
  int begin = 0, end = d.small_w;
  while (begin < end && x_of(begin) < 0) ++begin;
  while (end > begin && x_of(end - 1) >= d.big_w) --end;
  if (begin == end) return;
  for (int i = first; i < last; ++i) {
    const int64_t y = int64_t{i} * d.stride_h + int64_t{u} * d.dilation_h - d.pad_top;
    if (y < 0 || y >= d.big_h) continue;
    const int64_t small = (int64_t{i} * d.small_w + begin) * d.batch, big = (y * d.big_w + x_of(begin)) * d.batch;
    if (d.stride_w == 1) {  // neighbours meet neighbours: the whole line is one pair
      pairs.push_back({small, big, int64_t{end - begin} * d.batch});
      continue;
    }
    for (int64_t j = 0; j < end - begin; ++j) {
      pairs.push_back({small + j * d.batch, big + j * d.stride_w * d.batch, d.batch});
    }
  }
}

// The sums over pixels in blocks of lines, so that what a block reads of both sides stays in the caches while all taps
// pass over it.
struct Blocks {
  std::vector<Pair> pairs;
  std::vector<int64_t> first_pair;  // of (block, tap)
  int taps, count;

  explicit Blocks(const ConvDims& d) : taps(d.kernel_h * d.kernel_w) {
    constexpr int64_t kImages = 1024;  // of all pixels of a block together
    const int64_t line = std::max<int64_t>(1, int64_t{d.small_w} * d.batch);
    const EvenCut cut(d.small_h, static_cast<int>(std::max<int64_t>(1, kImages / line)));
    count = cut.pieces;
    for (int block = 0; block < count; ++block) {
      for (int tap = 0; tap < taps; ++tap) {
        first_pair.push_back(static_cast<int64_t>(pairs.size()));
        append_meetings(d, tap / d.kernel_w, tap % d.kernel_w, cut.begin(block), cut.begin(block + 1), pairs);
      }
    }
    first_pair.push_back(static_cast<int64_t>(pairs.size()));
  }

  void give(int block, int tap, Tile& tile) const {
    const int64_t* first = &first_pair[static_cast<size_t>(int64_t{block} * taps + tap)];
    tile.pairs = pairs.data() + first[0];
    tile.pair_count = first[1] - first[0];
  }
};

// Channels as rows of tiles.
std::vector<Panel> row_strips(int channels, int most) {
  const EvenCut cut(channels, most);
  std::vector<Panel> strips;
  for (int piece = 0; piece < cut.pieces; ++piece) {
    const int rows = cut.begin(piece + 1) - cut.begin(piece);
    strips.push_back({cut.begin(piece), rows, 0, rows});
  }
  return strips;
}

void product_over_pixels(Cpu on, const ConvDims& d, const Real* big, const Real* small, Real* weight) {
  const MicroKernels& kernels = micro_kernels();
  const Panels panels(kernels, d.big_channels);
  const int64_t small_rows = int64_t{d.small_h} * d.small_w * d.batch, big_rows = int64_t{d.big_h} * d.big_w * d.batch;
  const std::vector<Panel> row_panels = row_strips(d.small_channels, panels.max_rows);
  const bool one_strip = row_panels.size() == 1;  // each panel of big is then read by one tile only
  const Strips left(on, row_panels, one_strip, small_rows, d.small_channels, small);
  const Strips right(on, panels.list, one_strip, big_rows, d.big_channels, big);
  const Blocks blocks(d);

  int64_t a_row[MicroKernels::kMaxRows], c_row[MicroKernels::kMaxRows];
  for (int i = 0; i < MicroKernels::kMaxRows; ++i) {
    a_row[i] = i;
    c_row[i] = int64_t{i} * d.big_channels;
  }
  // A chunk is one panel of big and some strips of small, for all taps, or for some of them where tiles are few.
  const EvenCut strip_cut(left.count(), std::clamp(left.count() * right.count() / (32 * on.threads->count()), 1, 8));
  const int64_t tiles = int64_t{strip_cut.pieces} * right.count();
  const EvenCut tap_cut(blocks.taps, static_cast<int>(std::max<int64_t>(1, blocks.taps * tiles / 64)));
  const int64_t work = small_rows * panels.list[0].width * panels.max_rows * (blocks.taps / tap_cut.pieces);
  run_chunks(*on.threads, tiles * tap_cut.pieces, work, [&](int64_t chunk) {
    const int tap_piece = static_cast<int>(chunk % tap_cut.pieces);
    const int strip_piece = static_cast<int>(chunk / tap_cut.pieces % strip_cut.pieces);
    const int column = static_cast<int>(chunk / tap_cut.pieces / strip_cut.pieces);
    const Panel& panel = right.panels[column];
    Tile tile{};
    tile.a_row = a_row;
    tile.b = right.strips[column].data;
    tile.b_step = right.strips[column].step;
    tile.c_row = c_row;
    tile.columns = panel.columns;
    for (int block = 0; block < blocks.count; ++block) {
      tile.accumulate = block > 0;
      for (int tap = tap_cut.begin(tap_piece); tap < tap_cut.begin(tap_piece + 1); ++tap) {
        blocks.give(block, tap, tile);
        if (block > 0 && tile.pair_count == 0) continue;
        for (int strip = strip_cut.begin(strip_piece); strip < strip_cut.begin(strip_piece + 1); ++strip) {
          const Panel& rows = left.panels[strip];
          tile.a = left.strips[strip].data;
          tile.a_step = left.strips[strip].step;
          tile.c = weight + (int64_t{tap} * d.small_channels + rows.begin) * d.big_channels + panel.begin;
          kernels.multiply[rows.columns][panel.vectors](tile);
        }
      }
    }
  });
}

// The part of the big side that taps can reach, with zeros where there is no pixel.
struct Padded {
  int64_t height, width;
  Scratch<Real> data;

  Padded(Cpu on, const ConvDims& d, const Real* big)
      : height(int64_t{d.small_h - 1} * d.stride_h + int64_t{d.kernel_h - 1} * d.dilation_h + 1),
        width(int64_t{d.small_w - 1} * d.stride_w + int64_t{d.kernel_w - 1} * d.dilation_w + 1),
        data(*on.pool, static_cast<size_t>(height * width * d.batch * d.big_channels)) {
    const int64_t pixel = int64_t{d.batch} * d.big_channels;
    run_chunks(*on.threads, height, width * pixel, [&](int64_t line) {
      const int64_t y = line - d.pad_top;
      const bool outside = y < 0 || y >= d.big_h;
      const int64_t begin = outside ? width : std::min<int64_t>(width, d.pad_left);
      const int64_t end = outside ? width : std::clamp<int64_t>(int64_t{d.big_w} + d.pad_left, begin, width);
      Real* to = data.data() + line * width * pixel;
      std::fill(to, to + begin * pixel, Real{0});
      if (end > begin) {
        const Real* from = big + (y * d.big_w + begin - d.pad_left) * pixel;
        std::copy(from, from + (end - begin) * pixel, to + begin * pixel);
      }
      std::fill(to + end * pixel, to + width * pixel, Real{0});
    });
  }
};

void product_of_few(Cpu on, const ConvDims& d, const Real* big, const Real* small, Real* weight) {
  const MicroKernels& kernels = micro_kernels();
  const int channels = d.big_channels, rows = d.kernel_h * d.kernel_w * channels;
  const Padded padded(on, d, big);
  const Panels panels(kernels, d.small_channels);
  const Strips right(on, panels.list, true, int64_t{d.small_h} * d.small_w * d.batch, d.small_channels, small);

  std::vector<Pair> pairs;
  for (int64_t i = 0; i < d.small_h; ++i) {
    for (int64_t j = 0; j < d.small_w; ++j) {
      pairs.push_back(
          {(i * d.stride_h * padded.width + j * d.stride_w) * d.batch, (i * d.small_w + j) * d.batch, d.batch});
    }
  }
  std::vector<int64_t> a_row, c_row;
  for (int64_t row = 0; row < rows; ++row) {
    const int64_t tap = row / channels;
    const int64_t pixel = tap / d.kernel_w * d.dilation_h * padded.width + tap % d.kernel_w * d.dilation_w;
    a_row.push_back(pixel * d.batch * channels + row % channels);
    c_row.push_back(row * d.small_channels);
  }

  // The sum over pixels is split at places that the sizes alone decide; the parts are added in order.
  constexpr int64_t kImages = 2048;  // of all pixels of a part together
  const EvenCut splits(d.small_h, static_cast<int>(std::max<int64_t>(1, kImages / std::max(1, d.small_w * d.batch))));
  const int64_t part_size = int64_t{rows} * d.small_channels;
  Scratch<Real> parts(*on.pool, static_cast<size_t>(splits.pieces * part_size));
  run_chunks(*on.threads, splits.pieces, kImages * rows * panels.padded, [&](int64_t split) {
    const int64_t first = int64_t{splits.begin(static_cast<int>(split))} * d.small_w;
    const int64_t last = int64_t{splits.begin(static_cast<int>(split) + 1)} * d.small_w;
    for (int column = 0; column < right.count(); ++column) {
      const Panel& panel = right.panels[column];
      multiply_panel(kernels, panel, rows,
                     {.pairs = pairs.data() + first,
                      .pair_count = last - first,
                      .a = padded.data.data(),
                      .a_step = channels,
                      .a_row = a_row.data(),
                      .b = right.strips[column].data,
                      .b_step = right.strips[column].step,
                      .c = parts.data() + split * part_size + panel.begin,
                      .c_row = c_row.data(),
                      .columns = panel.columns,
                      .accumulate = false});
    }
  });
  run_chunks(*on.threads, rows, int64_t{d.small_channels} * splits.pieces, [&](int64_t row) {
    const Real* part = parts.data() + row * d.small_channels;
    Real* to = weight + row / channels * d.small_channels * channels + row % channels;
    for (int64_t s = 0; s < d.small_channels; ++s) {
      Real sum = 0;
      for (int64_t split = 0; split < splits.pieces; ++split) sum += part[split * part_size + s];
      to[s * channels] = sum;
    }
  });
}

}  // namespace

void conv2d_weight(Cpu on, const ConvDims& dims, const Real* big, const Real* small, Real* weight) {
  if (dims.big_channels <= kFewChannels) {
    product_of_few(on, dims, big, small, weight);
  } else {
    product_over_pixels(on, dims, big, small, weight);
  }
}

}  // namespace tobogan::kernels
