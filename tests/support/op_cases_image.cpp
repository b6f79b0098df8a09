// Rows of engine/ops/conv.h, pool.h, resample.h and normalize.h.
#include <cmath>

#include "tests/support/op_cases.h"

namespace tobogan {
namespace {

using reference::Conv;
using reference::Ends;
using reference::Plain;
using reference::Pool;

// Two for each pair of a pixel of `small` and a tap, padding included.
double conv_flops(const Shapes& in, const Shape& out) {
  return 2.0 * static_cast<double>(in[1].count()) * out[0] * out[2] * out[3];
}
double transpose_flops(const Shapes& in, const Shape&) {
  return 2.0 * static_cast<double>(in[1].count()) * in[0][0] * in[0][2] * in[0][3];
}

OpCase conv(const std::string& name, const ConvOptions& options, const std::vector<Shapes>& shapes,
            const Shapes& large = {}) {
  auto plain = [=](const PlainInputs& in) {
    const Padding& p = options.padding;
    Conv o{options.stride.h,   options.stride.w,  p.top, p.bottom, p.left, p.right,
           options.dilation.h, options.dilation.w};
    if (p.is_same) {
      const Ends rows = reference::same_padding(in[0].sizes[2], in[1].sizes[2], options.stride.h);
      const Ends columns = reference::same_padding(in[0].sizes[3], in[1].sizes[3], options.stride.w);
      o.top = rows.before, o.bottom = rows.after, o.left = columns.before, o.right = columns.after;
    }
    return conv2d(in[0], in[1], o);
  };
  return {.name = "conv2d/" + name,
          .shapes = shapes,
          .large = large,
          .run = [=](const OpInputs& in) { return conv2d(in[0], in[1], options); },
          .reference = plain,
          .tolerance = {.of_largest = 16},
          .asked = {0, 1},
          .refused = {{{2, 3, 9, 9}, {4, 2, 3, 3}}, {{2, 3, 9}, {4, 3, 3, 3}}, {{2, 3, 9, 9}, {4, 3}}},
          .flops = conv_flops};
}

OpCase transposed(const std::string& name, const ConvOptions& options, const std::vector<Shapes>& shapes,
                  const Shapes& large = {}) {
  auto plain = [=](const PlainInputs& in) {
    const Padding& p = options.padding;
    Conv o{options.stride.h,   options.stride.w,  p.top, p.bottom, p.left, p.right,
           options.dilation.h, options.dilation.w};
    if (p.is_same) {
      const Ends rows = reference::same_crop(in[1].sizes[2], options.stride.h);
      const Ends columns = reference::same_crop(in[1].sizes[3], options.stride.w);
      o.top = rows.before, o.bottom = rows.after, o.left = columns.before, o.right = columns.after;
    }
    return conv_transpose2d(in[0], in[1], o);
  };
  return {.name = "conv_transpose2d/" + name,
          .shapes = shapes,
          .large = large,
          .run = [=](const OpInputs& in) { return conv_transpose2d(in[0], in[1], options); },
          .reference = plain,
          .tolerance = {.of_largest = 16},
          .asked = {0, 1},
          .refused = {{{2, 3, 9, 9}, {2, 3, 3, 3}}, {{2, 3, 9}, {3, 4, 3, 3}}, {{2, 3, 9, 9}, {3, 4}}},
          .flops = transpose_flops};
}

// A row of `op` with these options, and then bias, leaky ReLU and dropout on the way out.
using WithEpilogue = Tensor (*)(const Tensor&, const Tensor&, const Tensor&, const kernels::Activation&,
                                const ConvOptions&, BatchMoments*);
OpCase with_epilogue(OpCase row, WithEpilogue op, const ConvOptions& options, int channels_axis) {
  const reference::Bend bend{.slope = 0.3, .rate = 0.3, .stream = 7};
  row.name += "_epilogue";
  row.large = {};
  row.refused.clear();
  for (Shapes& shapes : row.shapes) {
    row.refused.push_back({shapes[0], shapes[1], {shapes[1][channels_axis] + 1}});
    shapes.push_back({shapes[1][channels_axis]});
  }
  row.run = [=](const OpInputs& in) {
    return op(in[0], in[1], in[2],
              {.slope = static_cast<Real>(bend.slope), .dropout = static_cast<Real>(bend.rate), .key = in.key}, options,
              nullptr);
  };
  row.reference = [=, sums = row.reference](const PlainInputs& in) { return activate(sums(in), in[2], bend); };
  row.asked = {0, 1, 2};
  return row;
}

std::vector<OpCase> convolutions() {
  const Padding same = Padding::same();
  const ConvOptions same_s2{.stride = 2, .padding = same};
  OpCase too_small = conv("valid", {}, {{{2, 3, 4, 3}, {4, 3, 3, 2}}, {{3, 1, 1, 1}, {33, 1, 1, 1}}});
  too_small.refused.push_back({{2, 3, 4, 3}, {4, 3, 5, 2}});
  OpCase eaten = transposed("torch_padding", {.stride = 2, .padding = 1}, {{{2, 3, 3, 2}, {3, 2, 4, 4}}},
                            {{64, 256, 8, 8}, {256, 128, 4, 4}});
  eaten.refused.push_back({{2, 3, 1, 1}, {3, 2, 2, 2}});
  return {
      too_small,
      conv("padding1", {.padding = 1}, {{{2, 3, 3, 5}, {1, 3, 3, 3}}, {{1, 33, 3, 3}, {3, 33, 3, 3}}},
           {{64, 64, 16, 16}, {64, 64, 3, 3}}),
      conv("same_k5_s2", {.stride = 2, .padding = same}, {{{3, 1, 7, 6}, {3, 1, 5, 5}}, {{1, 2, 5, 5}, {3, 2, 5, 5}}},
           {{64, 64, 14, 14}, {128, 64, 5, 5}}),
      conv("same_k3_s2", {.stride = 2, .padding = same}, {{{2, 2, 6, 5}, {3, 2, 3, 3}}}),
      conv("k4_s2_padding1", {.stride = 2, .padding = 1}, {{{2, 2, 6, 4}, {3, 2, 4, 4}}},
           {{64, 128, 16, 16}, {256, 128, 4, 4}}),
      conv("rectangular", {.stride = {2, 1}, .padding = {1, 0, 2, 3}}, {{{1, 2, 5, 3}, {3, 2, 2, 7}}}),
      conv("dilated", {.padding = 2, .dilation = {2, 1}}, {{{1, 2, 5, 3}, {3, 2, 3, 2}}}),
      conv("stride_beyond_kernel", {.stride = 3}, {{{2, 3, 7, 6}, {3, 3, 2, 1}}}),
      transposed("valid", {}, {{{2, 3, 1, 1}, {3, 4, 3, 2}}, {{3, 1, 2, 3}, {1, 33, 1, 1}}}),
      eaten,
      transposed("same_k5_s2", {.stride = 2, .padding = same},
                 {{{2, 3, 3, 2}, {3, 1, 5, 5}}, {{1, 2, 2, 3}, {2, 3, 5, 5}}}, {{64, 256, 7, 7}, {256, 128, 5, 5}}),
      transposed("same_k5_s1", {.padding = same}, {{{2, 2, 3, 2}, {2, 3, 5, 5}}}, {{64, 128, 7, 7}, {128, 128, 5, 5}}),
      transposed("same_k3_s2", {.stride = 2, .padding = same}, {{{2, 2, 3, 2}, {2, 3, 3, 3}}}),
      with_epilogue(conv("same_k5_s2", same_s2, {{{3, 1, 7, 6}, {3, 1, 5, 5}}, {{2, 4, 5, 5}, {8, 4, 5, 5}}}), conv2d,
                    same_s2, 0),
      with_epilogue(transposed("same_k5_s2", same_s2, {{{2, 3, 3, 2}, {3, 5, 5, 5}}, {{2, 8, 2, 3}, {8, 2, 5, 5}}}),
                    conv_transpose2d, same_s2, 1),
      transposed("rectangular", {.stride = {1, 2}, .padding = {1, 0, 0, 2}, .dilation = {2, 1}},
                 {{{1, 2, 2, 3}, {2, 3, 2, 3}}}),
  };
}

OpCase image_map(const std::string& name, const std::vector<Shapes>& shapes, std::function<Tensor(const Tensor&)> run,
                 std::function<Plain(const Plain&)> reference, const Tolerance& tolerance, const Shapes& large = {}) {
  return {.name = name,
          .shapes = shapes,
          .large = large,
          .run = [=](const OpInputs& in) { return run(in[0]); },
          .reference = [=](const PlainInputs& in) { return reference(in[0]); },
          .tolerance = tolerance,
          .refused = {{{3, 5}}, {{2, 3, 5}}}};
}

std::vector<OpCase> pools() {
  using reference::avg_pool2d;
  using reference::max_pool2d;
  const PoolOptions two{}, padded{.kernel = 3, .stride = 2, .padding = 1};
  const PoolOptions ceiled{.kernel = {3, 2}, .stride = 2, .ceil = true}, dense{.kernel = 3, .stride = 1, .padding = 1};
  return {
      image_map(
          "max_pool2d", {{{2, 3, 4, 7}}, {{1, 33, 2, 3}}}, [=](const Tensor& x) { return max_pool2d(x, two); },
          [](const Plain& x) {
            return max_pool2d(x, {2, 2, 2, 2, 0, 0, x.sizes[2] / 2, x.sizes[3] / 2});
          },
          {}, {{64, 64, 28, 28}}),
      image_map(
          "max_pool2d/padding", {{{2, 3, 5, 7}}}, [=](const Tensor& x) { return max_pool2d(x, padded); },
          [](const Plain& x) {
            return max_pool2d(x, {3, 3, 2, 2, 1, 1, 3, 4});
          },
          {}),
      image_map(
          "max_pool2d/ceil", {{{2, 3, 6, 5}}}, [=](const Tensor& x) { return max_pool2d(x, ceiled); },
          [](const Plain& x) {
            return max_pool2d(x, {3, 2, 2, 2, 0, 0, 3, 3});
          },
          {}),
      image_map(
          "avg_pool2d", {{{2, 3, 4, 7}}, {{1, 33, 2, 3}}}, [=](const Tensor& x) { return tobogan::avg_pool2d(x, two); },
          [](const Plain& x) {
            return avg_pool2d(x, {2, 2, 2, 2, 0, 0, x.sizes[2] / 2, x.sizes[3] / 2});
          },
          {.of_largest = 4}, {{64, 64, 28, 28}}),
      image_map(
          "avg_pool2d/padding", {{{2, 3, 5, 4}}, {{1, 3, 1, 1}}},
          [=](const Tensor& x) { return tobogan::avg_pool2d(x, dense); },
          [](const Plain& x) {
            return avg_pool2d(x, {3, 3, 1, 1, 1, 1, x.sizes[2], x.sizes[3]});
          },
          {.of_largest = 4}),
      image_map(
          "avg_pool2d/ceil", {{{2, 3, 6, 5}}}, [=](const Tensor& x) { return tobogan::avg_pool2d(x, ceiled); },
          [](const Plain& x) {
            return avg_pool2d(x, {3, 2, 2, 2, 0, 0, 3, 3});
          },
          {.of_largest = 4}),
      image_map(
          "adaptive_avg_pool2d", {{{2, 3, 7, 5}}, {{1, 33, 1, 2}}, {{2, 1, 3, 2}}},
          [](const Tensor& x) {
            return adaptive_avg_pool2d(x, {3, 2});
          },
          [](const Plain& x) { return reference::adaptive_avg_pool2d(x, 3, 2); }, {.of_largest = 4}, {{64, 512, 7, 7}}),
  };
}

double half_pixel(int i, int in, int out) {
  return (i + 0.5) * in / out - 0.5;
}
double tensorflow1(int i, int in, int out) {
  return static_cast<double>(i) * in / out;
}

std::vector<OpCase> resizes() {
  const kernels::AxisMap mix{.in = 3, .first = {0, 2, 2, 3}, .terms = {{0, 2}, {2, -1}, {1, 3}}};
  OpCase any = image_map(
      "resample", {{{2, 3, 3, 3}}, {{1, 33, 3, 3}}}, [=](const Tensor& x) { return resample(x, mix, mix); },
      [](const Plain& x) {  // rows and columns mixed by the matrix [2 0 -1; 0 0 0; 0 3 0]
        const double m[3][3] = {{2, 0, -1}, {0, 0, 0}, {0, 3, 0}};
        Plain y(x.sizes);
        for (int n = 0; n < x.sizes[0]; ++n)
          for (int c = 0; c < x.sizes[1]; ++c)
            for (int e = 0; e < 81; ++e)
              y.at(n, c, e / 27, e / 9 % 3) +=
                  m[e / 27][e / 3 % 3] * m[e / 9 % 3][e % 3] * x.at(n, c, e / 3 % 3, e % 3);
        return y;
      },
      {.of_largest = 4});
  any.refused.push_back({{2, 3, 4, 3}});
  const auto bilinear = [](const std::string& name, Size2 size, ResizeRule rule) {
    return image_map(
        "resize_bilinear/" + name, {{{2, 3, 4, 5}}, {{1, 33, 1, 3}}, {{2, 1, 7, 4}}},
        [=](const Tensor& x) { return resize_bilinear(x, size, rule); },
        [=](const Plain& x) {
          return reference::resize_bilinear(x, size.h, size.w,
                                            rule == ResizeRule::kHalfPixel ? half_pixel : tensorflow1);
        },
        {.of_largest = 16}, {{64, 3, 32, 32}});
  };
  OpCase mirrored = image_map(
      "pad_reflect2d", {{{2, 3, 4, 5}}, {{1, 33, 3, 3}}},
      [](const Tensor& x) {
        return pad_reflect2d(x, {2, 1, 0, 2});
      },
      [](const Plain& x) {
        const auto mirror = [](int p, int n) { return p < 0 ? -p : p < n ? p : 2 * n - 2 - p; };
        return pick_pixels(
            x, x.sizes[2] + 3, x.sizes[3] + 2, [&](int i) { return mirror(i - 2, x.sizes[2]); },
            [&](int j) { return mirror(j, x.sizes[3]); });
      },
      {});
  mirrored.refused.push_back({{2, 3, 2, 5}});
  OpCase zeros = image_map(
      "pad_zero2d", {{{2, 3, 4, 5}}, {{1, 33, 1, 2}}},
      [](const Tensor& x) {
        return pad_zero2d(x, {2, 1, 3, -1});
      },
      [](const Plain& x) {
        const auto inside = [](int p, int n) { return p < n ? p : -1; };
        return pick_pixels(
            x, x.sizes[2] + 3, x.sizes[3] + 2, [&](int i) { return inside(i - 2, x.sizes[2]); },
            [&](int j) { return inside(j - 3, x.sizes[3] - 1); });
      },
      {});
  return {
      any,
      image_map(
          "upsample_nearest", {{{2, 3, 3, 2}}, {{1, 33, 1, 1}}}, [](const Tensor& x) { return upsample_nearest(x, 3); },
          [](const Plain& x) {
            const auto third = [](int i) { return i / 3; };
            return pick_pixels(x, 3 * x.sizes[2], 3 * x.sizes[3], third, third);
          },
          {}, {{64, 128, 7, 7}}),
      bilinear("half_pixel_up", {7, 9}, ResizeRule::kHalfPixel),
      bilinear("half_pixel_down", {3, 2}, ResizeRule::kHalfPixel),
      bilinear("tensorflow1", {7, 3}, ResizeRule::kTensorFlow1),
      mirrored,
      zeros};
}

// Which of (gamma, beta) there are, and what is done to the result.
struct Norm {
  bool gamma = true, beta = true;
  double epsilon = 1e-3, slope = 1;
};

Tensor tensor_or_none(const OpInputs& in, bool there, int i) {
  return there ? in[i] : Tensor();
}

OpCase normalised(const std::string& name, const Norm& norm, const std::vector<Shapes>& shapes,
                  const Shapes& large = {}) {
  const int gamma = 1, beta = norm.gamma ? 2 : 1;
  const Plain none(reference::Sizes{0});
  OpCase row{.name = name,
             .shapes = shapes,
             .large = large,
             .run =
                 [=](const OpInputs& in) {
                   return batch_norm(in[0], tensor_or_none(in, norm.gamma, gamma), tensor_or_none(in, norm.beta, beta),
                                     {.epsilon = norm.epsilon, .activation = {.slope = static_cast<Real>(norm.slope)}})
                       .y;
                 },
             .reference =
                 [=](const PlainInputs& in) {
                   const Plain y = normalize(in[0], reference::moments(in[0]), norm.gamma ? in[gamma] : none,
                                             norm.beta ? in[beta] : none, norm.epsilon);
                   return each(y, [=](double v) { return v > 0 ? v : norm.slope * v; });
                 },
             .tolerance = {.of_largest = 24}};
  for (int i = 1; i <= norm.gamma + norm.beta; ++i) row.asked.push_back(i);
  return row;
}

std::vector<OpCase> batch_norms() {
  const std::vector<Shapes> three = {
      {{5, 3}, {3}, {3}}, {{3, 2, 3, 2}, {2}, {2}}, {{33, 1}, {1}, {1}}, {{2, 33}, {33}, {33}}};
  OpCase plain = normalised("batch_norm", {}, three, {{64, 128, 14, 14}, {128}, {128}});
  plain.refused = {{{5, 3}, {2}, {3}}, {{5, 3}, {3}, {4}}, {{2, 3, 4, 5}, {5}, {3}}, {{3}, {3}, {3}}};
  OpCase mean = normalised("batch_norm/mean", {}, three);
  mean.run = [](const OpInputs& in) { return batch_norm(in[0], in[1], in[2]).mean; };
  mean.reference = [](const PlainInputs& in) { return reference::moments(in[0]).mean; };
  OpCase variance = mean;
  variance.name = "batch_norm/variance";
  variance.run = [](const OpInputs& in) { return batch_norm(in[0], in[1], in[2]).variance; };
  variance.reference = [](const PlainInputs& in) { return reference::moments(in[0]).variance; };
  mean.asked = variance.asked = {};
  OpCase given = normalised("batch_norm_with", {}, {{{5, 3}, {3}, {3}, {3}, {3}}, {{3, 2, 3, 2}, {2}, {2}, {2}, {2}}},
                            {{64, 128, 14, 14}, {128}, {128}, {128}, {128}});
  given.tolerance = {.of_largest = 4};
  given.low = 0.25;
  given.run = [](const OpInputs& in) {
    return batch_norm_with(in[0], in[3], in[4], in[1], in[2], {.epsilon = 1e-3, .activation = {.slope = 0.25f}});
  };
  given.reference = [](const PlainInputs& in) {
    return each(normalize(in[0], {in[3], in[4]}, in[1], in[2], 1e-3), [](double v) { return v > 0 ? v : 0.25 * v; });
  };
  given.refused = {{{5, 3}, {2}, {3}, {3}, {3}}, {{5, 3}, {3}, {3}, {4}, {3}}, {{5, 3}, {3}, {3}, {3}, {1}}};
  return {plain,
          mean,
          variance,
          given,
          normalised("batch_norm/leaky", {.epsilon = 1e-5, .slope = 0.3}, three, {{64, 128, 14, 14}, {128}, {128}}),
          normalised("batch_norm/no_gamma", {.gamma = false}, {{{5, 3}, {3}}, {{3, 2, 3, 2}, {2}}}),
          normalised("batch_norm/no_beta", {.beta = false}, {{{5, 3}, {3}}}),
          normalised("batch_norm/bare", {.gamma = false, .beta = false}, {{{5, 3}}, {{2, 3, 2, 2}}}),
          normalised("batch_norm/one_row", {}, {{{1, 3}, {3}, {3}}})};
}

}  // namespace

std::vector<OpCase> image_cases() {
  std::vector<OpCase> rows = convolutions();
  for (const auto part : {pools, resizes, batch_norms})
    for (OpCase& row : part()) rows.push_back(std::move(row));
  return rows;
}

}  // namespace tobogan
