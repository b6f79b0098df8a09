// The thread pool: chunks are handed out one at a time, so a core that is busy with something else takes fewer of them.
//
// Workers spin for a moment after a region, since another one usually follows at once, then sleep.  Small work runs
// inline.  How work is cut into chunks never depends on the number of threads: that is what makes results the same bits
// for any number of them.
//
// REQUIRES: one thread at a time calls run() on a pool; a body does not call run() on the same pool.
#pragma once
#include <cstdint>
#include <memory>

namespace tobogan::kernels {

class Threads {
 public:
  // A pool of `count` threads, the caller's included.  REQUIRES: count >= 1.
  explicit Threads(int count);
  ~Threads();
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;

  int count() const { return count_; }

  // body(chunk, worker) for chunk = 0..chunks-1 in any order, worker = 0..count()-1 naming the thread that runs it (for
  // scratch memory).  Returns when all are done.  REQUIRES: the body does not throw.
  template <class Body>
  void run(int64_t chunks, const Body& body) {
    if (chunks <= 1 || count_ == 1) {
      for (int64_t chunk = 0; chunk < chunks; ++chunk) body(chunk, 0);
    } else {
      run_chunks(
          chunks, [](const void* b, int64_t chunk, int worker) { (*static_cast<const Body*>(b))(chunk, worker); },
          &body);
    }
  }

  // body(begin, end) over 0..size in pieces of `grain`: the loop of elementwise kernels.
  template <class Body>
  void for_range(int64_t size, int64_t grain, const Body& body) {
    run((size + grain - 1) / grain, [&](int64_t chunk, int) {
      const int64_t begin = chunk * grain;
      body(begin, begin + grain < size ? begin + grain : size);
    });
  }

 private:
  using Call = void (*)(const void* body, int64_t chunk, int worker);
  void run_chunks(int64_t chunks, Call call, const void* body);

  struct State;
  int count_;
  std::unique_ptr<State> state_;
};

}  // namespace tobogan::kernels
