// The micro-kernels for any processor: 16 registers of 16 bytes, or whatever the compiler makes of them.
#include "kernels/cpu/gemm_tile_code.h"

namespace tobogan::kernels {

const MicroKernels& portable_kernels() {
  static constexpr MicroKernels kTable = TileCode<16, 0>::table<8, 6, 4, 0>("portable", 2);
  return kTable;
}

}  // namespace tobogan::kernels
