// The sizes of a tensor's axes, up to four of them, and where its elements lie in memory.
//
// Shapes are spoken of as PyTorch users expect: an image batch is {N, C, H, W}.  In memory a tensor of four axes is
// always pixel-major, [H][W][N][C]: every pixel is a dense N x C matrix, and convolution is a short list of dense
// products (see docs/architecture.md).  Tensors of fewer axes are row-major.  There is no other layout and no flag for
// it.
#pragma once
#include <array>
#include <cstdint>
#include <initializer_list>
#include <ostream>
#include <span>

#include "engine/error.h"
#include "kernels/strided.h"

namespace tobogan {

class Shape {
 public:
  Shape() = default;  // no axes: a scalar, one element
  // REQUIRES: at most four sizes, none negative.
  explicit Shape(std::span<const int> sizes) : rank_(static_cast<int>(sizes.size())) {
    check(rank_ <= 4, "Shape: a tensor has at most four axes, got ", rank_);
    int axis = 0;
    for (int size : sizes) {
      check(size >= 0, "Shape: a size must not be negative, got ", size);
      sizes_[axis++] = size;
    }
  }
  Shape(std::initializer_list<int> sizes) : Shape(std::span(sizes.begin(), sizes.size())) {}

  int rank() const { return rank_; }
  int operator[](int axis) const { return sizes_[axis]; }
  int64_t count() const {
    int64_t count = 1;
    for (int axis = 0; axis < rank_; ++axis) count *= sizes_[axis];
    return count;
  }
  // The same sizes but for one axis.
  Shape with(int axis, int size) const {
    Shape shape = *this;
    shape.sizes_[axis] = size;
    return shape;
  }
  bool operator==(const Shape&) const = default;

 private:
  int rank_ = 0;
  std::array<int, 4> sizes_{};  // unused axes are 0
};

std::ostream& operator<<(std::ostream& out, const Shape& shape);

// Which axis of a shape of this rank is the i-th of four axes in memory order, outermost first; -1 where there is none.
int axis_in_memory(int rank, int i);

// Sizes in memory order.
kernels::Extents memory_extents(const Shape& shape);

// Steps in memory order of `over` for reading a tensor of shape `from` that lies contiguous in its own memory order: 0
// along the axes that `from` lacks or has with size 1.  REQUIRES: from can be broadcast to over.
kernels::Strides memory_strides(const Shape& from, const Shape& over);

// The tall matrix that a tensor is in memory: a column for every channel of {N, C, H, W}, else for every place on the
// last axis.
struct TallMatrix {
  int64_t rows, columns;
};
TallMatrix tall_matrix(const Shape& shape);

// Sizes and steps for walking a tensor of this shape in the order of the public API (row-major {N, C, H, W}).
kernels::Extents api_extents(const Shape& shape);
kernels::Strides api_strides(const Shape& shape);

// The shape that a and b are broadcast to: equal ranks with sizes equal or 1, or one of them a scalar.
// Throws Error naming `operation` and both shapes.
Shape broadcast_shape(const char* operation, const Shape& a, const Shape& b);

}  // namespace tobogan
