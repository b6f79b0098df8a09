// Where the profiler listens.  The runtime calls these only if a recorder is set; profile.cpp is the one there is.
#pragma once
#include <cuda_emulator/language.h>

#include <cstddef>
#include <cstdint>

namespace cuda_emulator {

enum class Space { kGlobal, kShared };

class Recorder {
 public:
  virtual ~Recorder() = default;
  virtual bool wants(uint64_t block) = 0;  // of the grid launched last; false: it need not run
  virtual void launch(const void* kernel, dim3 grid, dim3 block) = 0;
  virtual void block_begin(uint64_t block) = 0;
  virtual void block_barrier() = 0;
  virtual void block_end() = 0;
  // One lane's access of `bytes` bytes by the instruction at pc; `thread` is its linear index in the block.
  virtual void access(int thread, const void* address, size_t bytes, Space space, bool store, const void* pc) = 0;
  virtual void tensor_op(int multiply_adds, bool bf16) = 0;  // per warp
  virtual void fma() = 0;                                    // per thread
};

// Null but in a profile; set while nothing runs.
extern constinit Recorder* recorder;

}  // namespace cuda_emulator
