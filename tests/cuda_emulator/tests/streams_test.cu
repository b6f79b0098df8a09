// Streams, events, graphs and memory: what comes before what, and what the API answers.
#include "kernels/cuda/device.cuh"
#include "tests/cuda_emulator/tests/support.h"

namespace {
using namespace emulator_test;
using tobogan::kernels::Launch;

__global__ void __launch_bounds__(32) add_kernel(float* y, const float* x, float value) {
  y[threadIdx.x] = x[threadIdx.x] + value;
}
void add(const Stream& stream, float* y, const float* x, float value) {
  Launch<32>{.grid = dim3(1), .stream = stream}(add_kernel, y, x, value);
}

class Event {
 public:
  Event() { check_cuda(cudaEventCreate(&event_), "making an event"); }
  ~Event() { cudaEventDestroy(event_); }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  operator cudaEvent_t() const { return event_; }

 private:
  cudaEvent_t event_;
};
void after(const Stream& later, const Stream& earlier, const Event& event) {
  check_cuda(cudaEventRecord(event, earlier), "recording");
  check_cuda(cudaStreamWaitEvent(later, event, 0), "waiting for an event");
}

void test_events() {
  const Stream first, second;
  const Event forth, back;
  const Array<float> x(std::vector<float>(32, 1)), y(32), z(32);
  add(first, y, x, 1);
  after(second, first, forth);
  add(second, z, y, 1);
  after(first, second, back);
  add(first, y, z, 1);  // after the second stream has read y
  expect(y.read(first) == std::vector<float>(32, 4), "events order two streams");
  check_cuda(cudaEventSynchronize(back), "waiting for an event");
  expect(cudaEventQuery(back) == cudaSuccess, "an event that was waited for is done");
  float milliseconds = -1;
  check_cuda(cudaEventElapsedTime(&milliseconds, forth, back), "timing");
  expect(milliseconds >= 0, "time does not run backwards");
  add(first, y, z, 1);
  check_cuda(cudaEventRecord(back, first), "recording");
  while (cudaEventQuery(back) == cudaErrorNotReady) {
  }
  expect(y.read(first) == std::vector<float>(32, 4), "polling an event ends");
}

void test_graph_with_branches() {
  const Stream stream, branch;
  const Event fork, join;
  const Array<float> x(std::vector<float>(32, 1)), y(32), z(32), sum(32);
  check_cuda(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "capturing");
  add(stream, y, x, 1);
  after(branch, stream, fork);
  add(branch, z, y, 10);
  add(stream, sum, y, 100);
  after(stream, branch, join);
  add(stream, x, z, 0);  // the next replay starts from here
  cudaStreamCaptureStatus status;
  check_cuda(cudaStreamIsCapturing(branch, &status), "asking");
  expect(status == cudaStreamCaptureStatusActive, "the branch is captured, too");
  cudaGraph_t graph;
  cudaGraphExec_t executable;
  size_t nodes = 0;
  check_cuda(cudaStreamEndCapture(stream, &graph), "capturing");
  check_cuda(cudaGraphGetNodes(graph, nullptr, &nodes), "counting");
  expect(nodes == 4, "a node per launch");
  check_cuda(cudaGraphInstantiate(&executable, graph, 0), "instantiating");
  check_cuda(cudaGraphDestroy(graph), "destroying");
  expect(x.read(stream) == std::vector<float>(32, 1), "capturing runs nothing");
  for (int i = 0; i < 3; ++i) check_cuda(cudaGraphLaunch(executable, stream), "replaying");
  expect(x.read(stream) == std::vector<float>(32, 34), "three replays, one after the other");
  expect(sum.read(stream) == std::vector<float>(32, 124), "the other branch");
  check_cuda(cudaGraphExecDestroy(executable), "destroying");
}

void test_host_function() {
  const Stream stream;
  const Array<float> x(std::vector<float>(32, 1));
  float* seen = nullptr;
  check_cuda(cudaMallocHost(&seen, sizeof(float) * 32), "allocating");
  add(stream, x, x, 1);
  check_cuda(cudaMemcpyAsync(seen, x, sizeof(float) * 32, cudaMemcpyDeviceToHost, stream), "copying");
  check_cuda(cudaLaunchHostFunc(
                 stream, [](void* p) { static_cast<float*>(p)[0] += 40; }, seen),
             "calling");
  stream.wait();
  expect(seen[0] == 42 && seen[1] == 2, "host functions run in their stream's order");
  check_cuda(cudaFreeHost(seen), "freeing");
}

void test_memory() {
  size_t free_before, free_after, total;
  check_cuda(cudaMemGetInfo(&free_before, &total), "asking");
  {
    constexpr size_t kMuch = 64 << 20;  // a GPU counts in pieces of some megabytes
    const Array<char> x(kMuch);
    check_cuda(cudaMemGetInfo(&free_after, &total), "asking");
    expect(free_before - free_after >= kMuch / 2, "memory in use is counted");
    cudaPointerAttributes attributes;
    check_cuda(cudaPointerGetAttributes(&attributes, x.data() + 5), "asking");
    expect(attributes.type == cudaMemoryTypeDevice, "a pointer into an allocation is known");
  }
  void* p = &total;
  expect(cudaMalloc(&p, size_t(1) << 50) == cudaErrorMemoryAllocation, "too much memory is refused");
  expect(cudaGetLastError() == cudaErrorMemoryAllocation && cudaGetLastError() == cudaSuccess,
         "the last error is given once");
}

}  // namespace

int main() {
  for (int i = 0; i < 20; ++i) {  // lazy streams draw another order each time
    test_events();
    test_graph_with_branches();
  }
  test_host_function();
  test_memory();
  return report();
}
