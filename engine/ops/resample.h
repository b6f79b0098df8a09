// Linear maps between pixel grids: average pooling, resizing, padding and cropping of images {N, C, H, W}.
//
// Each is a pair of maps, one for the rows and one for the columns, given to the same kernel; the derivative is the
// transposed pair.
#pragma once
#include "engine/ops/pool.h"
#include "kernels/pixels.h"

namespace tobogan {

// Image rows mapped by `rows`, columns by `columns`.
Tensor resample(const Tensor& x, const kernels::AxisMap& rows, const kernels::AxisMap& columns);

// The mean of each window; pixels of the padding are left out of the mean.
Tensor avg_pool2d(const Tensor& x, const PoolOptions& options = {});
// {N, C, H, W} to {N, C, height, width}: output i averages the pixels from floor(i * H / height) to
// ceil((i + 1) * H / height), as PyTorch's adaptive pooling does.
Tensor adaptive_avg_pool2d(const Tensor& x, Size2 size);

// Every pixel repeated factor x factor times.
Tensor upsample_nearest(const Tensor& x, int factor);

enum class ResizeRule {
  kHalfPixel,   // pixel centres at i + 1/2: PyTorch's align_corners = False
  kTensorFlow1  // src = dst * in / out, no shift
};
// Bilinear interpolation, clamped at the border.
Tensor resize_bilinear(const Tensor& x, Size2 size, ResizeRule rule = ResizeRule::kHalfPixel);

// Zeros around; negative numbers crop.
Tensor pad_zero2d(const Tensor& x, const Padding& padding);
// Mirrored around the border pixel, which is not repeated.  REQUIRES: padding smaller than the image.
Tensor pad_reflect2d(const Tensor& x, const Padding& padding);

}  // namespace tobogan
