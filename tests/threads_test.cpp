// The thread pool: every chunk exactly once, whatever the numbers of chunks and threads, region after region.
#include "kernels/cpu/threads.h"

#include <atomic>
#include <thread>
#include <vector>

#include "kernels/cpu/float_mode.h"
#include "tests/support/catch.h"

namespace tobogan {
namespace {

using kernels::Threads;

TEST_CASE("every chunk runs once, by a worker that exists") {
  for (const int count : {1, 2, 3, 8}) {
    Threads threads(count);
    REQUIRE(threads.count() == count);
    for (const int64_t chunks : {0, 1, 2, 3, 7, 64, 1000}) {
      std::vector<std::atomic<int>> runs(static_cast<size_t>(chunks));
      std::atomic<int> strangers{0};
      threads.run(chunks, [&](int64_t chunk, int worker) {
        if (worker < 0 || worker >= count) ++strangers;
        ++runs[static_cast<size_t>(chunk)];
      });
      CHECK(strangers == 0);
      for (const std::atomic<int>& run : runs) REQUIRE(run == 1);
    }
  }
}

TEST_CASE("ranges are covered without gap or overlap") {
  Threads threads(3);
  for (const int64_t size : {0, 1, 9, 10, 11, 101}) {
    std::vector<int> covered(static_cast<size_t>(size));  // plain: an overlap between threads is a race TSan sees
    threads.for_range(size, 10, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) ++covered[static_cast<size_t>(i)];
    });
    CHECK(covered == std::vector<int>(static_cast<size_t>(size), 1));
  }
}

TEST_CASE("what a region wrote is seen after it, over thousands of regions") {
  Threads threads(4);
  std::vector<int64_t> values(17);
  for (int region = 0; region < 5000; ++region) {
    threads.run(static_cast<int64_t>(values.size()), [&](int64_t chunk, int) { values[chunk] += chunk + region; });
  }
  const int64_t regions_sum = 5000 * 4999 / 2;
  for (size_t i = 0; i < values.size(); ++i) CHECK(values[i] == 5000 * static_cast<int64_t>(i) + regions_sum);
}

TEST_CASE("a worker names one thread at a time, so its scratch memory is its own") {
  Threads threads(4);
  std::vector<int> scratch(4);  // plain again
  for (int region = 0; region < 200; ++region) {
    threads.run(50, [&](int64_t, int worker) { ++scratch[worker]; });
  }
  CHECK(scratch[0] + scratch[1] + scratch[2] + scratch[3] == 200 * 50);
}

TEST_CASE("pools nest and live side by side") {
  Threads outer(3);
  std::vector<int64_t> sums(6);
  outer.run(6, [&](int64_t chunk, int) {
    Threads inner(2);
    std::atomic<int64_t> sum{0};
    inner.run(100, [&](int64_t i, int) { sum += i * chunk; });
    sums[chunk] = sum;
  });
  for (int64_t i = 0; i < 6; ++i) CHECK(sums[i] == 4950 * i);
}

TEST_CASE("pools come and go, used or not") {
  for (int i = 0; i < 100; ++i) {
    Threads threads(1 + i % 5);
    std::atomic<int> runs{0};
    if (i % 2) threads.run(i, [&](int64_t, int) { ++runs; });
    CHECK(runs == (i % 2 ? i : 0));
  }
}

#if defined(__SSE__)
TEST_CASE("workers take denormals for zero exactly while their caller does") {
  Threads threads(4);
  volatile float tiny = 1e-39f;
  const auto kept = [&] {
    std::atomic<int> kept{0}, begun{0};
    threads.run(4, [&](int64_t, int) {
      ++begun;
      while (begun < 4) std::this_thread::yield();  // so that each of the four has one chunk
      kept += tiny * 0.5f != 0.0f;
    });
    return kept.load();
  };
  CHECK(kept() == 4);
  {
    const kernels::FlushDenormals flush;
    CHECK(kept() == 0);
  }
  CHECK(kept() == 4);
}
#endif

}  // namespace
}  // namespace tobogan
