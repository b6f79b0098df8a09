// Progress of many cells at once: bars with rate and time left on a terminal, plain lines elsewhere (a log file of a
// batch system gets one per tenth or per half minute, whichever comes first, and never an escape sequence).
#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <ostream>
#include <string>
#include <vector>

namespace tobogan {

// Every function may be called from any thread.
class Progress {
 public:
  using Clock = std::chrono::steady_clock;
  struct Options {
    bool terminal = false;  // bars; see on_stderr()
    int width = 80;         // columns of the terminal
    std::function<Clock::time_point()> now = [] { return Clock::now(); };
  };
  // REQUIRES: `out` outlives this object and nobody else writes to it meanwhile.
  Progress(std::ostream& out, Options options);
  ~Progress();

  // Options for stderr as it is: a terminal of some width, or a file.
  static Options on_stderr();

  // Shows `done` of `total` steps of `name`; the first call starts its bar.  Cheap: redraws ten times a second.
  void update(const std::string& name, std::int64_t done, std::int64_t total, const std::string& note = "");
  // Removes the bar and prints a last line for it (nothing if `text` is empty).
  void finish(const std::string& name, const std::string& text);
  // A line of its own, above the bars.
  void say(const std::string& text);
  // The line under the bars: "3 of 40 cells".
  void status(const std::string& text);

 private:
  struct Bar {
    std::string name = {}, note = {};
    std::int64_t first = 0, done = 0, total = 0;  // first: where this process began (a resumed cell)
    Clock::time_point started = {}, printed = {};
    std::int64_t printed_tenth = 0;
  };
  void draw(Clock::time_point now);
  void erase();
  void print_line(Bar& bar, Clock::time_point now);
  std::string text_of(const Bar& bar, Clock::time_point now) const;

  std::ostream& out_;
  Options options_;
  std::mutex mutex_;
  std::vector<Bar> bars_;  // in order of their start
  std::string status_;
  int drawn_lines_ = 0;
  Clock::time_point drawn_;
};

// "0.4 s", "48 s", "12:05", "3:07:44".
std::string duration_text(double seconds);

}  // namespace tobogan
