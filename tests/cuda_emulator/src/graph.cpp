// Stream capture and graphs.  A captured node remembers which nodes it comes after; lazy streams replay the nodes in a
// random order that respects this, so that a missing event between two branches shows.
#include <algorithm>

#include "memory.h"
#include "options.h"
#include "stream.h"

namespace cuda_emulator {
namespace {

void replay(const std::vector<GraphNode>& nodes, uint64_t seed) {
  if (!options().lazy_streams) {
    for (const GraphNode& node : nodes) node.run();
    return;
  }
  std::vector<bool> done(nodes.size(), false);
  for (size_t left = nodes.size(); left > 0; --left) {
    std::vector<size_t> ready;
    for (size_t i = 0; i < nodes.size(); ++i) {
      const auto& after = nodes[i].after;
      if (!done[i] && std::all_of(after.begin(), after.end(), [&](size_t n) { return done[n]; })) ready.push_back(i);
    }
    seed = seed * 6364136223846793005ull + 1442695040888963407ull;
    const size_t chosen = ready[(seed >> 33) % ready.size()];
    nodes[chosen].run();
    done[chosen] = true;
  }
}

// Every node must come before the end of the stream that began the capture.
bool joined(const CUgraph_st& graph, const std::vector<size_t>& end) {
  std::vector<bool> needed(graph.nodes.size(), false);
  for (size_t node : end) needed[node] = true;
  for (size_t i = graph.nodes.size(); i-- > 0;) {
    if (!needed[i]) return false;
    for (size_t node : graph.nodes[i].after) needed[node] = true;
  }
  return true;
}

}  // namespace

cudaError_t refuse_in_capture(const char* call, bool waits_for_all) {
  cudaError_t error = cudaSuccess;
  for (cudaStream_t stream : all_streams())
    if (stream->capture && (waits_for_all || stream->capture->mode != cudaStreamCaptureModeRelaxed)) {
      stream->capture->invalid = true;
      error = refuse(cudaErrorStreamCaptureUnsupported, call);
    }
  return error;
}

}  // namespace cuda_emulator

using namespace cuda_emulator;

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode) {
  RuntimeLock lock;
  if (!stream) return refuse(cudaErrorStreamCaptureUnsupported, "the default stream cannot be captured");
  if (stream->capture) return refuse(cudaErrorInvalidValue, "the stream is being captured already");
  stream->capture = new CUgraph_st;
  stream->capture->mode = mode;
  stream->capture_origin = true;
  stream->capture_after.clear();
  return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  RuntimeLock lock;
  *graph = nullptr;
  msan_unpoison(graph, sizeof *graph);
  if (!stream || !stream->capture || !stream->capture_origin)
    return refuse(cudaErrorInvalidValue, "cudaStreamEndCapture on a stream that did not begin a capture");
  std::unique_ptr<CUgraph_st> captured(stream->capture);
  const bool complete = joined(*captured, stream->capture_after);
  for (cudaStream_t other : all_streams())
    if (other->capture == captured.get()) {
      other->capture = nullptr;
      other->capture_origin = false;
      other->capture_after.clear();
    }
  if (captured->invalid)
    return refuse(cudaErrorStreamCaptureInvalidated, "a call that cannot be captured has spoilt the capture");
  if (!complete)
    return refuse(cudaErrorStreamCaptureUnjoined, "a stream that joined the capture was not joined back by an event");
  *graph = captured.release();
  return cudaSuccess;
}

cudaError_t cudaStreamIsCapturing(cudaStream_t stream, cudaStreamCaptureStatus* status) {
  RuntimeLock lock;
  const cudaGraph_t capture = stream_or_default(stream)->capture;
  *status = !capture           ? cudaStreamCaptureStatusNone
            : capture->invalid ? cudaStreamCaptureStatusInvalidated
                               : cudaStreamCaptureStatusActive;
  msan_unpoison(status, sizeof *status);
  return cudaSuccess;
}

// The emulator looks at the mode of the capture only.
cudaError_t cudaThreadExchangeStreamCaptureMode(cudaStreamCaptureMode*) {
  return cudaSuccess;
}

cudaError_t cudaGraphGetNodes(cudaGraph_t graph, cudaGraphNode_t* nodes, size_t* count) {
  if (nodes) return refuse(cudaErrorNotSupported, "cudaGraphGetNodes only counts");
  *count = graph->nodes.size();
  msan_unpoison(count, sizeof *count);
  return cudaSuccess;
}
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph, unsigned long long) {
  *executable = new CUgraphExec_st{std::make_shared<const std::vector<GraphNode>>(graph->nodes)};
  msan_unpoison(executable, sizeof *executable);
  return cudaSuccess;
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t stream) {
  static uint64_t launches = 0;
  RuntimeLock lock;
  const uint64_t seed = options().seed + ++launches;
  return submit(stream, {.run = [nodes = executable->nodes, seed] { replay(*nodes, seed); }});
}
cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  drain_all_streams();  // nodes die on the host: it must come after their last run
  delete graph;
  return cudaSuccess;
}
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable) {
  drain_all_streams();
  delete executable;
  return cudaSuccess;
}
