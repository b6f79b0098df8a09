// One GPU as a machine: a stream in which everything is ordered, memory, the handle of cuBLAS, constant tables.
#pragma once
#include <cstring>
#include <map>
#include <optional>
#include <shared_mutex>
#include <span>
#include <string>
#include <vector>

#include "kernels/cuda/memory_pool.h"
#include "kernels/device.h"

struct cublasContext;

namespace tobogan::kernels {

struct CudaOptions {
  int gpu = 0;  // which of the system's
  Precision precision = Precision::kFp32;
};

// What waits for the whole GPU, such as starting and ending a library, breaks every capture that is going on, other
// threads' too: a capture holds this mutex shared, and what may wait so holds it alone.
std::shared_mutex& capture_mutex();

class CudaMachine {
 public:
  // Throws std::runtime_error in one sentence where there is no driver, no GPU, not that many, or too old a one.
  explicit CudaMachine(const CudaOptions& options = {});
  ~CudaMachine();
  CudaMachine(const CudaMachine&) = delete;
  CudaMachine& operator=(const CudaMachine&) = delete;

  Cuda tag() { return {stream_, &*pool_, this, precision_}; }
  const CudaPool& pool() const { return *pool_; }
  cublasContext* cublas() const { return cublas_; }
  int multiprocessors() const { return multiprocessors_; }
  size_t shared_bytes() const { return shared_bytes_; }  // of shared memory that a block can have
  const std::string& name() const { return name_; }

  // Makes this machine's GPU the calling thread's, in which it launches and allocates; enter(Cuda) of kernels/device.h.
  void use() const;
  // Throws std::runtime_error naming what was tried, while the stream is being captured.
  void refuse_capture(const char* tried) const;

  // Constants that a kernel reads, in device memory: made once for each content and kept.  Copying them is no work of
  // the stream, so a step that is captured must have run once before.
  template <class T>
  const T* table(std::span<const T> values) {
    return static_cast<const T*>(table(values.data(), values.size_bytes()));
  }

  // Counters in device memory, all zero between kernels: a kernel whose blocks share a result counts the blocks that
  // are done with atomicInc, which begins at zero again after the last (last_block() of kernels/cuda/last_block.cuh).
  static constexpr int kCounters = 16384;
  unsigned* counters() const { return counters_; }

  // Bytes through pinned memory; return when the host's side may be used.
  void from_host(size_t bytes, const void* host, void* device);
  void to_host(size_t bytes, const void* device, void* host);

 private:
  const void* table(const void* values, size_t bytes);

  Precision precision_;
  int gpu_, multiprocessors_ = 0;
  size_t shared_bytes_ = 0;
  std::string name_;
  CUstream_st* stream_ = nullptr;
  cublasContext* cublas_ = nullptr;
  void *cublas_workspace_ = nullptr, *pinned_ = nullptr;
  unsigned* counters_ = nullptr;
  std::optional<CudaPool> pool_;         // there as long as the stream is
  std::map<std::string, void*> tables_;  // by their bytes
};

}  // namespace tobogan::kernels
