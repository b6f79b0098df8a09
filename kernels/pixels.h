// Which pixels meet: the sparse lists behind convolution, pooling and resampling.
//
// Two axes never mix, so a list over pixels is the product of a list over rows and a list over columns, each a few
// dozen entries long and built anew for every call.
#pragma once
#include <vector>

#include "kernels/conv.h"

namespace tobogan::kernels {

// One axis of a convolution: for each position of one side, the (position of the other side, tap) pairs that exist.
class AxisPairs {
 public:
  struct Pair {
    int other, tap;
  };
  // The positions 0..small-1 with the big positions they read, in order of taps.
  static AxisPairs of_small(int big, int small, int kernel, int stride, int pad, int dilation);
  // The positions 0..big-1 with the small positions that read them, in order of taps.
  static AxisPairs of_big(int big, int small, int kernel, int stride, int pad, int dilation);

  int positions() const { return static_cast<int>(first_.size()) - 1; }
  const Pair* begin(int position) const { return pairs_.data() + first_[position]; }
  const Pair* end(int position) const { return pairs_.data() + first_[position + 1]; }
  int size(int position) const { return first_[position + 1] - first_[position]; }

 private:
  std::vector<int> first_;
  std::vector<Pair> pairs_;
};

// The two axes of a convolution seen from one of its sides: the pairs of the pixel (i, j) are all combinations of
// rows.begin(i)..end(i) and columns.begin(j)..end(j).
struct PixelPairs {
  AxisPairs rows, columns;
  static PixelPairs of_small(const ConvDims& dims);
  static PixelPairs of_big(const ConvDims& dims);
};

// One axis of a linear map between pixel lines: output position i is the sum of weight * input position over its terms.
struct AxisMap {
  struct Term {
    int source;
    Real weight;
  };
  int in = 0;              // positions of the input
  std::vector<int> first;  // first[i]..first[i + 1] are the terms of output i; size() is outputs + 1
  std::vector<Term> terms;

  int out() const { return static_cast<int>(first.size()) - 1; }
  AxisMap transposed() const;  // the adjoint: in and out change places
};

}  // namespace tobogan::kernels
