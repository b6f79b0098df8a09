// A terminal shows the bars below everything printed so far; each redraw goes up over the old ones and clears them.
#include "experiments/run/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>

namespace tobogan {
namespace {

using Clock = Progress::Clock;

constexpr auto kRedraw = std::chrono::milliseconds(100);
constexpr auto kLineAtLeast = std::chrono::seconds(30);  // between two plain lines of one cell
constexpr auto kLineAtMost = std::chrono::seconds(3);
constexpr std::size_t kMostBars = 16;  // more would scroll off a small terminal, out of reach of the next redraw

double seconds_between(Clock::time_point from, Clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

std::string rate_text(double per_second) {
  if (per_second >= 100) return fmt::format("{:.0f}/s", per_second);
  if (per_second >= 1) return fmt::format("{:.1f}/s", per_second);
  return fmt::format("{:.1f}/min", per_second * 60);
}

std::string cut(const std::string& text, std::size_t width) {
  return text.substr(0, width);
}

}  // namespace

std::string duration_text(double seconds) {
  if (seconds < 9.95) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<long long>(seconds + 0.5);
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{}:{:02}", whole / 60, whole % 60);
  return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

Progress::Progress(std::ostream& out, Options options) : out_(out), options_(std::move(options)) {}

Progress::~Progress() {
  const std::lock_guard lock(mutex_);
  erase();
  out_.flush();
}

Progress::Options Progress::on_stderr() {
  Options options{.terminal = isatty(STDERR_FILENO) == 1};
  winsize size = {};
  if (options.terminal && ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) options.width = size.ws_col;
  return options;
}

void Progress::update(const std::string& name, std::int64_t done, std::int64_t total, const std::string& note) {
  const std::lock_guard lock(mutex_);
  const auto now = options_.now();
  auto bar = std::find_if(bars_.begin(), bars_.end(), [&](const Bar& b) { return b.name == name; });
  if (bar == bars_.end()) bar = bars_.insert(bar, {.name = name, .started = now, .printed = now});
  if (bar->total == 0 && total > 0) {  // the first step this process has seen: a resumed cell does not begin at 0
    bar->first = done;
    bar->started = now;
    bar->printed_tenth = done * 10 / total;
  }
  bar->done = done;
  bar->total = total;
  bar->note = note;
  if (!options_.terminal)
    print_line(*bar, now);
  else if (now - drawn_ >= kRedraw)
    draw(now);
}

void Progress::finish(const std::string& name, const std::string& text) {
  const std::lock_guard lock(mutex_);
  std::erase_if(bars_, [&](const Bar& bar) { return bar.name == name; });
  erase();
  if (!text.empty()) out_ << text << "\n";
  draw(options_.now());
}

void Progress::say(const std::string& text) {
  const std::lock_guard lock(mutex_);
  erase();
  out_ << text << "\n";
  draw(options_.now());
}

void Progress::status(const std::string& text) {
  const std::lock_guard lock(mutex_);
  status_ = text;
  draw(options_.now());
}

void Progress::erase() {
  if (drawn_lines_ > 0) out_ << "\r\x1b[" << drawn_lines_ << "A\x1b[J";
  drawn_lines_ = 0;
}

void Progress::draw(Clock::time_point now) {
  if (!options_.terminal) {
    out_.flush();
    return;
  }
  erase();
  const auto width = static_cast<std::size_t>(std::max(20, options_.width - 1));
  const std::size_t shown = std::min(bars_.size(), kMostBars);
  for (std::size_t i = 0; i < shown; ++i) out_ << cut(text_of(bars_[i], now), width) << "\n";
  std::string last = status_;
  if (shown < bars_.size()) last += fmt::format(" ({} more running)", bars_.size() - shown);
  if (!last.empty()) out_ << cut(last, width) << "\n";
  drawn_lines_ = static_cast<int>(shown) + (last.empty() ? 0 : 1);
  drawn_ = now;
  out_.flush();
}

void Progress::print_line(Bar& bar, Clock::time_point now) {
  const std::int64_t tenth = bar.total > 0 ? bar.done * 10 / bar.total : 0;
  const auto quiet = now - bar.printed;
  const bool due = quiet >= kLineAtLeast || (tenth > bar.printed_tenth && quiet >= kLineAtMost);
  if (!due || bar.done >= bar.total) return;  // the end has a line of its own
  out_ << text_of(bar, now) << std::endl;
  bar.printed = now;
  bar.printed_tenth = tenth;
}

std::string Progress::text_of(const Bar& bar, Clock::time_point now) const {
  const std::string note = bar.note.empty() ? "" : "  " + bar.note;
  const double seconds = seconds_between(bar.started, now);
  if (bar.total <= 0) return fmt::format("{:<20}  {}{}", bar.name, duration_text(seconds), note);
  const double steps = static_cast<double>(bar.done - bar.first),
               share = static_cast<double>(bar.done) / static_cast<double>(bar.total);
  std::string pace;
  if (steps > 0 && seconds > 0)
    pace = fmt::format("  {}  {} left", rate_text(steps / seconds),
                       duration_text(static_cast<double>(bar.total - bar.done) * seconds / steps));
  const std::string numbers = fmt::format("{:3.0f} %  {}/{}", share * 100, bar.done, bar.total);
  if (!options_.terminal) return fmt::format("{}: {}{}{}", bar.name, numbers, pace, note);
  constexpr int kCells = 14;
  const int full = std::clamp(static_cast<int>(share * kCells), 0, kCells);
  return fmt::format("{:<20}  [{}{}]  {}{}{}", bar.name, std::string(static_cast<std::size_t>(full), '#'),
                     std::string(static_cast<std::size_t>(kCells - full), '.'), numbers, pace, note);
}

}  // namespace tobogan
