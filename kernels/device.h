// Where a kernel runs: the tags that kernels are overloaded on.
//
// A kernel is a free function over a tag, sizes and pointers: matmul(Cpu, dims, a, b, c).  Calling it with another tag
// picks another machine; a kernel that a machine lacks is a compile or link error.  A tag is small and copied: it
// points at what the machine needs to run (threads and memory here, a stream there) and owns nothing.
//
// REQUIRES, for every kernel: pointers belong to the tag's machine; results do not overlap inputs unless a kernel says
// so; sizes are not negative.  Results do not depend on the number of threads, bit for bit.  On a GPU a kernel is put
// into the tag's stream and runs later, in order.
#pragma once
#include <cstddef>
#include <cstdint>

struct CUstream_st;  // a cudaStream_t points at it

namespace tobogan {

#ifdef TOBOGAN_DOUBLE
using Real = double;  // the build in which derivatives are checked against differences
#else
using Real = float;
#endif

namespace kernels {

class Threads;  // kernels/cpu/threads.h
class Pool;     // kernels/cpu/memory_pool.h

struct Cpu {
  Threads* threads;
  Pool* pool;  // results, and the scratch memory of kernels
};

// How products are computed on a GPU: sums are fp32 always, and so are weights.
enum class Precision {
  kFp32,  // FFMA
  kTf32,  // tensor cores, factors rounded to 10 bits of mantissa
  kBf16,  // tensor cores, factors rounded to 7 bits of mantissa
};

class CudaPool;     // kernels/cuda/memory_pool.h
class CudaMachine;  // kernels/cuda/machine.h

// Hand-written kernels; dense products by cuBLAS.  Declared in every build, defined in those with CUDA.
struct Cuda {
  CUstream_st* stream;
  CudaPool* pool;
  CudaMachine* machine;
  Precision precision;
};

class CudnnHandles;  // kernels/cudnn/handles.h

// cuDNN's kernels, as a yardstick.  A kernel that has no overload on this tag takes the hand-written one, because a
// Cudnn is a Cuda.  Declared in every build, defined in those with cuDNN.
struct Cudnn : Cuda {
  CudnnHandles* handles;
};

// What a thread does before it calls kernels of a machine: on a GPU it makes that GPU its current one, since a thread
// may have several, and begins with the system's first.  Cheap where it is current already.
inline void enter(Cpu) {}
void enter(Cuda on);  // defined in builds with CUDA

}  // namespace kernels
}  // namespace tobogan
