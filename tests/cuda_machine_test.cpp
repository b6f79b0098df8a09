// A GPU's memory and captured work: what is reused when, what is refused, and in which words.
#include <cuda_runtime.h>

#include <atomic>
#include <thread>

#include "kernels/cuda/graph.h"
#include "kernels/cuda/machine.h"
#include "tests/support/catch.h"
#include "tests/support/on_gpu.h"

namespace tobogan::kernels {
namespace {

using Catch::Matchers::ContainsSubstring;

TEST_CASE("bytes come back as they went, also more than the pinned buffer holds") {
  CudaMachine machine;
  for (const int64_t count : {1, 1000, 3 << 20}) {
    std::vector<int32_t> values(count);
    for (int64_t i = 0; i < count; ++i) values[i] = static_cast<int32_t>(i * 7919);
    CHECK(OnGpu(machine, values).host() == values);
  }
}

TEST_CASE("a block given back is taken again, and sizes of one class share blocks") {
  CudaMachine machine;
  CudaPool pool(machine.tag().stream, true);
  void* small = pool.take(1000);
  void* large = pool.take(5 << 20);
  CHECK(pool.bytes_in_use() >= 1000 + (5 << 20));
  const size_t reserved = pool.bytes_reserved();
  pool.give(small, 1000);
  pool.give(large, 5 << 20);
  CHECK(pool.bytes_in_use() == 0);
  CHECK(pool.take(1020) == small);
  CHECK(pool.take(5 << 20) == large);
  CHECK(pool.bytes_reserved() == reserved);
  pool.give(small, 1020);
  pool.give(large, 5 << 20);
  pool.trim();
  CHECK(pool.bytes_reserved() < reserved);
}

TEST_CASE("blocks in use never overlap, whatever sizes are asked for") {
  CudaMachine machine;
  CudaPool pool(machine.tag().stream, true);
  std::map<char*, size_t> blocks;
  for (size_t bytes = 1; bytes < (3 << 20); bytes = bytes * 3 / 2 + 1) {
    for (int i = 0; i < 3; ++i) {
      char* block = static_cast<char*>(pool.take(bytes));
      CHECK(reinterpret_cast<uintptr_t>(block) % 256 == 0);
      blocks[block] = bytes;
    }
  }
  const char* end = nullptr;
  for (const auto& [block, bytes] : blocks) {
    CHECK((!end || end <= block));
    end = block + bytes;
  }
  for (const auto& [block, bytes] : blocks) pool.give(block, bytes);
}

TEST_CASE("what a lease has touched is nobody else's until it ends") {
  CudaMachine machine;
  CudaPool pool(machine.tag().stream, true);
  void* before = pool.take(4 << 20);
  void* kept = nullptr;
  void* inside = nullptr;
  {
    CudaPool::Lease lease(pool);
    lease.open();
    kept = pool.take(4 << 20);
    inside = pool.take(4 << 20);
    pool.give(inside, 4 << 20);
    CHECK(pool.take(4 << 20) == inside);  // its own block, again
    pool.give(inside, 4 << 20);
    pool.give(before, 4 << 20);  // was read inside: becomes the lease's
    lease.close();
    void* outside = pool.take(4 << 20);
    CHECK((outside != inside && outside != before && outside != kept));
    pool.give(outside, 4 << 20);
  }
  std::vector<void*> now;
  for (int i = 0; i < 3; ++i) now.push_back(pool.take(4 << 20));
  CHECK(std::count(now.begin(), now.end(), inside) == 1);
  CHECK(std::count(now.begin(), now.end(), before) == 1);
  CHECK(std::count(now.begin(), now.end(), kept) == 0);
  for (void* block : now) pool.give(block, 4 << 20);
  pool.give(kept, 4 << 20);
}

TEST_CASE("asking for more memory than there is says how much was wanted, held and free") {
  CudaMachine machine;
  CudaPool pool(machine.tag().stream, true);
  CHECK_THROWS_WITH(pool.take(size_t{1} << 50), ContainsSubstring("1073741824 MiB wanted") &&
                                                    ContainsSubstring("held by this program") &&
                                                    ContainsSubstring("free"));
}

TEST_CASE("a GPU that is not there is refused") {
  CHECK_THROWS_WITH(CudaMachine({.gpu = 99}), ContainsSubstring("GPU 99 was asked for, and this machine has"));
}

TEST_CASE("captured work runs when it is replayed, on memory that stays its own") {
  CudaMachine machine;
  const Cuda on = machine.tag();
  OnGpu<uint8_t> result(machine, std::vector<uint8_t>(64, 1));
  CudaGraph graph(on, [&] {
    const CudaScratch<uint8_t> scratch(*on.pool, 64);
    cudaMemsetAsync(scratch.data(), 9, 64, on.stream);
    cudaMemcpyAsync(result.data(), scratch.data(), 64, cudaMemcpyDeviceToDevice, on.stream);
  });
  CHECK(graph.launches() == 2);
  CHECK(result.host() == std::vector<uint8_t>(64, 1));
  const OnGpu<uint8_t> after(machine, std::vector<uint8_t>(64, 5));  // must not get the scratch memory
  graph.replay();
  CHECK(result.host() == std::vector<uint8_t>(64, 9));
  CHECK(after.host() == std::vector<uint8_t>(64, 5));
}

TEST_CASE("one machine's pool is trimmed, and goes, while another machine captures a step") {
  CudaMachine machine, other;
  const OnGpu<uint8_t> result(machine, std::vector<uint8_t>(64, 1));
  CudaGraph graph(machine.tag(), [&] {
    cudaMemsetAsync(result.data(), 9, 64, machine.tag().stream);
    CudaPool pool(other.tag().stream, true);
    pool.give(pool.take(5 << 20), 5 << 20);
    pool.trim();
    CHECK(pool.bytes_reserved() == 0);
  });
  graph.replay();
  CHECK(result.host() == std::vector<uint8_t>(64, 9));
}

TEST_CASE("a captured step that needs memory gets what lies about unused") {
  CudaMachine machine;
  CudaPool& pool = *machine.tag().pool;
  const OnGpu<uint8_t> result(machine, std::vector<uint8_t>(64, 1));
  pool.give(pool.take(50 << 20), 50 << 20);
  CudaGraph graph(machine.tag(), [&] {
    cudaMemsetAsync(result.data(), 9, 64, machine.tag().stream);
    pool.trim();
    CHECK(pool.bytes_reserved() < 50 << 20);
  });
  graph.replay();
  CHECK(result.host() == std::vector<uint8_t>(64, 9));
}

TEST_CASE("machines come and go in other threads while a step is captured") {
  CudaMachine machine;
  const OnGpu<uint8_t> result(machine, std::vector<uint8_t>(64, 1));
  for (int round = 0; round < 10; ++round) {
    std::atomic<bool> begun = false;
    std::thread other([&] {
      begun = true;
      const CudaMachine one;
    });
    CudaGraph graph(machine.tag(), [&] {
      while (!begun) std::this_thread::yield();
      for (int i = 0; i < 100; ++i) cudaMemsetAsync(result.data(), i, 64, machine.tag().stream);
    });
    other.join();
    graph.replay();
    CHECK(result.host() == std::vector<uint8_t>(64, 99));
  }
}

TEST_CASE("reading on the host, or a new table, inside a captured step is refused") {
  CudaMachine machine;
  const OnGpu<uint8_t> values(machine, std::vector<uint8_t>(4, 1));
  const std::vector<int> numbers{1, 2, 3};
  CHECK_THROWS_WITH(CudaGraph(machine.tag(), [&] { values.host(); }), ContainsSubstring("reading a tensor"));
  CHECK_THROWS_WITH(CudaGraph(machine.tag(), [&] { machine.table(std::span(numbers)); }),
                    ContainsSubstring("a new shape"));
  const int* table = machine.table(std::span(numbers));
  CHECK(machine.table(std::span(numbers)) == table);
  CHECK_NOTHROW(CudaGraph(machine.tag(), [&] { machine.table(std::span(numbers)); }));
}

}  // namespace
}  // namespace tobogan::kernels
