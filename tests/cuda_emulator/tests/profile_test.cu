// The profiler's known answers: costs that follow from the addresses by the rules of the hardware.
#include <cuda_emulator/profile.h>

#include "kernels/cuda/ptx.cuh"
#include "tests/cuda_emulator/tests/support.h"

namespace {
using namespace emulator_test;
using cuda_emulator::profile::Access;
using tobogan::kernels::load_vector;
using tobogan::kernels::store_vector;
namespace ptx = tobogan::kernels::ptx;

__device__ __forceinline__ unsigned lane() {
  return threadIdx.x;
}

__global__ void coalesced(float* y, const float* x) {
  y[lane()] = x[lane()];
}
__global__ void offset_by_one(float* y, const float* x) {
  y[lane()] = x[lane() + 1];
}
__global__ void stride_two(float* y, const float* x) {
  y[lane()] = x[2 * lane()];
}
__global__ void stride_eight(float* y, const float* x) {
  y[lane()] = x[8 * lane()];
}
__global__ void broadcast(float* y, const float* x) {
  y[lane()] = x[lane() >> 5];
}
__global__ void vectors(float* y, const float* x) {
  const auto v = load_vector<float4>(x + 4 * lane());
  store_vector(y + 4 * lane(), v);
}
__global__ void odd_lanes(float* y, const float* x) {
  if (lane() & 1) y[lane()] = x[lane()];
}
__global__ void divergent_loop(float* y, const float* x) {
  float sum = 0;
  for (unsigned i = 0; i <= (lane() & 3); ++i) sum += x[i * 32 + lane()];
  y[lane()] = sum;
}
__global__ void realigned(float* y, const float* x) {  // the barrier puts lanes back into step
  float sum = 0;
  for (unsigned i = 0; i < 1 + gridDim.x; ++i) {  // twice; a constant would be unrolled into two instructions
    if (i == 1 || lane() % 2 == 1) sum += x[i * 32 + lane()];
    __syncthreads();
  }
  y[lane()] = sum;
}
template <int kPitch>
__global__ void column(float* y) {
  SHARED(float, tile, [32][kPitch]);
  for (int i = 0; i < 32; ++i) tile[i][lane()] = 1;
  __syncthreads();
  float sum = 0;
  for (int i = 0; i < 32; ++i) sum += tile[lane()][i];
  y[lane()] = sum;
}
template <int kStride>
__global__ void shared_stride(float* y) {
  SHARED(float, row, [32 * kStride + 1]);
  row[kStride * lane()] = 1;
  __syncthreads();
  y[lane()] = row[kStride * lane()];
}
__global__ void shared_vectors(float* y) {
  SHARED(float4, row, [32]);
  const float4 v = make_float4(1, 2, 3, 4);
  store_vector(&row[lane()], v);
  __syncthreads();
  const auto w = load_vector<float4>(&row[lane()]);
  store_vector(y + 4 * lane(), w);
}
__global__ void async_copy(float* y, const float* x) {
  SHARED(float, row, [128]);
  ptx::cp_async<16>(&row[4 * lane()], x + 4 * lane());
  ptx::cp_async_commit();
  ptx::cp_async_wait<0>();
  __syncthreads();
  y[lane()] = row[lane()];
}
__global__ void async_copy_scattered(float* y, const float* x) {  // eight floats apart, on both sides
  SHARED(float, row, [256]);
  ptx::cp_async<4>(&row[8 * lane()], x + 8 * lane());
  ptx::cp_async_commit();
  ptx::cp_async_wait<0>();
  __syncthreads();
  y[lane()] = row[8 * lane()];
}
__global__ void zero_fill(float* y, const float* x) {  // lanes 8 and up read nothing
  SHARED(float, row, [128]);
  ptx::cp_async<16>(&row[4 * lane()], x, lane() < 8 ? 16 : 0);
  ptx::cp_async_commit();
  ptx::cp_async_wait<0>();
  __syncthreads();
  y[lane()] = row[lane()];
}
template <int kPitch>  // rows of kPitch 16-bit values: 64 puts a matrix's eight rows into the same banks, 72 does not
__global__ void load_matrices(float* y) {
  SHARED(uint16_t, tile, [32 * kPitch]);
  for (unsigned i = lane(); i < 32 * kPitch; i += 32) tile[i] = 0;
  __syncthreads();
  uint32_t words[4];
  ptx::ldmatrix_x4(words, &tile[lane() * kPitch]);
  y[lane()] = float(words[0] + words[1] + words[2] + words[3]);
}
__global__ void arithmetic(float* y) {
  float d[4] = {}, sum = 0;
  const uint32_t a[4] = {}, b[2] = {};
  ptx::mma_m16n8k8_tf32(d, a, b);
  ptx::mma_m16n8k16_bf16(d, a, b);
  for (int i = 0; i < 5; ++i) sum = fmaf(sum, 2.0f, d[0]);
  y[lane()] = sum;
}
__global__ void count(unsigned* y) {
  atomicAdd(y, 1u);
}
__global__ void many_blocks(float* y, const float* x) {
  y[blockIdx.x * 64 + lane()] = x[blockIdx.x * 64 + lane()];
}

struct Expected {
  double requests, lanes, units, ideal;  // per request but for the first
};

// The accesses of one kind by the profiled launch, added up over the instructions the compiler has made of them.
void expect_access(const cuda_emulator::profile::Report& report, bool shared, bool store, Expected expected,
                   const char* what) {
  Access sum;
  for (const Access& a : report.accesses)
    if (a.shared == shared && a.store == store)
      sum.requests += a.requests, sum.lanes += a.lanes, sum.units += a.units, sum.ideal += a.ideal;
  const bool right = sum.requests == expected.requests && sum.lanes == expected.lanes * sum.requests &&
                     sum.units == expected.units * sum.requests && sum.ideal == expected.ideal * sum.requests;
  if (!right)
    std::printf("%s: %g requests of %g lanes, %g units, ideal %g\n", what, sum.requests, sum.lanes / sum.requests,
                sum.units / sum.requests, sum.ideal / sum.requests);
  expect(right, what);
}

template <class... Params, class... Args>
cuda_emulator::profile::Report profiled_with(const cuda_emulator::profile::Options& options, unsigned blocks,
                                             unsigned threads, void (*kernel)(Params...), Args... args) {
  const Stream stream;
  cuda_emulator::profile::start(options);
  cudaLaunchConfig_t config{};
  config.gridDim = dim3(blocks);
  config.blockDim = dim3(threads);
  config.stream = stream;
  check_cuda(cudaLaunchKernelEx(&config, kernel, static_cast<Params>(args)...), "launch");
  stream.wait();
  return cuda_emulator::profile::stop();
}
template <class... Params, class... Args>
cuda_emulator::profile::Report profiled(unsigned blocks, unsigned threads, void (*kernel)(Params...), Args... args) {
  return profiled_with({}, blocks, threads, kernel, args...);
}

void test_global(float* y, float* x) {
  constexpr bool kGlobal = false, kLoad = false, kStore = true;
  auto load = [&](auto kernel, Expected expected, const char* what) {
    expect_access(profiled(1, 32, kernel, y, x), kGlobal, kLoad, expected, what);
  };
  load(coalesced, {1, 32, 4, 4}, "coalesced load");
  load(offset_by_one, {1, 32, 5, 4}, "load offset by one");
  load(stride_two, {1, 32, 8, 4}, "load with stride two");
  load(stride_eight, {1, 32, 32, 4}, "load with stride eight");
  load(broadcast, {1, 32, 1, 1}, "broadcast");
  load(vectors, {1, 32, 16, 16}, "load of float4");
  load(odd_lanes, {1, 16, 4, 2}, "load by odd lanes");
  load(divergent_loop, {4, 20, 4, 2.5}, "loop of unequal length");  // 32, 24, 16, 8 lanes: 4, 3, 2, 1 sectors at best
  load(realigned, {2, 24, 4, 3}, "lanes in step again after a barrier");
  expect_access(profiled(1, 32, vectors, y, x), kGlobal, kStore, {1, 32, 16, 16}, "store of float4");
  expect_access(profiled(1, 32, count, reinterpret_cast<unsigned*>(y)), kGlobal, kStore, {1, 32, 1, 1}, "atomicAdd");
}

void test_shared(float* y) {
  constexpr bool kShared = true, kLoad = false, kStore = true;
  expect_access(profiled(1, 32, column<32>, y), kShared, kLoad, {32, 32, 32, 1}, "column, pitch 32");
  expect_access(profiled(1, 32, column<33>, y), kShared, kLoad, {32, 32, 1, 1}, "column, pitch 33");
  expect_access(profiled(1, 32, column<33>, y), kShared, kStore, {32, 32, 1, 1}, "row");
  expect_access(profiled(1, 32, shared_stride<2>, y), kShared, kLoad, {1, 32, 2, 1}, "shared stride two");
  expect_access(profiled(1, 32, shared_stride<4>, y), kShared, kStore, {1, 32, 4, 1}, "shared stride four");
  expect_access(profiled(1, 32, shared_stride<0>, y), kShared, kLoad, {1, 32, 1, 1}, "shared broadcast");
  expect_access(profiled(1, 32, shared_vectors, y), kShared, kLoad, {1, 32, 4, 4}, "shared load of float4");
  expect_access(profiled(1, 32, shared_vectors, y), kShared, kStore, {1, 32, 4, 4}, "shared store of float4");
}

void test_ptx(float* y, float* x) {
  constexpr bool kGlobal = false, kShared = true, kLoad = false, kStore = true;
  expect_access(profiled(1, 32, async_copy, y, x), kGlobal, kLoad, {1, 32, 16, 16}, "cp.async reads");
  expect_access(profiled(1, 32, async_copy, y, x), kShared, kStore, {1, 32, 4, 4}, "cp.async writes");
  expect_access(profiled(1, 32, async_copy_scattered, y, x), kGlobal, kLoad, {1, 32, 32, 4},
                "scattered cp.async reads");
  expect_access(profiled(1, 32, async_copy_scattered, y, x), kShared, kStore, {1, 32, 8, 1},
                "scattered cp.async writes");
  expect_access(profiled(1, 32, zero_fill, y, x), kGlobal, kLoad, {1, 8, 1, 1}, "cp.async with zeros reads");
  expect_access(profiled(1, 32, load_matrices<64>, y), kShared, kLoad, {1, 32, 32, 4}, "ldmatrix, pitch 64");
  expect_access(profiled(1, 32, load_matrices<72>, y), kShared, kLoad, {1, 32, 4, 4}, "ldmatrix, pitch 72");
}

void test_totals(float* y, float* x) {
  const auto report = profiled(3, 64, arithmetic, y);
  expect(report.launches == 1 && report.kernels.size() == 1, "one launch");
  const auto& k = report.kernels[0];
  expect(k.blocks == 3 && k.threads == 192, "blocks and threads");
  expect(k.fma == 3 * 64 * 5, "fmaf of all threads");
  expect(k.tensor_tf32 == 3 * 2 * 1024 && k.tensor_bf16 == 3 * 2 * 2048, "mma of all warps");
  expect(k.name.find("arithmetic") != std::string::npos, "the kernel's name");
  const auto copies = profiled(10, 64, many_blocks, y, x);
  expect(copies.kernels[0].sectors == 10 * 2 * (4 + 4), "one block stands for ten");
  const auto sampled = profiled_with({.skip_others = true}, 10, 64, many_blocks, y, x);
  expect(sampled.kernels[0].sectors == copies.kernels[0].sectors, "blocks that are not run are stood for");
  expect(sampled.sequence.size() == 1 && sampled.sequence[0].sectors == sampled.kernels[0].sectors, "launch by launch");
  for (const Access& a : copies.accesses) expect(a.place.find("profile_test.cu:") == 0, "source lines are found");
  expect(cuda_emulator::profile::to_text(copies).find("many_blocks") != std::string::npos, "the table names kernels");
}

}  // namespace

int main() {
  const Array<float> x(std::vector<float>(4096, 1)), y(std::vector<float>(4096));
  test_global(y, x);
  test_shared(y);
  test_ptx(y, x);
  test_totals(y, x);
  return report();
}
