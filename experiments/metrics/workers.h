// Threads that share a piece of work block by block, and tell the caller now and then how far they are.
#pragma once
#include <algorithm>

#include "experiments/metrics/metric.h"
#include "kernels/cpu/threads.h"

namespace tobogan::metrics {

class Workers {
 public:
  // `total`: what all calls of run() will have done in the end.
  Workers(int threads, int64_t total, const OnProgress& progress)
      : pool_(thread_count(threads)), total_(total), progress_(progress) {}

  // body(begin, end) over 0..size in blocks that start at multiples of `grain`, in any order and several at a time.
  // REQUIRES: the body does not throw.
  template <class Body>
  void run(int64_t size, int64_t grain, const Body& body) {
    const int64_t round = grain * pool_.count() * 4;
    for (int64_t first = 0; first < size; first += round) {
      const int64_t count = std::min(round, size - first);
      pool_.for_range(count, grain, [&](int64_t begin, int64_t end) { body(first + begin, first + end); });
      done_ += count;
      if (progress_) progress_(done_, total_);
    }
  }

 private:
  kernels::Threads pool_;
  int64_t done_ = 0, total_;
  const OnProgress& progress_;
};

}  // namespace tobogan::metrics
