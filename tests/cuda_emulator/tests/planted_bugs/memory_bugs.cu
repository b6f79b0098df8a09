// Global memory: bounds, initialisation, lifetime, alignment, and whose pointer it is.
#include "tests/cuda_emulator/tests/planted_bugs/bugs.h"

namespace planted_bugs {
namespace {

__global__ void fill_kernel(float* y, int last) {
  if (global_thread() <= last) y[global_thread()] = 1;
}
__global__ void difference_kernel(float* y, const float* x, int count) {
  const int i = global_thread();
  if (i < count) y[i] = x[i + 1] - x[i];
}
__global__ void write_far_kernel(float* y, int count) {
  const int i = global_thread();
  if (i < count) y[i == count - 1 ? count + 5000 : i] = 1;
}
__global__ void accumulate_kernel(float* y, const float* x) {
  y[threadIdx.x] += x[threadIdx.x];
}
__global__ void compare_kernel(int* y, const int* flag) {
  if (flag[threadIdx.x] > 100)
    y[threadIdx.x] = 1;
  else
    y[threadIdx.x] = 0;
}
__global__ void copy4_kernel(float* y, const float* x) {
  reinterpret_cast<float4*>(y)[threadIdx.x] = reinterpret_cast<const float4*>(x)[threadIdx.x];
}
__global__ void copy_kernel(float* y, const float* x) {
  y[threadIdx.x] = x[threadIdx.x];
}
__global__ void overflow_kernel(float* y, int count, int stride) {
  const int offset = int(threadIdx.x) * stride;
  if (offset >= 0 && offset < count) y[offset] = 1;
}
__global__ void big_stack_kernel(float* y, int count) {
  volatile float scratch[100000];
  for (int i = 0; i < count; ++i) scratch[i] = float(i);
  y[threadIdx.x] = scratch[count - 1];
}

constexpr int kCount = 1000;

void nothing_wrong() {
  const Stream stream;
  const Array<float> x(counting(64)), y(64);
  launch(stream, copy_kernel, 1, 64, 0, y.data(), x.data());
  expect_results(y.read(stream), counting(64));
}
void write_one_past_the_end() {
  const Stream stream;
  const Array<float> y(kCount);
  launch(stream, fill_kernel, 4, 256, 0, y.data(), kCount);
  expect_results(y.read(stream), same(kCount, 1));
}
void read_one_past_the_end() {
  const Stream stream;
  const Array<float> x(counting(kCount)), y(kCount);
  launch(stream, difference_kernel, 4, 256, 0, y.data(), x.data(), kCount);
  y.read(stream);
}
void write_far_outside() {
  const Stream stream;
  const Array<float> y(kCount);
  launch(stream, write_far_kernel, 4, 256, 0, y.data(), kCount);
  y.read(stream);
}
void uninitialised_global() {
  const Stream stream;
  const Array<float> x(counting(64)), y(64);
  launch(stream, accumulate_kernel, 1, 64, 0, y.data(), x.data());
  expect_results(y.read(stream), counting(64));
}
void uninitialised_comparison() {
  const Stream stream;
  const Array<int> y(32), flag(32);
  launch(stream, compare_kernel, 1, 32, 0, y.data(), flag.data());
  y.read(stream);
}
void misaligned_float4() {
  const Stream stream;
  const Array<float> x(counting(200)), y(200);
  launch(stream, copy4_kernel, 1, 32, 0, y.data(), x.data() + 1);
  y.read(stream);
}
void host_reads_device_memory() {
  const Array<float> x(counting(64));
  if (x.data()[3] != 3) std::printf("WRONG RESULT\n");
}
void kernel_gets_host_pointer() {
  const Stream stream;
  const std::vector<float> x = counting(64);
  const Array<float> y(64);
  launch(stream, copy_kernel, 1, 64, 0, y.data(), x.data());
  y.read(stream);
}
void use_after_free() {
  const Stream stream;
  const Array<float> y(64);
  float* x;
  check_cuda(cudaMalloc(&x, 256), "allocating");
  check_cuda(cudaFree(x), "freeing");
  launch(stream, copy_kernel, 1, 64, 0, y.data(), x);
  y.read(stream);
}
void double_free() {
  float* x;
  check_cuda(cudaMalloc(&x, 256), "allocating");
  check_cuda(cudaFree(x), "freeing");
  check_cuda(cudaFree(x), "freeing");
}
void leak() {
  float* x;
  check_cuda(cudaMalloc(&x, 256), "allocating");
}
void index_overflow() {
  const Stream stream;
  const Array<float> y(64);
  launch(stream, overflow_kernel, 1, 64, 0, y.data(), 64, 100000000);
}
void stack_overflow() {
  const Stream stream;
  const Array<float> y(64);
  launch(stream, big_stack_kernel, 1, 64, 0, y.data(), 100000);
}

constexpr Bug kBugs[] = {{"nothing_wrong", nothing_wrong},
                         {"write_one_past_the_end", write_one_past_the_end},
                         {"read_one_past_the_end", read_one_past_the_end},
                         {"write_far_outside", write_far_outside},
                         {"uninitialised_global", uninitialised_global},
                         {"uninitialised_comparison", uninitialised_comparison},
                         {"misaligned_float4", misaligned_float4},
                         {"host_reads_device_memory", host_reads_device_memory},
                         {"kernel_gets_host_pointer", kernel_gets_host_pointer},
                         {"use_after_free", use_after_free},
                         {"double_free", double_free},
                         {"leak", leak},
                         {"index_overflow", index_overflow},
                         {"stack_overflow", stack_overflow}};
}  // namespace

std::span<const Bug> memory_bugs() {
  return kBugs;
}

}  // namespace planted_bugs
