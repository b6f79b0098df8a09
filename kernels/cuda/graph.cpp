// Memory that captured work takes is leased to the graph: nobody else may have it between replays.
#include "kernels/cuda/graph.h"

#include "kernels/cuda/check.h"

namespace tobogan::kernels {

CudaGraph::CudaGraph(Cuda on, const std::function<void()>& work) : on_(on), lease_(*on.pool) {
  const std::shared_lock capturing(capture_mutex());
  // Nothing is under way then that the pool would have to wait for before it returns memory, which it could not.
  check_cuda(cudaStreamSynchronize(on.stream), "waiting for the GPU");
  // Relaxed: the pool may have to ask the device for memory, which is not part of the stream.
  check_cuda(cudaStreamBeginCapture(on.stream, cudaStreamCaptureModeRelaxed), "beginning to capture a step");
  lease_.open();
  cudaGraph_t graph = nullptr;
  try {
    work();
  } catch (...) {
    lease_.close();
    cudaStreamEndCapture(on.stream, &graph);
    if (graph) cudaGraphDestroy(graph);
    cudaGetLastError();
    throw;
  }
  lease_.close();
  check_cuda(cudaStreamEndCapture(on.stream, &graph), "capturing a step");
  size_t nodes = 0;
  cudaGraphGetNodes(graph, nullptr, &nodes);
  launches_ = static_cast<int>(nodes);
  const cudaError_t error = cudaGraphInstantiate(&executable_, graph, 0);
  cudaGraphDestroy(graph);
  check_cuda(error, "making a captured step ready");
}

CudaGraph::~CudaGraph() {
  cudaStreamSynchronize(on_.stream);
  cudaGraphExecDestroy(executable_);
}

void CudaGraph::replay() {
  check_cuda(cudaGraphLaunch(executable_, on_.stream), "running a captured step");
}

}  // namespace tobogan::kernels
