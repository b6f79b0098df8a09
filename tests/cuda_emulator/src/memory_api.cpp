// Memory by CUDA's names: allocations, copies and fills, with the checks that a copy can be given.
#include <cstring>
#include <memory>
#include <vector>

#include "memory.h"
#include "options.h"
#include "stream.h"

namespace cuda_emulator {
namespace {

bool copies_to_device(cudaMemcpyKind kind) {
  return kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice;
}
bool copies_from_device(cudaMemcpyKind kind) {
  return kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice;
}

void copy_bytes(void* to, const void* from, size_t bytes, bool to_device, bool from_device) {
  if (from_device && !to_device) msan_check(from, bytes);
  std::memcpy(to, from, bytes);
  if (from_device && to_device)
    msan_copy(to, from, bytes);
  else
    msan_unpoison(to, bytes);
}

cudaError_t copy(void* to, const void* from, size_t bytes, cudaMemcpyKind kind, cudaStream_t stream) {
  if (bytes == 0) return cudaSuccess;
  const Place destination = place_of(to), source = place_of(from);
  const bool to_device = destination.memory == Memory::kDevice, from_device = source.memory == Memory::kDevice;
  if ((destination.memory != Memory::kHost && destination.bytes_left < bytes) ||
      (source.memory != Memory::kHost && source.bytes_left < bytes))
    return refuse(cudaErrorInvalidValue, "cudaMemcpy reaches beyond an allocation");
  if (kind != cudaMemcpyDefault && (copies_to_device(kind) != to_device || copies_from_device(kind) != from_device))
    return refuse(cudaErrorInvalidValue, "cudaMemcpy's direction does not fit its pointers");
  if (source.memory == Memory::kHost) {  // pageable memory is staged when the copy is asked for, as the driver may
    // The closure alone holds the bytes, so that they die on the stream.
    auto staged =
        std::make_shared<std::vector<char>>(static_cast<const char*>(from), static_cast<const char*>(from) + bytes);
    return submit(
        stream, {.run = [=, staged = std::move(staged)] { copy_bytes(to, staged->data(), bytes, to_device, false); }});
  }
  return submit(stream, {.run = [=] { copy_bytes(to, from, bytes, to_device, from_device); }});
}

}  // namespace
}  // namespace cuda_emulator

using namespace cuda_emulator;

cudaError_t cudaMemGetInfo(size_t* free_bytes, size_t* total_bytes) {
  *total_bytes = options().device_bytes;
  *free_bytes = *total_bytes - device_bytes_used();
  msan_unpoison(free_bytes, sizeof *free_bytes);
  msan_unpoison(total_bytes, sizeof *total_bytes);
  return cudaSuccess;
}
cudaError_t cudaMalloc(void** pointer, size_t bytes) {
  RuntimeLock lock;
  if (const cudaError_t error = refuse_in_capture("cudaMalloc during a capture")) return error;
  return allocate(pointer, bytes, Memory::kDevice);
}
cudaError_t cudaFree(void* pointer) {
  RuntimeLock lock;
  if (const cudaError_t error = refuse_in_capture("cudaFree during a capture")) return error;
  drain_all_streams();  // CUDA waits for the device, too
  return release(pointer, Memory::kDevice);
}
cudaError_t cudaMallocAsync(void** pointer, size_t bytes, cudaStream_t stream) {
  RuntimeLock lock;
  if (stream_or_default(stream)->capture)
    return refuse(cudaErrorNotSupported, "allocations inside graphs are not emulated");
  return allocate(pointer, bytes, Memory::kDevice);
}
cudaError_t cudaFreeAsync(void* pointer, cudaStream_t stream) {
  RuntimeLock lock;
  if (stream_or_default(stream)->capture) return refuse(cudaErrorNotSupported, "frees inside graphs are not emulated");
  return submit(stream, {.run = [=] { release(pointer, Memory::kDevice); }});
}
cudaError_t cudaMallocHost(void** pointer, size_t bytes) {
  RuntimeLock lock;
  if (const cudaError_t error = refuse_in_capture("cudaMallocHost during a capture")) return error;
  return allocate(pointer, bytes, Memory::kPinned);
}
cudaError_t cudaHostAlloc(void** pointer, size_t bytes, unsigned) {
  return cudaMallocHost(pointer, bytes);
}
cudaError_t cudaFreeHost(void* pointer) {
  RuntimeLock lock;
  drain_all_streams();
  return release(pointer, Memory::kPinned);
}
cudaError_t cudaPointerGetAttributes(cudaPointerAttributes* attributes, const void* pointer) {
  const Memory memory = place_of(pointer).memory;
  void* p = const_cast<void*>(pointer);
  *attributes = {memory == Memory::kDevice   ? cudaMemoryTypeDevice
                 : memory == Memory::kPinned ? cudaMemoryTypeHost
                                             : cudaMemoryTypeUnregistered,
                 0, memory == Memory::kHost ? nullptr : p, memory == Memory::kDevice ? nullptr : p};
  msan_unpoison(attributes, sizeof *attributes);
  return cudaSuccess;
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind kind, cudaStream_t stream) {
  RuntimeLock lock;
  return copy(to, from, bytes, kind, stream);
}
cudaError_t cudaMemcpy(void* to, const void* from, size_t bytes, cudaMemcpyKind kind) {
  RuntimeLock lock;
  if (const cudaError_t error = refuse_in_capture("cudaMemcpy during a capture")) return error;
  const cudaError_t error = copy(to, from, bytes, kind, nullptr);
  if (error == cudaSuccess) synchronize(stream_or_default(nullptr));
  return error;
}
cudaError_t cudaMemsetAsync(void* to, int byte, size_t bytes, cudaStream_t stream) {
  RuntimeLock lock;
  if (bytes == 0) return cudaSuccess;
  const Place place = place_of(to);
  if (place.memory != Memory::kDevice || place.bytes_left < bytes)
    return refuse(cudaErrorInvalidValue, "cudaMemset reaches beyond device memory");
  return submit(stream, {.run = [=] {
                  std::memset(to, byte, bytes);
                  msan_unpoison(to, bytes);
                }});
}
cudaError_t cudaMemset(void* to, int byte, size_t bytes) {
  return cudaMemsetAsync(to, byte, bytes, nullptr);
}
