// Plain loops; the only care taken is that no two formulas share a helper that could be wrong for both.
#include "tests/support/reference.h"

#include <algorithm>
#include <cmath>

#include "kernels/philox.h"

namespace tobogan::reference {
namespace {

size_t count_of(const Sizes& sizes) {
  size_t count = 1;
  for (const int size : sizes) count *= static_cast<size_t>(size);
  return count;
}

// visit(i, j, k, l) for every element of an array of these sizes.
template <class Visit>
void for_each_index(Sizes sizes, Visit visit) {
  sizes.resize(4, 1);
  for (int i = 0; i < sizes[0]; ++i)
    for (int j = 0; j < sizes[1]; ++j)
      for (int k = 0; k < sizes[2]; ++k)
        for (int l = 0; l < sizes[3]; ++l) visit(i, j, k, l);
}

// The element of x that is repeated at these indices.
double repeated(const Plain& x, int i, int j, int k, int l) {
  const auto clip = [&](size_t axis, int index) {
    return axis < x.sizes.size() ? std::min(index, x.sizes[axis] - 1) : 0;
  };
  return x.at(clip(0, i), clip(1, j), clip(2, k), clip(3, l));
}

}  // namespace

Plain::Plain(Sizes sizes, double value) : sizes(std::move(sizes)), values(count_of(this->sizes), value) {}

size_t Plain::position(int i, int j, int k, int l) const {
  const int index[4] = {i, j, k, l};
  size_t position = 0;
  for (size_t axis = 0; axis < sizes.size(); ++axis)
    position = position * static_cast<size_t>(sizes[axis]) + static_cast<size_t>(index[axis]);
  return position;
}

Plain each(const Plain& x, const std::function<double(double)>& f) {
  Plain y(x.sizes);
  for (size_t i = 0; i < x.values.size(); ++i) y.values[i] = f(x.values[i]);
  return y;
}

Plain pairwise(const Plain& a, const Plain& b, const std::function<double(double, double)>& f) {
  Sizes sizes = a.sizes.size() >= b.sizes.size() ? a.sizes : b.sizes;
  if (a.sizes.size() == b.sizes.size())
    for (size_t axis = 0; axis < sizes.size(); ++axis) sizes[axis] = a.sizes[axis] == 1 ? b.sizes[axis] : a.sizes[axis];
  Plain y(sizes);
  for_each_index(sizes, [&](int i, int j, int k, int l) {
    y.at(i, j, k, l) = f(repeated(a, i, j, k, l), repeated(b, i, j, k, l));
  });
  return y;
}

Plain sum_to(const Plain& x, const Sizes& sizes) {
  Plain y(sizes);
  for_each_index(x.sizes, [&](int i, int j, int k, int l) {
    const int index[4] = {i, j, k, l};
    int to[4] = {0, 0, 0, 0};
    for (size_t axis = 0; axis < sizes.size(); ++axis) to[axis] = sizes[axis] == 1 ? 0 : index[axis];
    y.at(to[0], to[1], to[2], to[3]) += x.at(i, j, k, l);
  });
  return y;
}

Plain broadcast_to(const Plain& x, const Sizes& sizes) {
  Plain y(sizes);
  for_each_index(sizes, [&](int i, int j, int k, int l) { y.at(i, j, k, l) = repeated(x, i, j, k, l); });
  return y;
}

Plain argmax_rows(const Plain& x) {
  Plain y(x.sizes);
  for (int r = 0; r < x.sizes[0]; ++r) {
    int largest = 0;
    for (int c = 1; c < x.sizes[1]; ++c)
      if (x.at(r, c) > x.at(r, largest)) largest = c;
    y.at(r, largest) = 1;
  }
  return y;
}

Plain log_softmax(const Plain& x) {
  Plain y(x.sizes);
  for (int r = 0; r < x.sizes[0]; ++r) {
    double largest = x.at(r, 0), sum = 0;
    for (int c = 0; c < x.sizes[1]; ++c) largest = std::max(largest, x.at(r, c));
    for (int c = 0; c < x.sizes[1]; ++c) sum += std::exp(x.at(r, c) - largest);
    for (int c = 0; c < x.sizes[1]; ++c) y.at(r, c) = x.at(r, c) - largest - std::log(sum);
  }
  return y;
}

Plain activate(const Plain& x, const Plain& bias, const Bend& bend) {
  Sizes four = x.sizes;
  four.resize(4, 1);
  const int threshold = static_cast<int>(std::floor(bend.rate * 65536 + 0.5));
  Plain y(x.sizes);
  for_each_index(x.sizes, [&](int n, int c, int h, int w) {
    const size_t place = ((static_cast<size_t>(h) * four[3] + w) * four[0] + n) * four[1] + c;
    const uint32_t word = kernels::random_block(bend.stream, 0, 0, place / 8).word[place / 2 % 4];
    const int uniform = static_cast<int>(place % 2 ? word >> 16 : word & 0xffff);
    const double sum = x.at(n, c, h, w) + (bias.values.empty() ? 0 : bias.at(c));
    const double bent = sum > 0 ? sum : bend.slope * sum;
    y.at(n, c, h, w) = uniform >= threshold ? bent * 65536 / (65536 - threshold) : 0;
  });
  return y;
}

Plain conv2d(const Plain& x, const Plain& weight, const Conv& o) {
  const int reach_h = o.dilation_h * (weight.sizes[2] - 1) + 1, reach_w = o.dilation_w * (weight.sizes[3] - 1) + 1;
  Plain y({x.sizes[0], weight.sizes[0], (x.sizes[2] + o.top + o.bottom - reach_h) / o.stride_h + 1,
           (x.sizes[3] + o.left + o.right - reach_w) / o.stride_w + 1});
  for_each_index({x.sizes[0], weight.sizes[0], x.sizes[1], 1}, [&](int n, int out, int in, int) {
    for (int u = 0; u < weight.sizes[2]; ++u)
      for (int v = 0; v < weight.sizes[3]; ++v) {
        const double tap = weight.at(out, in, u, v);
        for (int i = 0; i < y.sizes[2]; ++i) {
          const int row = i * o.stride_h + u * o.dilation_h - o.top;
          if (row < 0 || row >= x.sizes[2]) continue;
          for (int j = 0; j < y.sizes[3]; ++j) {
            const int column = j * o.stride_w + v * o.dilation_w - o.left;
            if (column >= 0 && column < x.sizes[3]) y.at(n, out, i, j) += tap * x.at(n, in, row, column);
          }
        }
      }
  });
  return y;
}

Plain conv_transpose2d(const Plain& x, const Plain& weight, const Conv& o) {
  const int full_h = (x.sizes[2] - 1) * o.stride_h + o.dilation_h * (weight.sizes[2] - 1) + 1;
  const int full_w = (x.sizes[3] - 1) * o.stride_w + o.dilation_w * (weight.sizes[3] - 1) + 1;
  Plain full({x.sizes[0], weight.sizes[1], full_h, full_w});
  for_each_index({x.sizes[0], weight.sizes[1], x.sizes[1], 1}, [&](int n, int out, int in, int) {
    for (int i = 0; i < x.sizes[2]; ++i)
      for (int j = 0; j < x.sizes[3]; ++j)
        for (int u = 0; u < weight.sizes[2]; ++u)
          for (int v = 0; v < weight.sizes[3]; ++v)
            full.at(n, out, i * o.stride_h + u * o.dilation_h, j * o.stride_w + v * o.dilation_w) +=
                x.at(n, in, i, j) * weight.at(in, out, u, v);
  });
  return slice(slice(full, 2, o.top, full_h - o.bottom), 3, o.left, full_w - o.right);
}

Ends same_padding(int n, int kernel, int stride) {
  const int out = static_cast<int>(std::ceil(static_cast<double>(n) / stride));
  const int total = std::max((out - 1) * stride + kernel - n, 0);
  return {total / 2, total - total / 2};
}

Ends same_crop(int kernel, int stride) {
  return {(kernel - stride) / 2, kernel - stride - (kernel - stride) / 2};
}

Plain max_pool2d(const Plain& x, const Pool& p) {
  Plain y({x.sizes[0], x.sizes[1], p.out_h, p.out_w}, -INFINITY);
  for_each_index(y.sizes, [&](int n, int c, int i, int j) {
    for (int row = std::max(0, i * p.stride_h - p.top); row < i * p.stride_h - p.top + p.kernel_h; ++row)
      for (int column = std::max(0, j * p.stride_w - p.left); column < j * p.stride_w - p.left + p.kernel_w; ++column)
        if (row < x.sizes[2] && column < x.sizes[3])
          y.at(n, c, i, j) = std::max(y.at(n, c, i, j), x.at(n, c, row, column));
  });
  return y;
}

Plain avg_pool2d(const Plain& x, const Pool& p) {
  Plain y({x.sizes[0], x.sizes[1], p.out_h, p.out_w});
  for_each_index(y.sizes, [&](int n, int c, int i, int j) {
    int inside = 0;
    for (int u = 0; u < p.kernel_h; ++u)
      for (int v = 0; v < p.kernel_w; ++v) {
        const int row = i * p.stride_h - p.top + u, column = j * p.stride_w - p.left + v;
        if (row < 0 || column < 0 || row >= x.sizes[2] || column >= x.sizes[3]) continue;
        y.at(n, c, i, j) += x.at(n, c, row, column);
        ++inside;
      }
    y.at(n, c, i, j) /= inside;
  });
  return y;
}

Plain adaptive_avg_pool2d(const Plain& x, int height, int width) {
  Plain y({x.sizes[0], x.sizes[1], height, width});
  const double down = static_cast<double>(x.sizes[2]) / height, across = static_cast<double>(x.sizes[3]) / width;
  for_each_index(y.sizes, [&](int n, int c, int i, int j) {
    const int top = static_cast<int>(std::floor(i * down)), bottom = static_cast<int>(std::ceil((i + 1) * down - 1e-9));
    const int left = static_cast<int>(std::floor(j * across)),
              right = static_cast<int>(std::ceil((j + 1) * across - 1e-9));
    for (int row = top; row < bottom; ++row)
      for (int column = left; column < right; ++column) y.at(n, c, i, j) += x.at(n, c, row, column);
    y.at(n, c, i, j) /= (bottom - top) * (right - left);
  });
  return y;
}

Plain resize_bilinear(const Plain& x, int height, int width, const Source& source) {
  Plain y({x.sizes[0], x.sizes[1], height, width});
  for_each_index(y.sizes, [&](int n, int c, int i, int j) {
    const double row = std::clamp(source(i, x.sizes[2], height), 0.0, x.sizes[2] - 1.0);
    const double column = std::clamp(source(j, x.sizes[3], width), 0.0, x.sizes[3] - 1.0);
    const int top = static_cast<int>(row), left = static_cast<int>(column);
    const int bottom = std::min(top + 1, x.sizes[2] - 1), right = std::min(left + 1, x.sizes[3] - 1);
    const double down = row - top, across = column - left;
    y.at(n, c, i, j) = (1 - down) * ((1 - across) * x.at(n, c, top, left) + across * x.at(n, c, top, right)) +
                       down * ((1 - across) * x.at(n, c, bottom, left) + across * x.at(n, c, bottom, right));
  });
  return y;
}

Plain pick_pixels(const Plain& x, int height, int width, const std::function<int(int)>& row,
                  const std::function<int(int)>& column) {
  Plain y({x.sizes[0], x.sizes[1], height, width});
  for_each_index(y.sizes, [&](int n, int c, int i, int j) {
    if (row(i) >= 0 && column(j) >= 0) y.at(n, c, i, j) = x.at(n, c, row(i), column(j));
  });
  return y;
}

Moments moments(const Plain& x) {
  Moments result{Plain({x.sizes[1]}), Plain({x.sizes[1]})};
  const double rows = static_cast<double>(x.values.size()) / x.sizes[1];
  for_each_index(x.sizes, [&](int n, int c, int h, int w) { result.mean.at(c) += x.at(n, c, h, w) / rows; });
  for_each_index(x.sizes, [&](int n, int c, int h, int w) {
    result.variance.at(c) += std::pow(x.at(n, c, h, w) - result.mean.at(c), 2) / rows;
  });
  return result;
}

Plain normalize(const Plain& x, const Moments& moments, const Plain& gamma, const Plain& beta, double epsilon) {
  Plain y(x.sizes);
  for_each_index(x.sizes, [&](int n, int c, int h, int w) {
    const double centred = x.at(n, c, h, w) - moments.mean.at(c);
    y.at(n, c, h, w) =
        (gamma.values.empty() ? 1 : gamma.at(c)) * centred / std::sqrt(moments.variance.at(c) + epsilon) +
        (beta.values.empty() ? 0 : beta.at(c));
  });
  return y;
}

Plain matmul(const Plain& a, const Plain& b) {
  Plain c({a.sizes[0], b.sizes[1]});
  for (int i = 0; i < a.sizes[0]; ++i)
    for (int k = 0; k < a.sizes[1]; ++k)
      for (int j = 0; j < b.sizes[1]; ++j) c.at(i, j) += a.at(i, k) * b.at(k, j);
  return c;
}

Plain transpose(const Plain& x) {
  Plain y({x.sizes[1], x.sizes[0]});
  for_each_index(x.sizes, [&](int i, int j, int, int) { y.at(j, i) = x.at(i, j); });
  return y;
}

Plain slice(const Plain& x, int axis, int begin, int end) {
  Sizes sizes = x.sizes;
  sizes[axis] = end - begin;
  Plain y(sizes);
  for_each_index(sizes, [&](int i, int j, int k, int l) {
    y.at(i, j, k, l) =
        x.at(i + begin * (axis == 0), j + begin * (axis == 1), k + begin * (axis == 2), l + begin * (axis == 3));
  });
  return y;
}

Plain place(const Plain& x, int axis, int begin, int size) {
  Sizes sizes = x.sizes;
  sizes[axis] = size;
  Plain y(sizes);
  for_each_index(x.sizes, [&](int i, int j, int k, int l) {
    y.at(i + begin * (axis == 0), j + begin * (axis == 1), k + begin * (axis == 2), l + begin * (axis == 3)) =
        x.at(i, j, k, l);
  });
  return y;
}

Plain reshape(const Plain& x, const Sizes& sizes) {
  Plain y(sizes);
  y.values = x.values;
  return y;
}

}  // namespace tobogan::reference
