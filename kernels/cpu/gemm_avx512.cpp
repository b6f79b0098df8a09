// The micro-kernels for processors with AVX-512: 32 registers of 64 bytes.
#include "kernels/cpu/gemm_tile_code.h"

namespace tobogan::kernels {

const MicroKernels& avx512_kernels() {
  static constexpr MicroKernels kTable = TileCode<64, 8>::table<8, 8, 8, 4>("AVX-512", 3);
  return kTable;
}

}  // namespace tobogan::kernels
