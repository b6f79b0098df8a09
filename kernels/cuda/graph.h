// Work recorded once and run many times: a CUDA graph with the memory that it needs.
#pragma once
#include <functional>

#include "kernels/cuda/machine.h"

struct CUgraphExec_st;

namespace tobogan::kernels {

class CudaGraph {
 public:
  // Records what `work` puts into the stream, without running it.  Throws what work throws.
  CudaGraph(Cuda on, const std::function<void()>& work);
  ~CudaGraph();
  CudaGraph(const CudaGraph&) = delete;
  CudaGraph& operator=(const CudaGraph&) = delete;

  void replay();

  int launches() const { return launches_; }  // kernels, copies and fills in it

 private:
  Cuda on_;
  CudaPool::Lease lease_;
  CUgraphExec_st* executable_ = nullptr;
  int launches_ = 0;
};

}  // namespace tobogan::kernels
