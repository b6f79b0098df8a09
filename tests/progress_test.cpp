// Bars on a terminal, few lines elsewhere, both under a clock of the test's own.
#include "experiments/run/progress.h"

#include <sstream>
#include <thread>

#include "tests/support/catch.h"

using namespace tobogan;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;

namespace {

struct Screen {
  Progress::Clock::time_point now = Progress::Clock::time_point(1h);
  std::ostringstream text;

  Progress::Options options(bool terminal, int width = 100) {
    return {.terminal = terminal, .width = width, .now = [this] { return now; }};
  }
  // What was printed since the last call.
  std::string take() {
    std::string taken = text.str();
    text.str("");
    return taken;
  }
};

// What a terminal shows after `text`: lines, with "up n and clear below" obeyed.  Any other escape sequence stays.
std::vector<std::string> shown(const std::string& text) {
  std::vector<std::string> lines(1);
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::size_t end = 0;
    if (text.compare(i, 3, "\r\x1b[") == 0) {
      const auto up = static_cast<std::size_t>(std::stoi(text.substr(i + 3), &end));
      if (text.compare(i + 3 + end, 4, "A\x1b[J") == 0) {
        REQUIRE(up < lines.size());
        lines.resize(lines.size() - up);
        lines.back().clear();
        i += 3 + end + 3;
        continue;
      }
    }
    if (text[i] == '\n')
      lines.emplace_back();
    else
      lines.back() += text[i];
  }
  return lines;
}

}  // namespace

TEST_CASE("durations read like a clock") {
  CHECK(duration_text(0.42) == "0.4 s");
  CHECK(duration_text(48.4) == "48 s");
  CHECK(duration_text(59.6) == "1:00");
  CHECK(duration_text(725) == "12:05");
  CHECK(duration_text(11264) == "3:07:44");
}

TEST_CASE("a log file gets a line per tenth, not more often than every three seconds, and no escape sequence") {
  Screen screen;
  Progress progress(screen.text, screen.options(false));
  for (int step = 0; step <= 1000; ++step) {
    progress.update("gan", step, 1000, "loss 0.7");
    screen.now += 100ms;
  }
  const std::string text = screen.take();
  CHECK(std::count(text.begin(), text.end(), '\n') == 9);
  CHECK_THAT(text,
             ContainsSubstring("gan:  40 %  400/1000  10.0/s  1:00 left  loss 0.7\n") && !ContainsSubstring("\x1b"));
  for (int step = 0; step < 1000; ++step) {
    progress.update("fast", step, 1000);
    screen.now += 1ms;
  }
  CHECK(screen.take() == "");
  progress.finish("fast", "fast: done in 1 s");
  CHECK(screen.take() == "fast: done in 1 s\n");
}

TEST_CASE("a slow cell gets a line every half minute") {
  Screen screen;
  Progress progress(screen.text, screen.options(false));
  for (int step = 0; step < 10; ++step) {
    progress.update("slow", step, 100000);
    screen.now += 10s;
  }
  const std::string text = screen.take();
  CHECK(std::count(text.begin(), text.end(), '\n') == 3);
}

TEST_CASE("a resumed cell's rate counts only what was done here") {
  Screen screen;
  Progress progress(screen.text, screen.options(false));
  progress.update("gan", 0, 0, "from its checkpoint");
  progress.update("gan", 500, 1000);
  screen.now += 10s;
  progress.update("gan", 600, 1000);
  CHECK(screen.take() == "gan:  60 %  600/1000  10.0/s  40 s left\n");
}

TEST_CASE("a terminal shows the bars of all running cells below what was said") {
  Screen screen;
  Progress progress(screen.text, screen.options(true));
  progress.status("0 of 2 cells done");
  progress.update("a", 0, 10);
  progress.update("b", 0, 10);
  progress.say("hello");
  screen.now += 5s;
  progress.update("a", 5, 10);
  std::vector<std::string> lines = shown(screen.text.str());
  REQUIRE(lines.size() == 5);
  CHECK(lines[0] == "hello");
  CHECK_THAT(lines[1], ContainsSubstring("[#######.......]   50 %  5/10  1.0/s  5.0 s left"));
  CHECK_THAT(lines[2], ContainsSubstring("[..............]    0 %  0/10"));
  CHECK(lines[3] == "0 of 2 cells done");
  progress.finish("a", "a: done");
  lines = shown(screen.text.str());
  REQUIRE(lines.size() == 5);
  CHECK(lines[1] == "a: done");
  CHECK_THAT(lines[2], ContainsSubstring("b   "));
}

TEST_CASE("redraws come ten times a second at most and never wrap a line") {
  Screen screen;
  Progress progress(screen.text, screen.options(true, 40));
  progress.update("a", 0, 1000);
  screen.take();
  for (int step = 1; step <= 99; ++step) {
    screen.now += 1ms;
    progress.update("a", step, 1000, std::string(100, 'x'));
  }
  CHECK(screen.take() == "");
  screen.now += 1ms;
  progress.update("a", 100, 1000, std::string(100, 'x'));
  for (const std::string& line : shown(screen.take().substr(std::string("\r\x1b[1A\x1b[J").size())))
    CHECK(line.size() < 40);
}

TEST_CASE("more bars than a terminal has lines are counted, not drawn") {
  Screen screen;
  Progress progress(screen.text, screen.options(true));
  for (int i = 0; i < 40; ++i) progress.update("cell" + std::to_string(i), 1, 2);
  progress.status("running");
  const auto lines = shown(screen.text.str());
  CHECK(lines.size() == 18);
  CHECK(lines[16] == "running (24 more running)");
}

TEST_CASE("nothing is left on the screen at the end") {
  Screen screen;
  {
    Progress progress(screen.text, screen.options(true));
    progress.update("a", 1, 2);
    progress.status("status");
  }
  CHECK(shown(screen.text.str()) == std::vector<std::string>{""});
}

TEST_CASE("many threads write whole lines") {
  Screen screen;
  Progress progress(screen.text, screen.options(false));
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&progress, t] {
        const std::string name(1, static_cast<char>('a' + t));
        for (int i = 0; i < 200; ++i) {
          progress.update(name, i, 200);
          progress.say(name + name + name);
        }
        progress.finish(name, name + " done");
      });
  }
  std::istringstream lines(screen.take());
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count)
    CHECK((line.size() == 3 ? line == std::string(3, line[0]) : line.substr(1) == " done"));
  CHECK(count == 804);
}
