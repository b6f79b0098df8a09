// Bytes between the host and a machine's memory.
#pragma once
#include <cstring>

#include "kernels/device.h"

namespace tobogan::kernels {

// Copies `bytes` bytes from host memory to the machine's, or back; returns when the host side may be used.  For no
// bytes the pointers may be null.
inline void from_host(Cpu, size_t bytes, const void* host, void* device) {
  if (bytes > 0) std::memcpy(device, host, bytes);
}
inline void to_host(Cpu, size_t bytes, const void* device, void* host) {
  if (bytes > 0) std::memcpy(host, device, bytes);
}
void from_host(Cuda on, size_t bytes, const void* host, void* device);
void to_host(Cuda on, size_t bytes, const void* device, void* host);

// Returns when all that was put into the machine's stream has been done.
inline void wait_for(Cpu) {}
void wait_for(Cuda on);

}  // namespace tobogan::kernels
