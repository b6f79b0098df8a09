// Max pooling.  Average pooling is a linear map between pixel grids: see resample.h.
#pragma once
#include "engine/ops/conv.h"

namespace tobogan {

struct PoolOptions {
  Size2 kernel = 2;
  Size2 stride = 2;
  Padding padding = {};
  bool ceil = false;  // a last window that is only partly inside the image counts too
};

// Throws Error, beginning with the operation's name, unless x is a batch of images that have pixels, the window and its
// strides are at least 1 and the padding is explicit, not negative and at most half a window.
void check_pool(const char* operation, const Tensor& x, const PoolOptions& options);

// The largest element of each window of x {N, C, H, W}.  Padding never wins.
Tensor max_pool2d(const Tensor& x, const PoolOptions& options = {});

// How many windows fit along one axis of `size` pixels, by the rules of PyTorch: with ceil, none starts in the padding
// at the end.
int pooled_size(int size, int kernel, int stride, int before, int after, bool ceil);

}  // namespace tobogan
