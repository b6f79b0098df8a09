// A convolution's epilogue in passes of their own over the images, for machines that do not fuse it.
#pragma once
#include "kernels/conv.h"

namespace tobogan::kernels {

// Does to `images`, sums of a convolution as a matrix rows x columns (channels), in place, what the epilogue says.
template <class Machine>
void apply_epilogue(Machine on, const ConvEpilogue& epilogue, int64_t rows, int64_t columns, Real* images) {
  const Activation how = epilogue.activation;
  if (epilogue.activated == nullptr && epilogue.changes_sums())
    activate(on, how, rows, columns, images, epilogue.bias, images);
  // Statistics of a way back take the derivative along; without one, that of the identity, to which any result will do.
  const Activation back = epilogue.activated != nullptr ? how : Activation{};
  const Real* result = epilogue.activated != nullptr ? epilogue.activated : images;
  if (const auto* sums = std::get_if<ConvEpilogue::Sums>(&epilogue.statistics)) {
    activate_grad(on, back, rows, columns, images, result, images, sums->sums);
  } else if (const auto* normal = std::get_if<NormalizeSums>(&epilogue.statistics)) {
    normalize_grad_sums(on, back, rows, columns, images, result, *normal, images);
  } else {
    if (epilogue.activated != nullptr) activate_grad(on, how, rows, columns, images, result, images);
    if (const auto* moments = std::get_if<ColumnMoments>(&epilogue.statistics))
      column_moments(on, rows, columns, images, *moments);
  }
}

}  // namespace tobogan::kernels
