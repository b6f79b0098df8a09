// The options in force; fixed by the first use of the runtime.
#pragma once
#include <cuda_emulator.h>

namespace cuda_emulator {

extern Options active_options;
inline const Options& options() {
  return active_options;
}

}  // namespace cuda_emulator
