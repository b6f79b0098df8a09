// The host's side: order between streams and host, copies, graphs, and launches that CUDA refuses.
#include <algorithm>

#include "tests/cuda_emulator/tests/planted_bugs/bugs.h"

namespace planted_bugs {
namespace {

__global__ void fill_kernel(float* y, float value) {
  y[threadIdx.x] = value;
}
__global__ void copy_kernel(float* y, const float* x) {
  y[threadIdx.x] = x[threadIdx.x];
}
__global__ void dynamic_kernel(float* y) {
  DYN_SMEM(float, a);
  a[threadIdx.x] = 1;
  y[threadIdx.x] = a[threadIdx.x];
}
__global__ void __launch_bounds__(256) bounded_kernel(float* y) {
  y[threadIdx.x] = 1;
}

float* pinned(float value) {
  float* p;
  check_cuda(cudaMallocHost(&p, 256), "allocating");
  std::fill(p, p + 64, value);
  return p;
}

void read_before_copy_is_done() {
  const Stream stream;
  const Array<float> x(counting(64));
  float* host = pinned(0);
  check_cuda(cudaMemcpyAsync(host, x, 256, cudaMemcpyDeviceToHost, stream), "copying");
  if (host[5] != 5) std::printf("WRONG RESULT\n");
}
void pinned_reused_too_early() {
  const Stream stream;
  const Array<float> x(64);
  float* host = pinned(1);
  check_cuda(cudaMemcpyAsync(x, host, 256, cudaMemcpyHostToDevice, stream), "copying");
  std::fill(host, host + 64, 2.0f);
  expect_results(x.read(stream), same(64, 1));
}
void missing_event() {
  const Stream first, second;
  const Array<float> x(64), y(64);
  launch(first, fill_kernel, 1, 64, 0, x.data(), 1);
  launch(second, copy_kernel, 1, 64, 0, y.data(), x.data());
  expect_results(y.read(second), same(64, 1));
}
void blocking_copy_of_a_running_stream() {  // cudaMemcpy does not wait for a non-blocking stream
  const Stream stream;
  const Array<float> x(64);
  launch(stream, fill_kernel, 1, 64, 0, x.data(), 1);
  std::vector<float> host(64);
  check_cuda(cudaMemcpy(host.data(), x, 256, cudaMemcpyDeviceToHost), "copying");
  expect_results(host, same(64, 1));
}
void free_on_another_stream() {
  const Stream first, second;
  const Array<float> y(64);
  float* x;
  check_cuda(cudaMalloc(&x, 256), "allocating");
  launch(first, fill_kernel, 1, 64, 0, x, 1);
  launch(first, copy_kernel, 1, 64, 0, y.data(), x);
  check_cuda(cudaFreeAsync(x, second), "freeing");
  y.read(first);
}

cudaGraphExec_t end_capture(const Stream& stream) {
  cudaGraph_t graph;
  cudaGraphExec_t executable;
  check_cuda(cudaStreamEndCapture(stream, &graph), "ending a capture");
  check_cuda(cudaGraphInstantiate(&executable, graph, 0), "instantiating");
  return executable;
}
void begin_capture(const Stream& stream) {
  check_cuda(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal), "capturing");
}
cudaEvent_t record(const Stream& stream) {
  cudaEvent_t event;
  check_cuda(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), "making an event");
  check_cuda(cudaEventRecord(event, stream), "recording");
  return event;
}

void graph_uses_freed_memory() {
  const Stream stream;
  const Array<float> y(64);
  float* x;
  check_cuda(cudaMalloc(&x, 256), "allocating");
  begin_capture(stream);
  launch(stream, copy_kernel, 1, 64, 0, y.data(), x);
  const cudaGraphExec_t graph = end_capture(stream);
  check_cuda(cudaFree(x), "freeing");
  check_cuda(cudaGraphLaunch(graph, stream), "replaying");
  y.read(stream);
}
void missing_event_in_graph() {  // the branches are forked and joined, but the copy does not wait for the fill
  const Stream stream, branch;
  const Array<float> x(64), y(64);
  begin_capture(stream);
  check_cuda(cudaStreamWaitEvent(branch, record(stream), 0), "forking");
  launch(stream, fill_kernel, 1, 64, 0, x.data(), 1);
  launch(branch, copy_kernel, 1, 64, 0, y.data(), x.data());
  check_cuda(cudaStreamWaitEvent(stream, record(branch), 0), "joining");
  const cudaGraphExec_t graph = end_capture(stream);
  for (int i = 0; i < 20; ++i) {  // one of the replays takes the other order
    check_cuda(cudaMemsetAsync(x, 0, 256, stream), "clearing");
    check_cuda(cudaGraphLaunch(graph, stream), "replaying");
    expect_results(y.read(stream), same(64, 1));
  }
}
void branch_not_joined() {
  const Stream stream, branch;
  const Array<float> x(64);
  begin_capture(stream);
  check_cuda(cudaStreamWaitEvent(branch, record(stream), 0), "forking");
  launch(branch, fill_kernel, 1, 64, 0, x.data(), 1);
  end_capture(stream);
}
void malloc_in_capture() {
  const Stream stream;
  begin_capture(stream);
  const Array<float> x(64);
}
void synchronize_in_capture() {
  const Stream stream;
  begin_capture(stream);
  stream.wait();
}

void copy_beyond_device_memory() {
  const Array<float> x(64);
  const std::vector<float> host(80);
  check_cuda(cudaMemcpy(x, host.data(), 320, cudaMemcpyHostToDevice), "copying");
}
void copy_beyond_host_memory() {
  const Array<float> x(64);
  const std::vector<float> host(60);
  check_cuda(cudaMemcpy(x, host.data(), 256, cudaMemcpyHostToDevice), "copying");
}
void copy_in_wrong_direction() {
  const Array<float> x(64);
  std::vector<float> host(64);
  check_cuda(cudaMemcpy(host.data(), x, 256, cudaMemcpyHostToDevice), "copying");
}
void out_of_memory() {
  const Array<float> x(size_t(1) << 40);
}

void too_much_dynamic_shared() {
  const Stream stream;
  const Array<float> y(64);
  launch(stream, dynamic_kernel, 1, 64, 64 << 10, y.data());
}
void block_too_large() {
  const Stream stream;
  const Array<float> y(2048);
  launch(stream, fill_kernel, 1, 2048, 0, y.data(), 1);
}
void block_beyond_launch_bounds() {
  const Stream stream;
  const Array<float> y(288);
  launch(stream, bounded_kernel, 1, 288, 0, y.data());
}
void empty_grid() {
  const Stream stream;
  const Array<float> y(64);
  launch(stream, fill_kernel, 0, 64, 0, y.data(), 1);
}

constexpr Bug kBugs[] = {{"read_before_copy_is_done", read_before_copy_is_done},
                         {"pinned_reused_too_early", pinned_reused_too_early},
                         {"missing_event", missing_event},
                         {"blocking_copy_of_a_running_stream", blocking_copy_of_a_running_stream},
                         {"free_on_another_stream", free_on_another_stream},
                         {"graph_uses_freed_memory", graph_uses_freed_memory},
                         {"missing_event_in_graph", missing_event_in_graph},
                         {"branch_not_joined", branch_not_joined},
                         {"malloc_in_capture", malloc_in_capture},
                         {"synchronize_in_capture", synchronize_in_capture},
                         {"copy_beyond_device_memory", copy_beyond_device_memory},
                         {"copy_beyond_host_memory", copy_beyond_host_memory},
                         {"copy_in_wrong_direction", copy_in_wrong_direction},
                         {"out_of_memory", out_of_memory},
                         {"too_much_dynamic_shared", too_much_dynamic_shared},
                         {"block_too_large", block_too_large},
                         {"block_beyond_launch_bounds", block_beyond_launch_bounds},
                         {"empty_grid", empty_grid}};
}  // namespace

std::span<const Bug> stream_bugs() {
  return kBugs;
}

}  // namespace planted_bugs
