// The choices of the forward pass are kept, and everything after it is a gather or a scatter along them.
#include "engine/ops/pool.h"

#include <algorithm>

#include "engine/autograd.h"
#include "kernels/pool.h"

namespace tobogan {
namespace {

using kernels::PoolDims;

Tensor pool_gather(const Tensor& x, const Indices& choice, const PoolDims& d, const Shape& small, const Shape& big);

Tensor pool_scatter(const Tensor& y, const Indices& choice, const PoolDims& d, const Shape& small, const Shape& big) {
  Tensor x(big, y.device());
  dispatch(y.device(), [&](auto on) { kernels::pool_scatter(on, d, y.data(), choice.data(), x.data()); });
  return record(x, {{y, [=](const Tensor& dx, const Tensor&) { return pool_gather(dx, choice, d, small, big); }}});
}

Tensor pool_gather(const Tensor& x, const Indices& choice, const PoolDims& d, const Shape& small, const Shape& big) {
  Tensor y(small, x.device());
  dispatch(x.device(), [&](auto on) { kernels::pool_gather(on, d, x.data(), choice.data(), y.data()); });
  return record(y, {{x, [=](const Tensor& dy, const Tensor&) { return pool_scatter(dy, choice, d, small, big); }}});
}

}  // namespace

int pooled_size(int size, int kernel, int stride, int before, int after, bool ceil) {
  const int room = size + before + after - kernel + (ceil ? stride - 1 : 0);
  if (room < 0) return 0;
  const int count = room / stride + 1;
  return ceil && (count - 1) * stride >= size + before ? count - 1 : count;
}

void check_pool(const char* operation, const Tensor& x, const PoolOptions& o) {
  const Padding& p = o.padding;
  check_images(operation, x);
  check(std::min({o.kernel.h, o.kernel.w, o.stride.h, o.stride.w}) >= 1, operation,
        ": expected a window and strides of at least 1, got a window of ", o.kernel.h, " x ", o.kernel.w,
        " and strides of ", o.stride.h, " and ", o.stride.w);
  check(!p.is_same && std::min({p.top, p.bottom, p.left, p.right}) >= 0 &&
            std::max(p.top, p.bottom) <= o.kernel.h / 2 && std::max(p.left, p.right) <= o.kernel.w / 2,
        operation, ": expected explicit padding of at most half a window of ", o.kernel.h, " x ", o.kernel.w);
}

Tensor max_pool2d(const Tensor& x, const PoolOptions& o) {
  check_pool("max_pool2d", x, o);
  const Shape& s = x.shape();
  const Padding& p = o.padding;
  const int out_h = pooled_size(s[2], o.kernel.h, o.stride.h, p.top, p.bottom, o.ceil);
  const int out_w = pooled_size(s[3], o.kernel.w, o.stride.w, p.left, p.right, o.ceil);
  check(out_h >= 1 && out_w >= 1, "max_pool2d: a window of ", o.kernel.h, " x ", o.kernel.w,
        " does not fit into shape ", s);
  const PoolDims d{.block = int64_t{s[0]} * s[1],
                   .in_h = s[2],
                   .in_w = s[3],
                   .out_h = out_h,
                   .out_w = out_w,
                   .kernel_h = o.kernel.h,
                   .kernel_w = o.kernel.w,
                   .stride_h = o.stride.h,
                   .stride_w = o.stride.w,
                   .pad_top = p.top,
                   .pad_left = p.left};
  const Shape small{s[0], s[1], out_h, out_w};
  Tensor y(small, x.device());
  Indices choice(y.count(), x.device());
  dispatch(x.device(), [&](auto on) { kernels::max_pool2d(on, d, x.data(), y.data(), choice.data()); });
  return record(
      y, {{x, [=, big = s](const Tensor& dy, const Tensor&) { return pool_scatter(dy, choice, d, small, big); }}});
}

}  // namespace tobogan
