// The three convolutions.  Each is the gradient of the other two, and all three share one struct of sizes.
//
// "big" is the side a convolution reads and a transposed convolution writes.  The input pixel (y, x) of big meets the
// output pixel (i, j) of small under the tap (u, v) where y = i * stride_h + u * dilation_h - pad_top and
// x = j * stride_w + v * dilation_w - pad_left, if both exist.  Padding at the end and crops of a transposed
// convolution are not numbers of their own: they follow from the sizes of the two sides.
//
// In memory an image batch is [pixel row][pixel column][image][channel] and a weight {small channels, big channels,
// kernel_h, kernel_w}, being a tensor of four axes too, is [tap row][tap column][small channel][big channel].
#pragma once
#include <variant>

#include "kernels/normalize.h"

namespace tobogan::kernels {

struct ConvDims {
  int batch = 0;
  int big_channels = 0, big_h = 0, big_w = 0;
  int small_channels = 0, small_h = 0, small_w = 0;
  int kernel_h = 0, kernel_w = 0;
  int stride_h = 1, stride_w = 1;
  int pad_top = 0, pad_left = 0;
  int dilation_h = 1, dilation_w = 1;

  bool operator==(const ConvDims&) const = default;
};

// A side of so many channels at most, as an image has them, would leave most of a tile empty: it gets other ways.
inline constexpr int kFewChannels = 4;

// What happens to the sums of a convolution on their way out, and what is found out about them, where the images are a
// matrix whose columns are the channels.
struct ConvEpilogue {
  // activation(sum + bias[channel]) as activate() does it; bias may be null.
  const Real* bias = nullptr;
  Activation activation = {};
  // On a way back instead: the sum times the derivative of the activation where the activation's result was this
  // (images like the convolution's own).
  const Real* activated = nullptr;
  // Of what comes out: the sums of the columns; their moments; the sums of the way back of a normalisation, where what
  // comes out is g.
  struct Sums {
    Real* sums;
  };
  std::variant<std::monostate, Sums, ColumnMoments, NormalizeSums> statistics = {};

  bool changes_sums() const { return bias != nullptr || !activation.is_identity(); }
};

// small = epilogue(convolution of big with weight).
void conv2d(Cpu on, const ConvDims& dims, const Real* big, const Real* weight, Real* small,
            const ConvEpilogue& epilogue = {});
void conv2d(Cuda on, const ConvDims& dims, const Real* big, const Real* weight, Real* small,
            const ConvEpilogue& epilogue = {});
void conv2d(Cudnn on, const ConvDims& dims, const Real* big, const Real* weight, Real* small,
            const ConvEpilogue& epilogue = {});

// big = epilogue(transposed convolution of small with weight), which is the gradient of conv2d with respect to big.
void conv_transpose2d(Cpu on, const ConvDims& dims, const Real* small, const Real* weight, Real* big,
                      const ConvEpilogue& epilogue = {});
void conv_transpose2d(Cuda on, const ConvDims& dims, const Real* small, const Real* weight, Real* big,
                      const ConvEpilogue& epilogue = {});
void conv_transpose2d(Cudnn on, const ConvDims& dims, const Real* small, const Real* weight, Real* big,
                      const ConvEpilogue& epilogue = {});

// weight = the gradient of <conv2d(big, weight), small> with respect to weight.
void conv2d_weight(Cpu on, const ConvDims& dims, const Real* big, const Real* small, Real* weight);
void conv2d_weight(Cuda on, const ConvDims& dims, const Real* big, const Real* small, Real* weight);
void conv2d_weight(Cudnn on, const ConvDims& dims, const Real* big, const Real* small, Real* weight);

}  // namespace tobogan::kernels
