// Up to four axes in memory order, outermost first, and how far one step along each moves a pointer.
//
// Broadcasting is a stride of 0, a permutation is strides in another order, a slice is a larger stride than the size.
// What the axes mean (an image batch is [H][W][N][C]) is the business of the operations above.
#pragma once
#include <array>

#include "kernels/device.h"

namespace tobogan::kernels {

struct Extents {
  std::array<int64_t, 4> size{1, 1, 1, 1};  // outermost first; unused axes are 1
  int64_t count() const { return size[0] * size[1] * size[2] * size[3]; }
};

struct Strides {
  std::array<int64_t, 4> step{0, 0, 0, 0};  // in elements; 0 repeats
};

}  // namespace tobogan::kernels
