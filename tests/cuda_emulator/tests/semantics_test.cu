// What the language and each PTX instruction mean, by known answers.  Also compiles with nvcc: on a GPU it must pass
// too.
#include "kernels/cuda/ptx.cuh"
#include "tests/cuda_emulator/tests/support.h"

namespace {
using namespace emulator_test;
using tobogan::kernels::kFullWarp;
using tobogan::kernels::Launch;
namespace ptx = tobogan::kernels::ptx;

__global__ void __launch_bounds__(256) wait_kernel(int* y, int* flag) {  // all but one wait for the last thread
  if (threadIdx.x == 255)
    atomicExch(flag, 7);
  else
    while (atomicAdd(flag, 0) == 0) __nanosleep(10);
  y[threadIdx.x] = atomicAdd(flag, 0);
}

// The halves of a warp use different masks and different numbers of steps at the same time.
__global__ void __launch_bounds__(64) half_warps_kernel(int* y) {
  const int lane = int(threadIdx.x) % 32;
  int v = lane;
  if (lane < 16) {
    for (int i = 0; i < 5; ++i) v = __shfl_xor_sync(0x0000ffffu, v, 1);
  } else {
    for (int i = 0; i < 8; ++i) v = __shfl_down_sync(0xffff0000u, v, 1, 16);
    v += 100 * __popc(__ballot_sync(0xffff0000u, lane & 1));
  }
  __syncwarp();
  v += 1000 * int(__reduce_add_sync(kFullWarp, 1u));
  y[threadIdx.x] = v;
}

__global__ void __launch_bounds__(32) warp_kernel(int* y) {
  const int lane = int(threadIdx.x);
  const int answers[] = {__shfl_up_sync(kFullWarp, lane, 3),
                         __shfl_up_sync(kFullWarp, lane, 3, 8),
                         __shfl_sync(kFullWarp, lane, 5, 8),
                         __any_sync(kFullWarp, lane == 3),
                         __all_sync(kFullWarp, lane < 31),
                         int(__reduce_max_sync(kFullWarp, unsigned(lane))),
                         int(__reduce_min_sync(kFullWarp, unsigned(lane) + 2)),
                         int(__ballot_sync(kFullWarp, lane % 2 == 0))};
  for (int i = 0; i < 8; ++i) y[i * 32 + lane] = answers[i];
}

__global__ void __launch_bounds__(256) count_kernel(int* y) {  // a block of 10 x 5 x 4
  const int t = int(threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z));
  const int thirds = __syncthreads_count(t % 3 == 0), any = __syncthreads_or(t == 77), all = __syncthreads_and(t < 200);
  y[t] = thirds + 1000 * (any != 0) + 2000 * (all != 0);
}

// Atomics of all kinds on cells that start at 10.
__global__ void __launch_bounds__(64) atomics_kernel(int* y, float* f) {
  atomicAdd(&y[0], 2);
  atomicSub(&y[1], 1);
  atomicMax(&y[2], int(threadIdx.x));
  atomicMin(&y[3], int(threadIdx.x));
  atomicOr(&y[4], 1 << (threadIdx.x % 4));
  atomicAnd(&y[5], 3);
  atomicInc(reinterpret_cast<unsigned*>(&y[6]), 20);
  atomicCAS(&y[7], 10, int(threadIdx.x) + 100);
  atomicAdd(f, 0.5f);
}

template <int kBytes>
__global__ void __launch_bounds__(32) cp_async_kernel(uint8_t* y, const uint8_t* x) {
  SHARED(uint4, rows, [32]);
  auto* row = reinterpret_cast<uint8_t*>(&rows[threadIdx.x]);
  ptx::cp_async<kBytes>(row, x + threadIdx.x * kBytes, int(threadIdx.x) % (kBytes + 1));
  ptx::cp_async_commit();
  ptx::cp_async_wait<0>();
  for (unsigned i = 0; i < kBytes; ++i) y[threadIdx.x * kBytes + i] = row[i];
}

// Matrix m's value (r, c) is 100 m + 8 r + c.
template <bool kTransposed>
__global__ void __launch_bounds__(32) ldmatrix_kernel(uint32_t* y) {
  SHARED(uint16_t, tile, [32 * 8]);
  const unsigned lane = threadIdx.x;
  for (unsigned c = 0; c < 8; ++c) tile[lane * 8 + c] = uint16_t(lane / 8 * 100 + lane % 8 * 8 + c);
  __syncwarp();
  uint32_t four[4], two[2];
  if constexpr (kTransposed) {
    ptx::ldmatrix_x4_trans(four, &tile[lane * 8]);
    ptx::ldmatrix_x2_trans(two, &tile[lane * 8]);
  } else {
    ptx::ldmatrix_x4(four, &tile[lane * 8]);
    ptx::ldmatrix_x2(two, &tile[lane * 8]);
  }
  for (unsigned m = 0; m < 4; ++m) y[m * 32 + lane] = four[m];
  for (unsigned m = 0; m < 2; ++m) y[(4 + m) * 32 + lane] = two[m];
}

// c = a b with a {16, depth} and b {depth, 8}, fragments by the documented layout.
__global__ void __launch_bounds__(32) mma_tf32_kernel(float* c, const float* a, const float* b) {
  const int lane = int(threadIdx.x), group = lane / 4, quad = lane % 4;
  const uint32_t fa[4] = {ptx::to_tf32(a[group * 8 + quad]), ptx::to_tf32(a[(group + 8) * 8 + quad]),
                          ptx::to_tf32(a[group * 8 + quad + 4]), ptx::to_tf32(a[(group + 8) * 8 + quad + 4])};
  const uint32_t fb[2] = {ptx::to_tf32(b[quad * 8 + group]), ptx::to_tf32(b[(quad + 4) * 8 + group])};
  float d[4] = {};
  ptx::mma_m16n8k8_tf32(d, fa, fb);
  for (int i = 0; i < 4; ++i) c[(group + i / 2 * 8) * 8 + quad * 2 + i % 2] = d[i];
}
__global__ void __launch_bounds__(32) mma_bf16_kernel(float* c, const float* a, const float* b) {
  const int lane = int(threadIdx.x), group = lane / 4, quad = lane % 4;
  uint32_t fa[4], fb[2];
  for (int i = 0; i < 4; ++i) {
    const float* from = a + (group + i % 2 * 8) * 16 + quad * 2 + i / 2 * 8;
    fa[i] = ptx::pack_bf16(from[0], from[1]);
  }
  for (int i = 0; i < 2; ++i) {
    const float* from = b + (quad * 2 + i * 8) * 8 + group;
    fb[i] = ptx::pack_bf16(from[0], from[8]);
  }
  float d[4] = {};
  ptx::mma_m16n8k16_bf16(d, fa, fb);
  for (int i = 0; i < 4; ++i) c[(group + i / 2 * 8) * 8 + quad * 2 + i % 2] = d[i];
}

__global__ void __launch_bounds__(32) rounding_kernel(uint32_t* y) {
  if (threadIdx.x != 0) return;
  const auto tensor_core_reads = [](uint32_t bits) { return ptx::to_tf32(__uint_as_float(bits)) & 0xffffe000u; };
  y[0] = tensor_core_reads(0x3f801500u);  // 0.66 of a last place at the smallest mantissa: down
  y[1] = tensor_core_reads(0xbf801600u);
  y[2] = tensor_core_reads(0x3fffca00u);  // 0.32 at the largest: down
  y[3] = tensor_core_reads(0x3fffcb00u);
  y[4] = tensor_core_reads(0x3fffe000u);                                              // TF32's own
  y[5] = tensor_core_reads(0x7f800000u);                                              // infinity
  y[6] = tensor_core_reads(0x7fffffffu);                                              // NaN
  y[7] = ptx::pack_bf16(__uint_as_float(0x3f808000u), __uint_as_float(0x3f818000u));  // ties to even: down, up
}

void test_warp() {
  const Stream stream;
  const Array<int> y(256), flag(std::vector<int>{0});
  Launch<256>{.grid = dim3(1), .stream = stream}(wait_kernel, y.data(), flag.data());
  expect(y.read(stream) == std::vector<int>(256, 7), "a waiting loop inside a block ends");
  Launch<64>{.grid = dim3(1), .stream = stream}(half_warps_kernel, y.data());
  const auto halves = y.read(stream);
  for (int t = 0; t < 64; ++t) {
    const int lane = t % 32;
    // Down by eight; what comes from beyond the segment is the lane's own value, so the last lane's spreads.
    const int v = lane < 16 ? lane ^ 1 : std::min(lane + 8, 31) + 800;
    expect(halves[size_t(t)] == v + 32000, "half warps with different masks");
  }
  Launch<32>{.grid = dim3(1), .stream = stream}(warp_kernel, y.data());
  const auto w = y.read(stream);
  for (int lane = 0; lane < 32; ++lane) {
    const int right[] = {
        lane < 3 ? lane : lane - 3, lane % 8 < 3 ? lane : lane - 3, lane / 8 * 8 + 5, 1, 0, 31, 2, int(0x55555555u)};
    for (int i = 0; i < 8; ++i) expect(w[size_t(i * 32 + lane)] == right[i], "warp functions");
  }
  cudaLaunchConfig_t config{};
  config.gridDim = dim3(1);
  config.blockDim = dim3(10, 5, 4);
  config.stream = stream;
  check_cuda(cudaLaunchKernelEx(&config, count_kernel, y.data()), "launch");
  const auto votes = y.read(stream);
  for (size_t t = 0; t < 200; ++t) expect(votes[t] == 67 + 3000, "votes of a three-dimensional block");
}

void test_atomics() {
  const Stream stream;
  const Array<int> y(std::vector<int>(8, 10));
  const Array<float> f(std::vector<float>{1});
  Launch<64>{.grid = dim3(2), .stream = stream}(atomics_kernel, y.data(), f.data());
  const auto cells = y.read(stream);
  const std::vector<int> right = {10 + 256, 10 - 128, 63, 0, 15, 2, (10 + 128) % 21};
  for (size_t i = 0; i < right.size(); ++i) expect(cells[i] == right[i], "atomics");
  expect(cells[7] >= 100 && cells[7] < 164, "atomicCAS");
  expect(f.read(stream)[0] == 65, "atomicAdd of floats");
}

template <int kBytes>
void test_cp_async() {
  const Stream stream;
  std::vector<uint8_t> bytes(32 * kBytes);
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = uint8_t(i % 250 + 1);
  const Array<uint8_t> x(bytes), y(bytes.size());
  Launch<32>{.grid = dim3(1), .stream = stream}(cp_async_kernel<kBytes>, y.data(), x.data());
  const auto copied = y.read(stream);
  for (size_t i = 0; i < bytes.size(); ++i)
    expect(copied[i] == (i % kBytes < i / kBytes % (kBytes + 1) ? bytes[i] : 0), "cp.async with zero fill");
}

void test_fragments() {
  const Stream stream;
  const Array<uint32_t> words(6 * 32);
  for (const bool transposed : {false, true}) {
    Launch<32>{.grid = dim3(1), .stream = stream}(transposed ? ldmatrix_kernel<true> : ldmatrix_kernel<false>,
                                                  words.data());
    const auto got = words.read(stream);
    for (uint32_t i = 0; i < got.size(); ++i) {
      const uint32_t m = i / 32 % 4, r = i % 32 / 4, c = i % 4 * 2;
      const uint32_t first = m * 100 + (transposed ? c * 8 + r : r * 8 + c);
      expect(got[i] == (first | (first + (transposed ? 8 : 1)) << 16), "ldmatrix");
    }
  }
  for (const int depth : {8, 16}) {  // small integers: exact in TF32 and bf16
    std::vector<float> a(size_t(16 * depth)), b(size_t(depth * 8)), c(16 * 8);
    for (size_t i = 0; i < a.size(); ++i) a[i] = float(i * 7 % 13) - 6;
    for (size_t i = 0; i < b.size(); ++i) b[i] = float(i * 5 % 11) - 5;
    for (size_t i = 0; i < c.size(); ++i)
      for (size_t k = 0; k < size_t(depth); ++k) c[i] += a[i / 8 * size_t(depth) + k] * b[k * 8 + i % 8];
    const Array<float> da(a), db(b), dc(c.size());
    Launch<32>{.grid = dim3(1), .stream = stream}(depth == 8 ? mma_tf32_kernel : mma_bf16_kernel, dc.data(), da.data(),
                                                  db.data());
    expect(dc.read(stream) == c, "mma.sync");
  }
  const Array<uint32_t> rounded(8);
  Launch<32>{.grid = dim3(1), .stream = stream}(rounding_kernel, rounded.data());
  expect(rounded.read(stream) == std::vector<uint32_t>{0x3f800000u, 0xbf802000u, 0x3fffc000u, 0x3fffe000u, 0x3fffe000u,
                                                       0x7f800000u, 0x7fffe000u, 0x3f823f80u},
         "rounding to TF32 and bf16");
}

void test_launch_bounds() {
  cudaFuncAttributes attributes;
  check_cuda(cudaFuncGetAttributes(&attributes, count_kernel), "asking for a kernel's attributes");
  expect(attributes.maxThreadsPerBlock == 256, "__launch_bounds__ of a kernel");
  check_cuda(cudaFuncGetAttributes(&attributes, cp_async_kernel<16>), "asking for a kernel's attributes");
  expect(attributes.maxThreadsPerBlock == 32, "__launch_bounds__ of a template");
  const Stream stream;
  const Array<int> y(512);
  std::string message;
  try {
    Launch<512>{.grid = dim3(1), .stream = stream}(count_kernel, y.data());
  } catch (const tobogan::kernels::CudaError& error) {
    message = error.what();
  }
  expect(message.find("count_kernel") != std::string::npos && message.find("512 threads") != std::string::npos,
         "a refused launch names the kernel and its size");
}

}  // namespace

int main() {
  test_warp();
  test_atomics();
  test_cp_async<4>();
  test_cp_async<8>();
  test_cp_async<16>();
  test_fragments();
#if !defined(CUDA_EMULATOR) || !defined(__clang__)  // clang's builds do not know the bounds
  test_launch_bounds();
#endif
  return report();
}
