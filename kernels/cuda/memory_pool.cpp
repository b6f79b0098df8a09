// Free blocks of a size class form a stack, once for everybody and once for each lease.  Classes are an eighth of a
// power of two apart, as on the CPU.  Small blocks are cut from slabs: cudaMalloc takes some hundred microseconds and
// rounds to two megabytes.
#include "kernels/cuda/memory_pool.h"

#include <algorithm>
#include <bit>
#include <mutex>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <vector>

#include "kernels/cuda/check.h"

namespace tobogan::kernels {
namespace {

constexpr size_t kAlignment = 256;
constexpr size_t kSmall = size_t{1} << 20;
constexpr size_t kSlab = size_t{8} << 20;

size_t size_class(size_t bytes) {
  const size_t units = std::max<size_t>(1, (bytes + kAlignment - 1) / kAlignment);
  if (units <= 8) return units * kAlignment;
  const int shift = std::bit_width(units - 1) - 4;  // so that units >> shift lies in 8..16
  return ((((units - 1) >> shift) + 1) << shift) * kAlignment;
}

using FreeBlocks = std::unordered_map<size_t, std::vector<void*>>;  // by size class

void* pop(FreeBlocks& free, size_t bytes) {
  const auto found = free.find(bytes);
  if (found == free.end() || found->second.empty()) return nullptr;
  void* block = found->second.back();
  found->second.pop_back();
  return block;
}

std::string mebibytes(size_t bytes) {
  return std::to_string((bytes + (size_t{1} << 20) - 1) >> 20) + " MiB";
}

}  // namespace

struct CudaPool::Lease::Blocks {
  FreeBlocks free;
};

struct CudaPool::State {
  struct Block {
    size_t bytes;
    Lease::Blocks* lease;  // or null
    bool of_slab;
  };
  cudaStream_t stream;
  bool reuse;
  mutable std::mutex mutex;
  std::unordered_map<void*, Block> blocks;
  FreeBlocks free;
  Lease::Blocks* open = nullptr;
  std::vector<void*> slabs;
  char* slab = nullptr;  // what is left of the newest slab
  size_t slab_left = 0;
  size_t in_use = 0, reserved = 0;

  void* take(size_t bytes);
  void* allocate(size_t bytes);
  void* from_device(size_t bytes);
  void give(void* block);
  void trim();
};

// Memory of the device; when there is none left, after what lies about unused has been returned.
void* CudaPool::State::from_device(size_t bytes) {
  void* block = nullptr;
  cudaError_t error = cudaMalloc(&block, bytes);
  if (error == cudaErrorMemoryAllocation) {
    cudaGetLastError();
    trim();
    error = cudaMalloc(&block, bytes);
  }
  if (error == cudaErrorMemoryAllocation) {
    cudaGetLastError();
    size_t free_bytes = 0, total = 0;
    cudaMemGetInfo(&free_bytes, &total);
    throw std::runtime_error("out of GPU memory: " + mebibytes(bytes) + " wanted, " + mebibytes(reserved) +
                             " held by this program, " + mebibytes(free_bytes) + " of " + mebibytes(total) + " free");
  }
  check_cuda(error, "cudaMalloc");
  reserved += bytes;
  return block;
}

void* CudaPool::State::allocate(size_t bytes) {
  if (!reuse || bytes > kSmall) {
    void* block = from_device(bytes);
    blocks[block] = {bytes, open, false};
    return block;
  }
  if (slab_left < bytes) {
    // What is left of the old slab serves smaller requests.
    while (slab_left >= kAlignment) {
      const size_t piece = std::min(std::bit_floor(slab_left), kSmall);
      blocks[slab] = {piece, nullptr, true};
      free[piece].push_back(slab);
      slab += piece, slab_left -= piece;
    }
    slab = static_cast<char*>(from_device(kSlab));
    slabs.push_back(slab);
    slab_left = kSlab;
  }
  void* block = slab;
  slab += bytes, slab_left -= bytes;
  blocks[block] = {bytes, open, true};
  return block;
}

void* CudaPool::State::take(size_t bytes) {
  if (open) {
    if (void* block = pop(open->free, bytes)) return block;
  }
  if (void* block = pop(free, bytes)) {
    blocks.at(block).lease = open;
    return block;
  }
  return allocate(bytes);
}

void CudaPool::State::give(void* pointer) {
  Block& block = blocks.at(pointer);
  if (open && !block.lease) block.lease = open;  // what is being captured may have used it
  if (block.lease) {
    block.lease->free[block.bytes].push_back(pointer);
  } else if (reuse) {
    free[block.bytes].push_back(pointer);
  } else {
    reserved -= block.bytes;
    blocks.erase(pointer);
    cudaFree(pointer);  // an error is that of work before: who waits for that hears of it, and destructors come here
  }
}

// Waits for its own stream, not for the device: another thread may be capturing a step, which that would break.  While a
// lease is open the stream itself is captured and must not be waited for; what is free outside the lease has been so
// since before, when there was nothing left to wait for.
void CudaPool::State::trim() {
  if (!open) cudaStreamSynchronize(stream);
  for (auto& [bytes, list] : free) {
    std::erase_if(list, [&](void* pointer) {
      const auto block = blocks.find(pointer);
      if (block->second.of_slab) return false;
      reserved -= block->second.bytes;
      blocks.erase(block);
      cudaFree(pointer);
      return true;
    });
  }
}

CudaPool::CudaPool(CUstream_st* stream, bool reuse) : state_(std::make_unique<State>()) {
  state_->stream = stream;
  state_->reuse = reuse;
}

CudaPool::~CudaPool() {
  state_->trim();
  for (void* slab : state_->slabs) cudaFree(slab);
}

void* CudaPool::take(size_t bytes) {
  const std::lock_guard lock(state_->mutex);
  const size_t rounded = state_->reuse ? size_class(bytes) : std::max<size_t>(bytes, 1);
  void* block = state_->take(rounded);
  state_->in_use += rounded;
  return block;
}

void CudaPool::give(void* block, size_t bytes) {
  const std::lock_guard lock(state_->mutex);
  state_->in_use -= state_->reuse ? size_class(bytes) : std::max<size_t>(bytes, 1);
  state_->give(block);
}

size_t CudaPool::bytes_in_use() const {
  const std::lock_guard lock(state_->mutex);
  return state_->in_use;
}

size_t CudaPool::bytes_reserved() const {
  const std::lock_guard lock(state_->mutex);
  return state_->reserved;
}

void CudaPool::trim() {
  const std::lock_guard lock(state_->mutex);
  state_->trim();
}

CudaPool::Lease::Lease(CudaPool& pool) : pool_(pool), blocks_(std::make_unique<Blocks>()) {}

CudaPool::Lease::~Lease() {
  State& state = *pool_.state_;
  const std::lock_guard lock(state.mutex);
  for (auto& [pointer, block] : state.blocks) {
    if (block.lease == blocks_.get()) block.lease = nullptr;
  }
  for (auto& [bytes, list] : blocks_->free) {
    for (void* pointer : list) state.give(pointer);
  }
}

void CudaPool::Lease::open() {
  const std::lock_guard lock(pool_.state_->mutex);
  if (pool_.state_->open) throw std::logic_error("a lease of this memory pool is open already");
  pool_.state_->open = blocks_.get();
}

void CudaPool::Lease::close() {
  const std::lock_guard lock(pool_.state_->mutex);
  pool_.state_->open = nullptr;
}

}  // namespace tobogan::kernels
