// conv2d and conv_transpose2d: which tile, and which way the operands are read.
#include "kernels/conv.h"
#include "kernels/cuda/conv_gather.cuh"
#include "kernels/cuda/conv_narrow.h"

namespace tobogan::kernels {
namespace {

// With the tile that should take the least time.
template <Precision kPrecision, template <class> class In, template <class> class Weight>
void gather_with_tile(Cuda on, const ConvDims& d, bool to_small, const Gathering& g) {
  const GatherPlan plan = plan_gather(d, to_small, Square::kM);
  if (g.sizes.columns <= Square::kN) return launch_gather<kPrecision, Square, In<Square>, Weight<Square>>(on, plan, g);
  const GatherPlan large = plan_gather(d, to_small, Large::kM);
  static_assert(Wide::kM == Square::kM && Huge::kM == Large::kM);
  const auto plan_of = [&](int rows) -> const GatherPlan& { return rows == Square::kM ? plan : large; };
  with_large_tile<kPrecision>(
      on, g.sizes.columns, [&]<class Shape>(Shape) { return product_of<Shape>(plan_of(Shape::kM), g); },
      [&]<class Shape>(Shape) {
        launch_gather<kPrecision, Shape, In<Shape>, Weight<Shape>>(on, plan_of(Shape::kM), g);
      });
}

template <class Shape>
using WeightRows = WeightFlat<Shape, 4>;
template <class Shape>
using WeightScalars = WeightFlat<Shape, 1>;

template <Precision kPrecision>
void gather(Cuda on, const ConvDims& d, bool to_small, const Gathering& g) {
  const bool in_by_four = g.sizes.in_channels % 4 == 0, columns_by_four = g.sizes.columns % 4 == 0;
  if (to_small && in_by_four) return gather_with_tile<kPrecision, GatherDeep, WeightDeep>(on, d, to_small, g);
  if (!to_small && in_by_four && columns_by_four)
    return gather_with_tile<kPrecision, GatherDeep, WeightRows>(on, d, to_small, g);
  const GatherPlan plan = plan_gather(d, to_small, Square::kM);
  if (in_by_four) return launch_gather<kPrecision, Square, GatherDeep<Square>, WeightScalars<Square>>(on, plan, g);
  launch_gather<kPrecision, Square, GatherFlat<Square>, WeightScalars<Square>>(on, plan, g);
}

void gather(Cuda on, const ConvDims& d, bool to_small, const float* in, const float* weight, float* out,
            const ConvEpilogue& epilogue) {
  const int columns = to_small ? d.small_channels : d.big_channels;
  const size_t pixels = to_small ? size_t(d.small_h) * d.small_w : size_t(d.big_h) * d.big_w;
  const Gathering g{.sizes = {.batch = d.batch,
                              .in_h = to_small ? d.big_h : d.small_h,
                              .in_w = to_small ? d.big_w : d.small_w,
                              .in_channels = to_small ? d.big_channels : d.small_channels,
                              .out_w = to_small ? d.small_w : d.big_w,
                              .columns = columns,
                              .kernel_w = d.kernel_w,
                              .tap_step = d.small_channels * d.big_channels,
                              .k_step = to_small ? 1 : d.big_channels,
                              .n_step = to_small ? d.big_channels : 1,
                              .columns_of_tap = columns},
                    .in = in,
                    .weight = weight,
                    .result = out,
                    .rows = pixels * size_t(d.batch),
                    .epilogue = epilogue};
  if (columns == 0) return;
  // Sums over no rows are zeros all the same.
  if (g.rows == 0) return apply_epilogue(on, {.statistics = epilogue.statistics}, 0, columns, out);
  with_precision(on.precision, [&]<Precision kPrecision>() { gather<kPrecision>(on, d, to_small, g); });
}

}  // namespace

void conv2d(Cuda on, const ConvDims& d, const Real* big, const Real* weight, Real* small,
            const ConvEpilogue& epilogue) {
  check_countable(d);
  constexpr int kLongSum = 1024;
  const bool long_sum = int64_t{d.kernel_h} * d.kernel_w * d.big_channels >= kLongSum;
  if (d.small_channels <= kFewChannels && d.big_channels % 4 == 0 && long_sum) {
    conv_to_few(on, d, big, weight, small, epilogue);
    apply_epilogue(on, {.statistics = epilogue.statistics}, int64_t{d.small_h} * d.small_w * d.batch, d.small_channels,
                   small);
  } else {
    gather(on, d, true, big, weight, small, epilogue);
  }
}

void conv_transpose2d(Cuda on, const ConvDims& d, const Real* small, const Real* weight, Real* big,
                      const ConvEpilogue& epilogue) {
  check_countable(d);
  if (d.big_channels <= kFewChannels && d.small_channels > kFewChannels && d.small_channels % 4 == 0) {
    transpose_to_few(on, d, small, weight, big, epilogue);
    apply_epilogue(on, {.statistics = epilogue.statistics}, int64_t{d.big_h} * d.big_w * d.batch, d.big_channels, big);
  } else {
    gather(on, d, false, small, weight, big, epilogue);
  }
}

}  // namespace tobogan::kernels
