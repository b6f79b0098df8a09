// Sums and means, and their adjoint, repetition.
#pragma once
#include "engine/tensor.h"

namespace tobogan {

// The sum over the axes that `shape` has with size 1 and x has not; all of x where shape is the scalar {}.
Tensor sum_to(const Tensor& x, const Shape& shape);
// x repeated along its axes of size 1 until it has that shape.
Tensor broadcast_to(const Tensor& x, const Shape& shape);

// The mean over the same axes as sum_to.
Tensor mean_to(const Tensor& x, const Shape& shape);
// Scalars.
Tensor sum(const Tensor& x);
Tensor mean(const Tensor& x);

// {N, ...} to {N, 1, ...}: one sum for each sample.
Tensor sum_samples(const Tensor& x);

// The column of the largest value in each row of a matrix {N, K}; ties go to the first.
Indices argmax_rows(const Tensor& x);

}  // namespace tobogan
