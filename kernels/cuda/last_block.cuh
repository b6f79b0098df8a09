// How a result that many blocks share is finished by the last of them, without a second kernel and in a fixed order.
#pragma once
#include "kernels/cuda/device.cuh"

namespace tobogan::kernels {

// True for all threads of the last of `blocks` blocks to come here with this counter (CudaMachine::counters()); it sees
// what the others have written to global memory before, read with __ldcg.  REQUIRES: all threads of the block come.
__device__ __forceinline__ bool last_block(unsigned* counter, unsigned blocks) {
  SHARED(bool, is_last, [1]);
  __threadfence();  // what this thread has written is seen before the count
  __syncthreads();
  if (threadIdx.x == 0) {
    is_last[0] = atomicInc(counter, blocks - 1) == blocks - 1;
    __threadfence();
  }
  __syncthreads();
  return is_last[0];
}

}  // namespace tobogan::kernels
