// What the inlined twins tell the profiler.
#include "recorder.h"

#define CUDA_EMULATOR_PROFILE 1  // declares what profiled kernels call
#include <cuda_emulator/ptx.h>

#include "block.h"

namespace cuda_emulator {

constinit Recorder* recorder = nullptr;

void record_fma() {
  if (recorder) recorder->fma();
}
void record_tensor_op(int multiply_adds, bool bf16) {
  if (recorder) recorder->tensor_op(multiply_adds, bf16);
}
void load_shared_row(void* to, const void* row) {
  if (recorder) recorder->access(running_block->current(), row, 16, Space::kShared, false, __builtin_return_address(0));
  std::memcpy(to, row, 16);
}

}  // namespace cuda_emulator
