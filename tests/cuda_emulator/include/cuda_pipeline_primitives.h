// cp.async by CUDA's C names.  See ptx.h for when the copies happen.
#pragma once
#include <cuda_emulator/ptx.h>
#include <cuda_runtime.h>

inline void __pipeline_memcpy_async(void* to, const void* from, size_t bytes, size_t zero_bytes = 0) {
  cuda_emulator::copy_async(to, from, bytes, zero_bytes);
}
inline void __pipeline_commit() {
  cuda_emulator::commit_copies();
}
inline void __pipeline_wait_prior(int groups_left) {
  cuda_emulator::wait_for_copies(groups_left);
}
