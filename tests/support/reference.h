// What every operation is supposed to compute: plain loops in double, written from the formulas and sharing nothing
// with the engine, not even its idea of a shape.  Everything is in API order, row-major, images {N, C, H, W}.
#pragma once
#include <cstddef>
#include <functional>
#include <vector>

namespace tobogan::reference {

using Sizes = std::vector<int>;

// An array of up to four axes.
struct Plain {
  Sizes sizes;
  std::vector<double> values;

  explicit Plain(Sizes sizes, double value = 0);
  // The element at these indices, one an axis; indices beyond the last axis are 0.
  double& at(int i, int j = 0, int k = 0, int l = 0) { return values[position(i, j, k, l)]; }
  double at(int i, int j = 0, int k = 0, int l = 0) const { return values[position(i, j, k, l)]; }

 private:
  size_t position(int i, int j, int k, int l) const;
};

// f of every element, and of every pair of elements after repeating axes of size 1 (or a scalar).
Plain each(const Plain& x, const std::function<double(double)>& f);
Plain pairwise(const Plain& a, const Plain& b, const std::function<double(double, double)>& f);

Plain sum_to(const Plain& x, const Sizes& sizes);
Plain broadcast_to(const Plain& x, const Sizes& sizes);
Plain argmax_rows(const Plain& x);  // a 1 in each row
Plain log_softmax(const Plain& x);

// dropout(leaky_relu(x + bias)); bias {C} or no values.  Element i in memory order [H][W][N][C] takes half i % 2 of
// word i / 2 % 4 of Philox block i / 8 of draw 0 in step 0 of `stream`, and is kept where that is >= round(65536 *
// rate).
struct Bend {
  double slope = 1, rate = 0;
  unsigned long stream = 0;
};
Plain activate(const Plain& x, const Plain& bias, const Bend& bend);

struct Conv {
  int stride_h = 1, stride_w = 1;
  int top = 0, bottom = 0, left = 0, right = 0;
  int dilation_h = 1, dilation_w = 1;
};
// Sum over taps and input channels; x {N, in, H, W}, weight {out, in, h, w}.
Plain conv2d(const Plain& x, const Plain& weight, const Conv& conv);
// Every input pixel stamps its weighted kernel; x {N, in, H, W}, weight {in, out, h, w}.
Plain conv_transpose2d(const Plain& x, const Plain& weight, const Conv& conv);

// TensorFlow's SAME: what is padded before and after n pixels (a convolution) or cropped from the full result (a
// transposed one): papers say floor(total / 2) before.
struct Ends {
  int before, after;
};
Ends same_padding(int n, int kernel, int stride);
Ends same_crop(int kernel, int stride);

struct Pool {
  int kernel_h, kernel_w, stride_h, stride_w;
  int top = 0, left = 0;
  int out_h, out_w;  // how many windows
};
Plain max_pool2d(const Plain& x, const Pool& pool);
Plain avg_pool2d(const Plain& x, const Pool& pool);  // pixels outside are left out of the mean
Plain adaptive_avg_pool2d(const Plain& x, int height, int width);

// One output axis of a resize: where output i of `out` reads, in input pixels (a fraction lies between two).
using Source = std::function<double(int i, int in, int out)>;
Plain resize_bilinear(const Plain& x, int height, int width, const Source& source);

// Output pixel (i, j) is input pixel (row(i), column(j)), or 0 where that is negative.
Plain pick_pixels(const Plain& x, int height, int width, const std::function<int(int)>& row,
                  const std::function<int(int)>& column);

struct Moments {
  Plain mean, variance;  // {C}; biased
};
Moments moments(const Plain& x);
// gamma * (x - mean) / sqrt(variance + epsilon) + beta by channel; gamma and beta {C} or no values.
Plain normalize(const Plain& x, const Moments& moments, const Plain& gamma, const Plain& beta, double epsilon);

Plain matmul(const Plain& a, const Plain& b);
Plain transpose(const Plain& x);
Plain slice(const Plain& x, int axis, int begin, int end);
Plain place(const Plain& x, int axis, int begin, int size);

Plain reshape(const Plain& x, const Sizes& sizes);

}  // namespace tobogan::reference
