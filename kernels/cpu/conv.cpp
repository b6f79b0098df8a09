// conv2d and conv_transpose2d as batch-reduce products (gemm_tile.h) over the lists of pixels that meet.
//
// The two differ only in which side's list is read and which way the weight lies, so they are one function.  Where the
// result has very few channels a vector of channels would be mostly empty:
//   - conv2d to few channels is rows of dot products;
//   - conv_transpose2d to few channels first computes what each small pixel sends to all taps, then gathers.
// Few channels on the reading side need nothing special: a pair is then one tap, a few steps deep.
#include <algorithm>

#include "kernels/conv_epilogue.h"
#include "kernels/cpu/conv_groups.h"
#include "kernels/cpu/gemm.h"
#include "kernels/cpu/memory_pool.h"
#include "kernels/cpu/threads.h"
#include "kernels/cpu/transpose.h"

namespace tobogan::kernels {
namespace {

// What conv2d and conv_transpose2d share: they read `in` and write `out`.
struct Gathering {
  ConvDims dims;
  bool to_small;  // conv2d
  const Real* in_data;
  const Real* weight;
  Real* out_data;

  int64_t taps() const { return int64_t{dims.kernel_h} * dims.kernel_w; }
  Plane small() const { return {dims.small_w, dims.small_channels}; }
  Plane big() const { return {dims.big_w, dims.big_channels}; }
  Plane in() const { return to_small ? big() : small(); }
  Plane out() const { return to_small ? small() : big(); }
  int64_t out_pixels() const {
    return to_small ? int64_t{dims.small_h} * dims.small_w : int64_t{dims.big_h} * dims.big_w;
  }
  bool few_results(const MicroKernels& kernels) const {
    return to_small && out().channels <= kFewChannels && in().channels >= 2 * kernels.lanes;
  }
  RightSide right() const {
    return {.data = weight,
            .taps = taps(),
            .depth = in().channels,
            .tap_step = int64_t{dims.small_channels} * dims.big_channels,
            .k_step = to_small ? 1 : dims.big_channels,
            .column_step = to_small ? dims.big_channels : 1};
  }
};

// The groups of the result's pixels with their pairs.  Steps of a are channels; steps of b are channels of a tap, or,
// for dot products, rows of the weight.
struct Plan {
  std::vector<AxisGroup> lines, places;
  std::vector<Pair> pairs;
  std::vector<PixelGroup> groups;
  int64_t meetings = 0;  // of pixels

  Plan(const Gathering& g, bool dot) {
    const PixelPairs list = g.to_small ? PixelPairs::of_small(g.dims) : PixelPairs::of_big(g.dims);
    lines = group_axis(list.rows);
    places = group_axis(list.columns);
    const int64_t depth = g.in().channels;
    for (const AxisGroup& line : lines) {
      for (const AxisGroup& place : places) {
        const int64_t first = static_cast<int64_t>(pairs.size());
        for (const AxisPairs::Pair& u : line.pairs) {
          for (const AxisPairs::Pair& v : place.pairs) {
            const int64_t pixel = int64_t{u.other} * g.in().width + v.other;
            const int64_t tap = int64_t{u.tap} * g.dims.kernel_w + v.tap;
            if (dot) {
              pairs.push_back({pixel * g.dims.batch * depth, tap * g.out().channels, depth});
            } else {
              append_pair(pairs, {pixel * g.dims.batch * depth, tap * depth, depth});
            }
          }
        }
        groups.push_back({&line, &place, first, static_cast<int64_t>(pairs.size()) - first});
        meetings += groups.back().pixels() * static_cast<int64_t>(line.pairs.size() * place.pairs.size());
      }
    }
  }
};

// out[pixel] = sum over the pixels and taps it meets of in[other pixel] * weight[tap].
void gather_product(Cpu on, const Gathering& g) {
  const MicroKernels& kernels = micro_kernels();
  const Panels panels(kernels, g.out().channels);
  const bool dot = g.few_results(kernels);
  const Plan plan(g, dot);
  const RightSide right = g.right();
  const int64_t packed_depth = right.taps * right.depth, batch = g.dims.batch;
  if (batch == 0 || panels.count() == 0) return;

  // Depth that an average pixel has, and rows that an average tap has.
  const int64_t depth = plan.meetings * right.depth / std::max<int64_t>(1, g.out_pixels());
  const ChunkSize size(on.threads->count(), batch * g.out_pixels(), depth, panels);
  const bool pack = !dot && plan.meetings * batch > size.rows * right.taps;
  Scratch<Real> packed(*on.pool, pack ? static_cast<size_t>(panels.padded * packed_depth) : 0);
  if (pack) pack_right(*on.threads, right, panels, packed.data());

  const std::vector<RowBlock> blocks = cut_groups(plan.groups, g.dims.batch, size.rows);
  const EvenCut panel_cut(panels.count(), size.panels);
  const int64_t work = size.rows * depth * (dot ? g.out().channels : panels.padded / panel_cut.pieces);
  run_chunks(*on.threads, static_cast<int64_t>(blocks.size()) * panel_cut.pieces, work, [&](int64_t chunk) {
    const RowBlock& block = blocks[chunk / panel_cut.pieces];
    int64_t a_row[ChunkSize::kMaxRows], c_row[ChunkSize::kMaxRows];
    place_rows(block, g.dims.batch, g.in(), g.out(), a_row, c_row);
    const Tile tile{.pairs = plan.pairs.data() + block.group->first_pair,
                    .pair_count = block.group->pair_count,
                    .a = g.in_data,
                    .a_step = 1,
                    .a_row = a_row,
                    .b = dot ? g.weight : packed.data(),
                    .b_step = g.dims.big_channels,
                    .c = g.out_data,
                    .c_row = c_row,
                    .columns = g.out().channels,
                    .accumulate = false};
    const std::span<const Panel> part = panel_cut.slice(panels.list, static_cast<int>(chunk % panel_cut.pieces));
    if (dot) {
      dot_rows(kernels, block.rows(), tile);
    } else if (pack) {
      multiply_rows(kernels, part, packed_depth, block.rows(), tile);
    } else {
      pack_and_multiply_rows(kernels, part, right, block.rows(), tile);
    }
  });
}

// sent[small pixel][image][tap][big channel] (rows of `width`) = in * weight: what each small pixel sends to its taps.
void send(Cpu on, const Gathering& g, const Panels& panels, Real* sent) {
  const int channels = g.dims.big_channels, depth = g.dims.small_channels;
  const int columns = static_cast<int>(g.taps()) * channels;
  Scratch<Real> lines(*on.pool,
                      static_cast<size_t>(columns) * depth);  // the weight as [tap][big channel][small channel]
  for (int64_t tap = 0; tap < g.taps(); ++tap) {
    transpose_tile(channels, depth, g.weight + tap * depth * channels, channels, lines.data() + tap * depth * channels,
                   depth);
  }
  Scratch<Real> packed(*on.pool, static_cast<size_t>(panels.padded) * depth);
  pack_right(*on.threads,
             {.data = lines.data(), .taps = 1, .depth = depth, .tap_step = 0, .k_step = 1, .column_step = depth},
             panels, packed.data());
  std::vector<Panel> whole = panels.list;  // the unused columns of the last panel are stored too: there is room
  for (Panel& panel : whole) panel.columns = panel.width;

  std::vector<Pair> pairs;
  append_pair(pairs, {0, 0, depth});
  const int64_t rows = int64_t{g.dims.small_h} * g.dims.small_w * g.dims.batch;
  constexpr int64_t kRows = ChunkSize::kMaxRows;
  run_chunks(*on.threads, (rows + kRows - 1) / kRows, kRows * depth * panels.padded, [&](int64_t chunk) {
    const int64_t first = chunk * kRows, last = std::min(rows, first + kRows);
    int64_t a_row[kRows], c_row[kRows];
    for (int64_t row = first; row < last; ++row) {
      a_row[row - first] = row * depth;
      c_row[row - first] = row * panels.padded;
    }
    multiply_rows(micro_kernels(), whole, depth, static_cast<int>(last - first),
                  {.pairs = pairs.data(),
                   .pair_count = static_cast<int64_t>(pairs.size()),
                   .a = g.in_data,
                   .a_step = 1,
                   .a_row = a_row,
                   .b = packed.data(),
                   .b_step = 0,
                   .c = sent,
                   .c_row = c_row,
                   .columns = columns,
                   .accumulate = false});
  });
}

template <int kChannels>
void add_images(int batch, const Real* from, int64_t step, Real* to) {
  for (int64_t image = 0; image < batch; ++image) {
    for (int c = 0; c < kChannels; ++c) to[image * kChannels + c] += from[image * step + c];
  }
}

// conv_transpose2d to few channels.
void send_and_gather(Cpu on, const Gathering& g) {
  const ConvDims& d = g.dims;
  const Panels panels(micro_kernels(), static_cast<int>(g.taps()) * d.big_channels);
  Scratch<Real> sent(*on.pool, size_t{1} * d.small_h * d.small_w * d.batch * panels.padded);
  send(on, g, panels, sent.data());

  constexpr void (*kAdd[kFewChannels + 1])(int, const Real*, int64_t, Real*) = {nullptr, add_images<1>, add_images<2>,
                                                                                add_images<3>, add_images<4>};
  const auto add = kAdd[d.big_channels];
  const PixelPairs list = PixelPairs::of_big(d);
  run_chunks(*on.threads, int64_t{d.big_h} * d.big_w, d.batch * panels.padded, [&](int64_t pixel) {
    const int y = static_cast<int>(pixel / d.big_w), x = static_cast<int>(pixel % d.big_w);
    Real* to = g.out_data + pixel * d.batch * d.big_channels;
    std::fill(to, to + int64_t{d.batch} * d.big_channels, Real{0});
    for (auto* u = list.rows.begin(y); u != list.rows.end(y); ++u) {
      for (auto* v = list.columns.begin(x); v != list.columns.end(x); ++v) {
        const int64_t row = (int64_t{u->other} * d.small_w + v->other) * d.batch;
        const int64_t tap = int64_t{u->tap} * d.kernel_w + v->tap;
        add(d.batch, sent.data() + row * panels.padded + tap * d.big_channels, panels.padded, to);
      }
    }
  });
}

// In place: the sums are read once more, but need no second image batch.
void apply(Cpu on, const ConvEpilogue& epilogue, const Gathering& g) {
  apply_epilogue(on, epilogue, g.out_pixels() * g.dims.batch, g.out().channels, g.out_data);
}

}  // namespace

void conv2d(Cpu on, const ConvDims& dims, const Real* big, const Real* weight, Real* small,
            const ConvEpilogue& epilogue) {
  const Gathering g{.dims = dims, .to_small = true, .in_data = big, .weight = weight, .out_data = small};
  gather_product(on, g);
  apply(on, epilogue, g);
}

void conv_transpose2d(Cpu on, const ConvDims& dims, const Real* small, const Real* weight, Real* big,
                      const ConvEpilogue& epilogue) {
  const Gathering g{.dims = dims, .to_small = false, .in_data = small, .weight = weight, .out_data = big};
  if (dims.big_channels <= kFewChannels && dims.small_channels > kFewChannels) {
    send_and_gather(on, g);
  } else {
    gather_product(on, g);
  }
  apply(on, epilogue, g);
}

}  // namespace tobogan::kernels
