// Convolutions whose result has very few channels: a tile would be nearly empty.
#pragma once
#include "kernels/conv.h"

namespace tobogan::kernels {

// conv_transpose2d to few channels in two steps: what each small pixel sends to each tap (a dense product), then for
// each big pixel the sum of what was sent to it.  REQUIRES: small_channels is a multiple of 4.
void transpose_to_few(Cuda on, const ConvDims& dims, const float* small, const float* weight, float* big,
                      const ConvEpilogue& epilogue);

// conv2d to few channels, a block for each result pixel.  REQUIRES: big_channels is a multiple of 4.
void conv_to_few(Cuda on, const ConvDims& dims, const float* big, const float* weight, float* small,
                 const ConvEpilogue& epilogue);

}  // namespace tobogan::kernels
