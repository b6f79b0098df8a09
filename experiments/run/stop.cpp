// The one variable outside every object in this project: a signal handler can reach nothing else.
#include "experiments/run/stop.h"

#include <atomic>

#include "experiments/run/options.h"

namespace tobogan {
namespace {

std::atomic<bool> interrupted = false;
static_assert(std::atomic<bool>::is_always_lock_free);

constexpr std::array kSignals = {SIGINT, SIGTERM};

}  // namespace

StopRequest::StopRequest(std::optional<double> max_minutes) {
  using namespace std::chrono;
  if (max_minutes)
    deadline_ =
        steady_clock::now() + duration_cast<steady_clock::duration>(duration<double, std::ratio<60>>(*max_minutes));
  interrupted = false;
  for (std::size_t i = 0; i < kSignals.size(); ++i) {
    struct sigaction action = {};
    action.sa_handler = [](int number) {
      if (!interrupted.exchange(true)) return;
      signal(number, SIG_DFL);
      raise(number);  // arrives when this handler returns
    };
    action.sa_flags = SA_RESTART;
    sigaction(kSignals[i], &action, &before_[i]);
  }
}

StopRequest::~StopRequest() {
  for (std::size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &before_[i], nullptr);
}

int StopRequest::reason() const {
  if (interrupted) return kInterrupted;
  return deadline_ && std::chrono::steady_clock::now() >= *deadline_ ? kTimeUp : 0;
}

}  // namespace tobogan
