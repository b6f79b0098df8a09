// The memory pool: blocks are aligned, apart from each other, reused, and counted.
#include <cstring>
#include <limits>
#include <new>
#include <thread>
#include <vector>

#include "kernels/cpu/memory_pool.h"
#include "tests/support/catch.h"

namespace tobogan {
namespace {

using kernels::Pool;
using kernels::Scratch;

TEST_CASE("blocks are aligned and large enough, and classes waste at most an eighth") {
  Pool pool;
  for (size_t bytes = 0; bytes < 5000; ++bytes) {
    const size_t before = pool.bytes_in_use();
    void* block = pool.take(bytes);
    REQUIRE(reinterpret_cast<uintptr_t>(block) % 64 == 0);
    std::memset(block, 1, bytes);  // the address sanitizer sees a block that is too small
    const size_t held = pool.bytes_in_use() - before;
    REQUIRE(held >= bytes);
    REQUIRE(held <= bytes + bytes / 8 + 64);
    pool.give(block, bytes);
  }
  for (size_t bytes = 5000; bytes < (size_t{1} << 33); bytes = bytes * 9 / 8 + 1) {
    const size_t before = pool.bytes_in_use();
    void* block = pool.take(bytes);  // not touched: the system hands out pages when they are
    REQUIRE(reinterpret_cast<uintptr_t>(block) % 64 == 0);
    const size_t held = pool.bytes_in_use() - before;
    REQUIRE(held >= bytes);
    REQUIRE(held <= bytes + bytes / 8 + 64);
    pool.give(block, bytes);
    pool.trim();
  }
}

TEST_CASE("a block given back is the next one taken, and other sizes get others") {
  Pool pool;
  void* first = pool.take(1000);
  void* second = pool.take(1000);
  REQUIRE(first != second);
  pool.give(first, 1000);
  CHECK(pool.take(1000) == first);
  pool.give(first, 1000);
  pool.give(second, 1000);
  CHECK(pool.take(999) == second);  // the same class, the last one given
  void* larger = pool.take(5000);
  CHECK(larger != first);
  CHECK(pool.take(1000) == first);
  pool.give(larger, 5000);
  pool.give(first, 1000);
  pool.give(second, 999);
}

TEST_CASE("repeating the same requests reserves nothing new") {
  Pool pool;
  const auto step = [&] {
    std::vector<void*> blocks;
    for (size_t i = 1; i <= 100; ++i) blocks.push_back(pool.take(i * 777));
    for (size_t i = 1; i <= 100; ++i) pool.give(blocks[i - 1], i * 777);
  };
  step();
  const size_t reserved = pool.bytes_reserved();
  REQUIRE(reserved >= 777 * 5050);
  for (int i = 0; i < 10; ++i) step();
  CHECK(pool.bytes_reserved() == reserved);
  CHECK(pool.bytes_in_use() == 0);
  pool.trim();
  CHECK(pool.bytes_reserved() == 0);
}

TEST_CASE("trim keeps what is in use") {
  Pool pool;
  auto* kept = static_cast<int*>(pool.take(sizeof(int)));
  *kept = 7;
  pool.give(pool.take(100000), 100000);
  pool.trim();
  CHECK(pool.bytes_reserved() == pool.bytes_in_use());
  CHECK(*kept == 7);
  pool.give(kept, sizeof(int));
}

TEST_CASE("a request that cannot be met throws and leaves the pool as it was") {
  Pool pool;
  CHECK_THROWS_AS(pool.take(std::numeric_limits<size_t>::max()), std::bad_alloc);
  CHECK_THROWS_AS(pool.take(std::numeric_limits<size_t>::max() / 2 + 1), std::bad_alloc);
  CHECK(pool.bytes_in_use() == 0);
  CHECK(pool.bytes_reserved() == 0);
  CHECK_NOTHROW(pool.give(pool.take(10), 10));
}

TEST_CASE("scratch memory gives itself back") {
  Pool pool;
  {
    const Scratch<double> scratch(pool, 100);
    scratch[99] = 1;
    CHECK(pool.bytes_in_use() >= 800);
    const Scratch<double> empty(pool, 0);
  }
  CHECK(pool.bytes_in_use() == 0);
}

TEST_CASE("threads share a pool") {
  Pool pool;
  std::vector<std::thread> threads;
  std::vector<int> wrong(4);
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 2000; ++i) {
        const size_t bytes = 64 + (i * 37 + t * 11) % 4096;
        auto* block = static_cast<unsigned char*>(pool.take(bytes));
        std::memset(block, t + 1, bytes);
        for (size_t b = 0; b < bytes; b += 63) wrong[t] += block[b] != t + 1;
        pool.give(block, bytes);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == std::vector<int>(4));
  CHECK(pool.bytes_in_use() == 0);
}

}  // namespace
}  // namespace tobogan
