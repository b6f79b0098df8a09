// The wish to stop: Ctrl-C, SIGTERM (what a batch system sends before it kills) or the end of --max-minutes.
#pragma once
#include <signal.h>

#include <array>
#include <chrono>
#include <optional>

namespace tobogan {

// While one exists, the first SIGINT or SIGTERM is noted instead of killing; the second of either kills as always.
// REQUIRES: at most one at a time in a process.
class StopRequest {
 public:
  explicit StopRequest(std::optional<double> max_minutes);
  ~StopRequest();
  StopRequest(const StopRequest&) = delete;
  StopRequest& operator=(const StopRequest&) = delete;

  // 0 (go on), kInterrupted or kTimeUp of options.h.
  int reason() const;

 private:
  std::array<struct sigaction, 2> before_;
  std::optional<std::chrono::steady_clock::time_point> deadline_;
};

}  // namespace tobogan
