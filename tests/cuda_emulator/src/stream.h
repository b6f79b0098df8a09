// Streams, events and graphs.  A stream is a queue of closures; eager streams run a closure when it is submitted, lazy
// ones when something waits for it, choosing at random between the streams that could go on.
#pragma once
#include <cuda_emulator/runtime_api.h>

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "block.h"
#include "sanitizers.h"

namespace cuda_emulator {

struct Operation {
  enum class Kind { kRun, kRecord, kWait };
  std::function<void()> run;
  Kind kind = Kind::kRun;
  cudaEvent_t event = nullptr;
  uint64_t version = 0;
};

// A captured closure and the earlier ones it must come after.
struct GraphNode {
  std::function<void()> run;
  std::vector<size_t> after;
};

// TSan sees a stream as a fiber, with its own fibers for the threads of its blocks.  They are dear (some 400 KiB each),
// so that a new stream takes over those of a destroyed one.
struct StreamFiber {
  void* fiber = tsan_create_fiber();
  BlockRunner runner;
};

cudaError_t submit(cudaStream_t stream, Operation operation);
void drain(cudaStream_t stream);
void drain_all_streams();
// As drain, and the host knows it: what it does next comes after the stream's work.
void synchronize(cudaStream_t stream);

std::vector<cudaStream_t>& all_streams();  // the first is the default stream
cudaStream_t stream_or_default(cudaStream_t stream);
// The error that a call which a capture forbids must return; cudaSuccess if there is no such capture.  A relaxed one
// forbids only what waits for the whole device.
cudaError_t refuse_in_capture(const char* call, bool waits_for_all = false);

}  // namespace cuda_emulator

struct CUgraph_st {
  std::vector<cuda_emulator::GraphNode> nodes;
  cudaStreamCaptureMode mode = cudaStreamCaptureModeGlobal;
  bool invalid = false;
};

struct CUgraphExec_st {
  std::shared_ptr<const std::vector<cuda_emulator::GraphNode>> nodes;
};

struct CUstream_st {
  std::deque<cuda_emulator::Operation> queue;
  bool blocking = true;  // orders itself with the default stream
  cudaGraph_t capture = nullptr;
  bool capture_origin = false;
  std::vector<size_t> capture_after;                  // what the next captured node comes after
  std::unique_ptr<cuda_emulator::StreamFiber> fiber;  // TSan only
  char key_submitted, key_done;
};

struct CUevent_st {
  uint64_t recorded = 0, reached = 0;  // how often it was recorded, and up to which record the work is done
  std::chrono::steady_clock::time_point time;
  cudaGraph_t capture = nullptr;
  std::vector<size_t> capture_after;
  char key;
};
