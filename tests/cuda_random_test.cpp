// Random numbers on the GPU: the CPU's bits, and normals within a few roundings.
#include "kernels/random.h"
#include "tests/support/cuda_kernels.h"

namespace tobogan::kernels {
namespace {

// A key in each machine's memory.
struct Keys {
  uint64_t step = (uint64_t{5} << 32) + 9;
  OnGpu<uint64_t> gpu_step;
  explicit Keys(CudaMachine& cuda) : gpu_step(cuda, std::vector<uint64_t>{step}) {}
  RandomKey of(Cpu) const { return {.stream = 0x123456789abcdef, .draw = 3, .step = &step}; }
  RandomKey of(Cuda) const { return {.stream = 0x123456789abcdef, .draw = 3, .step = gpu_step.data()}; }
};

TEST_CASE("uniform numbers, integers and normals are the CPU's") {
  BothMachines on;
  const Keys keys(on.cuda);
  for (const int64_t count : {0, 1, 2, 3, 33, 511, 512, 513, 2001}) {
    for (const int64_t offset : {0, 1}) {
      INFO(count << " numbers, offset " << offset);
      const auto size = static_cast<size_t>(count);
      Reals uniforms(size), normals(size);
      std::vector<int32_t> integers(size);
      uniform(on.cpu.tag(), keys.of(on.cpu.tag()), count, -3, 2, uniforms.data());
      normal(on.cpu.tag(), keys.of(on.cpu.tag()), count, 1, 2, normals.data());
      random_integers(on.cpu.tag(), keys.of(on.cpu.tag()), count, 1000003, integers.data());
      const auto draw_uniform = [&](Cuda cuda, Real* y) { uniform(cuda, keys.of(cuda), count, -3, 2, y); };
      const auto draw_normal = [&](Cuda cuda, Real* y) { normal(cuda, keys.of(cuda), count, 1, 2, y); };
      const auto draw_integers = [&](Cuda cuda, int32_t* y) {
        random_integers(cuda, keys.of(cuda), count, 1000003, y);
      };
      CHECK(on.repeat(count, draw_uniform, offset) == uniforms);
      CHECK(on.repeat<int32_t>(count, draw_integers, offset) == integers);
      CHECK(apart(on.repeat(count, draw_normal, offset), normals) < 8 * kRounding);
    }
  }
}

TEST_CASE("a uniform never reaches the upper end") {
  BothMachines on;
  const Keys keys(on.cuda);
  const Real low = 0x1p24f, high = low + 2;  // two values only: half of the draws are rounded up to `high`
  const Reals y = on.repeat(1000, [&](Cuda cuda, Real* out) { uniform(cuda, keys.of(cuda), 1000, low, high, out); });
  CHECK(*std::max_element(y.begin(), y.end()) < high);
}

TEST_CASE("permutations of an epoch are the CPU's") {
  BothMachines on;
  for (const int32_t size : {1, 2, 5, 130, 3000}) {
    const int64_t count = size / 2 + 1;
    const uint64_t cursor = uint64_t{7} * static_cast<uint64_t>(size) + static_cast<uint64_t>(size - count);
    const OnGpu<uint64_t> gpu_cursor(on.cuda, std::vector<uint64_t>{cursor});
    std::vector<int32_t> want(static_cast<size_t>(count));
    permuted_indices(on.cpu.tag(), 77, size, &cursor, count, want.data());
    const auto run = [&](Cuda cuda, int32_t* y) { permuted_indices(cuda, 77, size, gpu_cursor.data(), count, y); };
    CHECK(on.repeat<int32_t>(count, run) == want);
  }
}

TEST_CASE("a counter advances on the device") {
  BothMachines on;
  const OnGpu<uint64_t> counter(on.cuda, std::vector<uint64_t>{uint64_t{1} << 40});
  advance(on.cuda.tag(), 3, counter.data());
  advance(on.cuda.tag(), 4, counter.data());
  CHECK(counter.host()[0] == (uint64_t{1} << 40) + 7);
}

}  // namespace
}  // namespace tobogan::kernels
