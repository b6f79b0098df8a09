// Moving elements without computing: reshape, transpose, slice, concat.
#pragma once
#include <vector>

#include "engine/tensor.h"

namespace tobogan {

// The same elements in API order (row-major, {N, C, H, W}) under another shape.  Free where memory order is the same;
// between an image batch and its rows {N, C*H*W} it moves every element.
Tensor reshape(const Tensor& x, const Shape& shape);
// {N, ...} to {N, product of the rest}.
Tensor flatten(const Tensor& x);
// A matrix {N, K} to {K, N}.
Tensor transpose(const Tensor& x);

// Positions begin..end-1 of one axis.
Tensor slice(const Tensor& x, int axis, int begin, int end);
// Zeros of the given size along one axis, but x from position `begin` on: the adjoint of slice.
Tensor place(const Tensor& x, int axis, int begin, int size);
// One after the other along an axis.  REQUIRES: at least one tensor; other sizes equal.
Tensor concat(const std::vector<Tensor>& parts, int axis);

}  // namespace tobogan
