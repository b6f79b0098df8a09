// Picking by index: embeddings and labels.
//
// An index outside of what it picks from throws Error on the CPU; a GPU, which would have to be waited for, does not
// look: REQUIRES, there, that it is inside.  An operation remembers the Indices it was given, not a copy.
#pragma once
#include "engine/tensor.h"

namespace tobogan {

// Rows of table {K, C} by index: {N, C}.
Tensor embedding(const Tensor& table, const Indices& index);
// {N, C} summed into the rows of a {rows, C} table by index: the adjoint.
Tensor scatter_rows(const Tensor& x, const Indices& index, int rows);

// The element of each row of x {N, K} that index names: {N}.
Tensor pick(const Tensor& x, const Indices& index);
// {N} to {N, columns}, zero but in the column that index names: the adjoint.
Tensor unpick(const Tensor& x, const Indices& index, int columns);

// {N, classes} with a 1 in the column of each label.
Tensor one_hot(const Indices& labels, int classes);

}  // namespace tobogan
