// The micro-kernels for processors with AVX2 and FMA: 16 registers of 32 bytes.
#include "kernels/cpu/gemm_tile_code.h"

namespace tobogan::kernels {

const MicroKernels& avx2_kernels() {
  static constexpr MicroKernels kTable = TileCode<32, 0>::table<8, 6, 4, 0>("AVX2", 2);
  return kTable;
}

}  // namespace tobogan::kernels
