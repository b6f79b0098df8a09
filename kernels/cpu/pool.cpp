// Max pooling and the maps along its choices: whole pixels (batch x channels) at a time, so every loop is over
// elements.
#include "kernels/pool.h"

#include "kernels/cpu/loops.h"

namespace tobogan::kernels {
namespace {

// A half-open range of positions.
struct Range {
  int begin, end;
};

// The input positions of window `o` along one axis.
Range window(int o, int in, int kernel, int stride, int pad) {
  const int first = o * stride - pad;
  return {std::max(first, 0), std::min(first + kernel, in)};
}

// The windows that hold position `p` along one axis.
Range windows_of(int p, int out, int kernel, int stride, int pad) {
  const int reach = p + pad - kernel;  // the first window begins after it
  return {reach < 0 ? 0 : reach / stride + 1, std::min((p + pad) / stride + 1, out)};
}

// y, choice: the largest of the window so far, with its pixel.
void take_larger(int64_t size, int32_t pixel, const Real* x, Real* y, int32_t* choice) {
#pragma GCC ivdep
  for (int64_t e = 0; e < size; ++e) {
    const bool wins = (x[e] > y[e]) | (x[e] != x[e]);  // NaN wins, as it should show
    y[e] = wins ? x[e] : y[e];
    choice[e] = wins ? pixel : choice[e];
  }
}

}  // namespace

void max_pool2d(Cpu on, const PoolDims& dims, const Real* x, Real* y, int32_t* choice) {
  const int64_t block = dims.block, cost = block * dims.kernel_h * dims.kernel_w;
  for_rows(on, static_cast<int64_t>(dims.out_h) * dims.out_w, cost, [=, &dims](int64_t begin, int64_t end) {
    for (int64_t o = begin; o < end; ++o) {
      const int out_row = static_cast<int>(o / dims.out_w), out_column = static_cast<int>(o % dims.out_w);
      const Range rows = window(out_row, dims.in_h, dims.kernel_h, dims.stride_h, dims.pad_top);
      const Range columns = window(out_column, dims.in_w, dims.kernel_w, dims.stride_w, dims.pad_left);
      for_pieces(0, block, [&](int64_t e, int64_t size) {
        Real* best = y + o * block + e;
        int32_t* chosen = choice + o * block + e;
        const int32_t first = rows.begin * dims.in_w + columns.begin;
        std::copy_n(x + first * block + e, size, best);
        std::fill_n(chosen, size, first);
        for (int r = rows.begin; r < rows.end; ++r) {
          for (int c = columns.begin; c < columns.end; ++c) {
            const int32_t pixel = r * dims.in_w + c;
            if (pixel != first) take_larger(size, pixel, x + pixel * block + e, best, chosen);
          }
        }
      });
    }
  });
}

void pool_gather(Cpu on, const PoolDims& dims, const Real* x, const int32_t* choice, Real* y) {
  const int64_t block = dims.block;
  for_rows(on, static_cast<int64_t>(dims.out_h) * dims.out_w, block, [=](int64_t begin, int64_t end) {
    for (int64_t o = begin; o < end; ++o) {
      const int32_t* chosen = choice + o * block;
      for (int64_t e = 0; e < block; ++e) y[o * block + e] = x[chosen[e] * block + e];
    }
  });
}

void pool_scatter(Cpu on, const PoolDims& dims, const Real* y, const int32_t* choice, Real* x) {
  // Every input pixel asks the windows that hold it: nothing is written twice, and the order of the sum is fixed.
  const int64_t block = dims.block;
  for_rows(on, static_cast<int64_t>(dims.in_h) * dims.in_w, block, [=, &dims](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; ++p) {
      const int in_row = static_cast<int>(p / dims.in_w), in_column = static_cast<int>(p % dims.in_w);
      const Range rows = windows_of(in_row, dims.out_h, dims.kernel_h, dims.stride_h, dims.pad_top);
      const Range columns = windows_of(in_column, dims.out_w, dims.kernel_w, dims.stride_w, dims.pad_left);
      const int32_t pixel = static_cast<int32_t>(p);
      Real* sum = x + p * block;
      bool first = true;
      for (int r = rows.begin; r < rows.end; ++r) {
        for (int c = columns.begin; c < columns.end; ++c) {
          const int64_t o = static_cast<int64_t>(r) * dims.out_w + c;
          const Real* from = y + o * block;
          const int32_t* chosen = choice + o * block;
          if (first) {
#pragma GCC ivdep
            for (int64_t e = 0; e < block; ++e) sum[e] = (chosen[e] == pixel ? from[e] : Real(0)) + Real(0);  // no -0
          } else {
#pragma GCC ivdep
            for (int64_t e = 0; e < block; ++e) sum[e] += chosen[e] == pixel ? from[e] : Real(0);
          }
          first = false;
        }
      }
      if (first) std::fill_n(sum, block, Real(0));
    }
  });
}

}  // namespace tobogan::kernels
