// Devices and errors.
#include <cuda_emulator/launch.h>

#include <cstring>
#include <map>
#include <set>
#include <string>

#include "memory.h"
#include "options.h"
#include "report.h"
#include "stream.h"

namespace cuda_emulator {
namespace {

cudaError_t last_error = cudaSuccess;

}  // namespace

cudaError_t refuse(cudaError_t error, const char* reason) {
  if (reason) note("%s: %s", cudaGetErrorName(error), reason);
  return last_error = error;
}

}  // namespace cuda_emulator

using namespace cuda_emulator;

cudaError_t cudaGetDeviceCount(int* count) {
  *count = 1;
  msan_unpoison(count, sizeof *count);
  return cudaSuccess;
}
cudaError_t cudaSetDevice(int device) {
  return device == 0 ? cudaSuccess : refuse(cudaErrorInvalidDevice);
}
cudaError_t cudaGetDevice(int* device) {
  *device = 0;
  msan_unpoison(device, sizeof *device);
  return cudaSuccess;
}

// A Hopper in what kernels can ask for, but small, so that "one block per multiprocessor" stays quick.
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* p, int device) {
  if (device != 0) return refuse(cudaErrorInvalidDevice);
  *p = {};
  std::strcpy(p->name, "CUDA on the CPU (emulated)");
  p->totalGlobalMem = options().device_bytes;
  p->sharedMemPerBlock = SharedMemory::kMaxStaticBytes;
  p->sharedMemPerBlockOptin = options().shared_bytes;
  p->sharedMemPerMultiprocessor = 228 << 10;
  p->regsPerBlock = p->regsPerMultiprocessor = 65536;
  p->warpSize = 32;
  p->maxThreadsPerBlock = 1024;
  p->maxThreadsPerMultiProcessor = 2048;
  p->major = 9;
  p->multiProcessorCount = options().multiprocessors;
  p->l2CacheSize = 1 << 20;
  msan_unpoison(p, sizeof *p);
  return cudaSuccess;
}

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int device) {
  cudaDeviceProp p;
  if (const cudaError_t error = cudaGetDeviceProperties(&p, device)) return error;
  const std::map<cudaDeviceAttr, size_t> values = {
      {cudaDevAttrMaxThreadsPerBlock, size_t(p.maxThreadsPerBlock)},
      {cudaDevAttrMaxSharedMemoryPerBlock, p.sharedMemPerBlock},
      {cudaDevAttrWarpSize, size_t(p.warpSize)},
      {cudaDevAttrMultiProcessorCount, size_t(p.multiProcessorCount)},
      {cudaDevAttrL2CacheSize, size_t(p.l2CacheSize)},
      {cudaDevAttrMaxThreadsPerMultiProcessor, size_t(p.maxThreadsPerMultiProcessor)},
      {cudaDevAttrComputeCapabilityMajor, size_t(p.major)},
      {cudaDevAttrComputeCapabilityMinor, size_t(p.minor)},
      {cudaDevAttrMaxSharedMemoryPerMultiprocessor, p.sharedMemPerMultiprocessor},
      {cudaDevAttrMaxSharedMemoryPerBlockOptin, p.sharedMemPerBlockOptin},
      {cudaDevAttrMemoryPoolsSupported, 1}};
  const auto found = values.find(attribute);
  if (found == values.end()) return refuse(cudaErrorInvalidValue, "this device attribute is not emulated");
  *value = int(found->second);
  msan_unpoison(value, sizeof *value);
  return cudaSuccess;
}

cudaError_t cudaDriverGetVersion(int* version) {
  *version = 13000;
  msan_unpoison(version, sizeof *version);
  return cudaSuccess;
}
cudaError_t cudaRuntimeGetVersion(int* version) {
  return cudaDriverGetVersion(version);
}
cudaError_t cudaDeviceSynchronize() {
  RuntimeLock lock;
  if (const cudaError_t error = refuse_in_capture("cudaDeviceSynchronize during a capture", true)) return error;
  drain_all_streams();
  return cudaSuccess;
}
cudaError_t cudaDeviceReset() {
  return cudaDeviceSynchronize();
}

cudaError_t cudaPeekAtLastError() {
  return last_error;
}
cudaError_t cudaGetLastError() {
  return std::exchange(last_error, cudaSuccess);
}

namespace {
struct ErrorText {
  cudaError_t error;
  const char *name, *text;
};
const ErrorText& text_of(cudaError_t error) {
  static const ErrorText texts[] = {
      {cudaErrorUnknown, "cudaErrorUnknown", "unknown error"},
      {cudaSuccess, "cudaSuccess", "no error"},
      {cudaErrorInvalidValue, "cudaErrorInvalidValue", "invalid argument"},
      {cudaErrorMemoryAllocation, "cudaErrorMemoryAllocation", "out of memory"},
      {cudaErrorInvalidConfiguration, "cudaErrorInvalidConfiguration", "invalid configuration argument"},
      {cudaErrorInvalidDevice, "cudaErrorInvalidDevice", "invalid device ordinal"},
      {cudaErrorInvalidResourceHandle, "cudaErrorInvalidResourceHandle", "invalid resource handle"},
      {cudaErrorNotReady, "cudaErrorNotReady", "device not ready"},
      {cudaErrorNotSupported, "cudaErrorNotSupported", "operation not supported"},
      {cudaErrorStreamCaptureUnsupported, "cudaErrorStreamCaptureUnsupported",
       "operation not permitted when stream is capturing"},
      {cudaErrorStreamCaptureInvalidated, "cudaErrorStreamCaptureInvalidated",
       "operation failed due to a previous error during capture"},
      {cudaErrorStreamCaptureUnjoined, "cudaErrorStreamCaptureUnjoined", "capturing stream has unjoined work"}};
  for (const ErrorText& t : texts)
    if (t.error == error) return t;
  return texts[0];
}
}  // namespace
const char* cudaGetErrorName(cudaError_t error) {
  return text_of(error).name;
}
const char* cudaGetErrorString(cudaError_t error) {
  return text_of(error).text;
}

cudaError_t cudaFuncGetName(const char** name, const void* kernel) {
  static auto* names = new std::set<std::string>;  // keeps the characters
  RuntimeLock lock;
  *name = names->insert(kernel_name(kernel)).first->c_str();
  msan_unpoison(name, sizeof *name);
  return cudaSuccess;
}
