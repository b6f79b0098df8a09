// Memory comes from the device's own pool and goes back there.
#include "engine/memory.h"

#include "kernels/cpu/memory_pool.h"
#include "kernels/transfer.h"
#ifdef TOBOGAN_WITH_CUDA
#include "kernels/cuda/memory_pool.h"
#endif

namespace tobogan {

Storage::Storage(const Device& device, size_t bytes)
    : device_(device), bytes_(bytes), data_(dispatch(device, [&](auto on) { return on.pool->take(bytes); })) {}

Storage::Storage(const Device& device, const void* constant)
    : device_(device), bytes_(0), data_(const_cast<void*>(constant)), owned_(false) {}

Storage::~Storage() {
  // Not by dispatch(): a pool needs no GPU to be chosen for it, which may fail, and a destructor must not.
  if (owned_) std::visit([&](const auto& on) { on.pool->give(data_, bytes_); }, device_);
}

void copy_from_host(const Device& device, size_t bytes, const void* host, void* data) {
  dispatch(device, [&](auto on) { kernels::from_host(on, bytes, host, data); });
}

void copy_to_host(const Device& device, size_t bytes, const void* data, void* host) {
  dispatch(device, [&](auto on) { kernels::to_host(on, bytes, data, host); });
}

}  // namespace tobogan
