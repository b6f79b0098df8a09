// GPU memory for tensors and for the scratch of kernels: blocks are kept and reused, in the order of one stream.
//
// A block given back may be taken at once, although the kernels that used it may not have run yet: whoever takes it
// works in the same stream, after them.  Work that is captured to be replayed needs more: its blocks must stay its own
// until it will not be replayed any more.  It takes them under a Lease.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>

struct CUstream_st;  // a cudaStream_t points at it

namespace tobogan::kernels {

class CudaPool {
 public:
  // Without `reuse` every block is an allocation of its own of exactly the size asked for, so that what checks memory
  // (the emulator, compute-sanitizer) sees every step over its end.  REQUIRES: blocks are used in `stream` alone, which
  // outlives the pool.
  CudaPool(CUstream_st* stream, bool reuse);
  ~CudaPool();
  CudaPool(const CudaPool&) = delete;
  CudaPool& operator=(const CudaPool&) = delete;

  // A block of at least `bytes` bytes, aligned to 256, contents undefined.  Throws std::runtime_error that says how
  // much was wanted, held and free.
  void* take(size_t bytes);
  // Gives back a block that take(bytes) returned.
  void give(void* block, size_t bytes);

  size_t bytes_in_use() const;    // taken and not given back
  size_t bytes_reserved() const;  // held from the device
  // Returns the blocks that nobody uses, and that no lease holds, to the device; waits for the stream first.
  void trim();

  // While one is open, blocks that are taken or given back become its own: nobody else gets them before it ends.
  // A block still in use then goes on as an ordinary one.
  class Lease {
   public:
    explicit Lease(CudaPool& pool);
    ~Lease();  // REQUIRES: closed; the work that used its blocks has been run.
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;

    void open();  // REQUIRES: no lease of the pool is open.
    void close();

   private:
    friend class CudaPool;
    struct Blocks;
    CudaPool& pool_;
    std::unique_ptr<Blocks> blocks_;
  };

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// A typed block that gives itself back: the scratch memory of a kernel.
template <class T>
class CudaScratch {
 public:
  CudaScratch(CudaPool& pool, size_t count)
      : pool_(&pool), bytes_(count * sizeof(T)), data_(static_cast<T*>(pool.take(bytes_))) {}
  ~CudaScratch() { pool_->give(data_, bytes_); }
  CudaScratch(const CudaScratch&) = delete;
  CudaScratch& operator=(const CudaScratch&) = delete;
  T* data() const { return data_; }

 private:
  CudaPool* pool_;
  size_t bytes_;
  T* data_;
};

}  // namespace tobogan::kernels
