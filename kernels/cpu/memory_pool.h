// Memory for tensors and for the scratch of kernels: blocks are kept and reused, never handed back between steps.
//
// Training repeats the same requests in the same order, so after the first step every request finds a block of its size
// class waiting.  Blocks are aligned to 64 bytes.  Thread-safe.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>

namespace tobogan::kernels {

class Pool {
 public:
  Pool();
  ~Pool();  // REQUIRES: every block has been given back.
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  // A block of at least `bytes` bytes, contents undefined.  Throws std::bad_alloc.
  void* take(size_t bytes);
  // Gives back a block that take(bytes) returned.
  void give(void* block, size_t bytes);

  size_t bytes_in_use() const;    // taken and not given back
  size_t bytes_reserved() const;  // held from the system
  // Returns the blocks that nobody uses to the system.
  void trim();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// A typed block that gives itself back: the scratch memory of a kernel.
template <class T>
class Scratch {
 public:
  Scratch(Pool& pool, size_t count)
      : pool_(&pool), bytes_(count * sizeof(T)), data_(static_cast<T*>(pool.take(bytes_))) {}
  ~Scratch() { pool_->give(data_, bytes_); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  T* data() const { return data_; }
  T& operator[](size_t i) const { return data_[i]; }

 private:
  Pool* pool_;
  size_t bytes_;
  T* data_;
};

}  // namespace tobogan::kernels
