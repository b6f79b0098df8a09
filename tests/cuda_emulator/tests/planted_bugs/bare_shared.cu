// Must not compile with the emulator: no checker would see this memory.
#include "kernels/cuda/device.cuh"

__global__ void __launch_bounds__(32) kernel(float* y) {
  __shared__ float tile[32];
  y[threadIdx.x] = tile[threadIdx.x];
}
