// A region is open while `open_` is true.  A worker counts itself in, looks whether a region is open, takes chunks
// until none is left, and counts itself out; the caller takes chunks too, closes the region and waits until nobody is
// in. Counting in before looking (both sequentially consistent) is what makes it safe to change the region's
// description once the count is zero: a late worker either sees the region closed or is seen inside.
#include "kernels/cpu/threads.h"

#include <atomic>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "kernels/cores.h"
#include "kernels/cpu/float_mode.h"

#if defined(__x86_64__) || defined(__i386__)
#include <immintrin.h>
#endif

namespace tobogan::kernels {
namespace {

void relax() {
#if defined(__x86_64__) || defined(__i386__)
  _mm_pause();
#endif
}

// Waits until done(); spins for a moment, then sleeps until `word`, whose changes are notified, is no longer `seen`.
template <class Word, class Done>
void wait_until(std::atomic<Word>& word, int spins, const Done& done) {
  for (int i = 0; i < spins; ++i) {
    if (done()) return;
    relax();
  }
  for (;;) {
    const Word seen = word.load();
    if (done()) return;
    word.wait(seen);
  }
}

}  // namespace

struct Threads::State {
  // Written by the caller while the region is closed and nobody is inside.
  Call call = nullptr;
  const void* body = nullptr;
  int64_t chunks = 0;
  FloatMode mode{};
  bool stop = false;
  int spins = 0;

  alignas(64) std::atomic<int> round{0};  // raised for every region: what idle workers wait on
  std::atomic<bool> open{false};
  alignas(64) std::atomic<int64_t> next{0};  // the chunk to be taken next
  alignas(64) std::atomic<int> inside{0};    // workers that may be looking at the region
  std::vector<std::thread> workers;

  void take_chunks(int worker) {
    for (int64_t chunk = next.fetch_add(1); chunk < chunks; chunk = next.fetch_add(1)) call(body, chunk, worker);
  }

  // Nobody works any more.
  void end() {
    stop = true;
    open.store(true);
    round.fetch_add(1);
    round.notify_all();
    for (std::thread& worker : workers) worker.join();
  }

  void work(int worker) {
    int seen = 0;
    for (;;) {
      wait_until(round, spins, [&] { return round.load() != seen; });
      seen = round.load();
      inside.fetch_add(1);
      const bool last = open.load() && stop;
      if (!last && open.load()) {
        set_float_mode(mode);
        take_chunks(worker);
      }
      if (inside.fetch_sub(1) == 1) inside.notify_one();
      if (last) return;
    }
  }
};

Threads::Threads(int count) : count_(count < 1 ? 1 : count), state_(std::make_unique<State>()) {
  // About 30 microseconds: longer than the gap between two layers, shorter than anything a neighbour would notice.
  // More threads than processors must not spin at all, since they would spin in each other's way.
  state_->spins = count_ > available_cores() ? 0 : 1500;
  try {
    for (int worker = 1; worker < count_; ++worker) {
      state_->workers.emplace_back([this, worker] { state_->work(worker); });
    }
  } catch (const std::system_error& error) {  // the system has no more
    const size_t started = state_->workers.size() + 1;
    state_->end();
    throw std::runtime_error("of " + std::to_string(count_) + " threads only " + std::to_string(started) +
                             " could be started: " + error.what());
  }
}

Threads::~Threads() {
  state_->end();
}

void Threads::run_chunks(int64_t chunks, Call call, const void* body) {
  State& state = *state_;
  state.call = call;
  state.body = body;
  state.chunks = chunks;
  state.mode = float_mode();
  state.next.store(0);
  state.open.store(true);
  state.round.fetch_add(1);
  state.round.notify_all();
  state.take_chunks(0);
  state.open.store(false);
  wait_until(state.inside, state.spins, [&] { return state.inside.load() == 0; });
}

}  // namespace tobogan::kernels
