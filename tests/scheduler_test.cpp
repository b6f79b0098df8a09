// Order, selection, side-by-side running, failures; and a whole program killed in every way and started again.
#include "experiments/run/scheduler.h"

#include <signal.h>

#include <algorithm>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <set>

#include "engine/atomic_file.h"
#include "engine/error.h"
#include "experiments/run/stop.h"
#include "tests/support/catch.h"
#include "tests/support/hostile.h"
#include "tests/support/quiet.h"
#include "tests/support/subprocess.h"

using namespace tobogan;
namespace fs = std::filesystem;
using Catch::Matchers::ContainsSubstring;

namespace {

const Study kStudy{.name = "test", .data = "synthetic", .synthetic_data = true};

// Cells that write their names down when they run.
class Recorded {
 public:
  Cell cell(const std::string& name, std::vector<std::string> needs = {}) {
    return {.name = name, .config = {}, .needs = std::move(needs), .run = [this, name](CellRun&) {
              const std::lock_guard lock(mutex_);
              order.push_back(name);
              return nlohmann::json(name);
            }};
  }
  std::vector<std::string> order;

 private:
  std::mutex mutex_;
};

RunOptions options_for(const TempFolder& folder, int jobs = 1) {
  return {.experiment = "test", .jobs = jobs, .threads = 1, .out = folder.path(), .arguments = {"test", "--x"}};
}

Outcome run(const RunOptions& options, std::vector<Cell> cells) {
  const Quiet quiet;
  return run_cells(kStudy, options, std::move(cells));
}

using Names = std::vector<std::string>;

// The example program with a result folder of its own.
struct Example {
  TempFolder folder;

  std::vector<std::string> command(std::vector<std::string> words) const {
    words.insert(words.begin(), {TOBOGAN_RUN_EXAMPLE, "--out", folder.path()});
    return words;
  }
  Ended operator()(const std::vector<std::string>& words = {}) const { return run_to_end(command(words)); }
  std::string file(const char* name) const { return read_text(folder.path() / name); }
};

}  // namespace

TEST_CASE("what a cell needs runs before it, whatever the order of the list") {
  for (const int jobs : {1, 4}) {
    TempFolder folder;
    Recorded r;
    const Outcome outcome =
        run(options_for(folder, jobs), {r.cell("d", {"b", "c"}), r.cell("c", {"a"}), r.cell("b", {"a"}), r.cell("a")});
    REQUIRE(r.order.size() == 4);
    CHECK(r.order.front() == "a");
    CHECK(r.order.back() == "d");
    CHECK(outcome.finished.size() == 4);
  }
}

TEST_CASE("a pattern selects cells and what they need, and nothing else") {
  TempFolder folder;
  Recorded r;
  const std::vector<Cell> cells = {r.cell("gan-1"), r.cell("gan-2"), r.cell("mlp-1", {"gan-1"}),
                                   r.cell("mlp-2", {"gan-2"})};
  RunOptions options = options_for(folder);
  options.cells = "mlp-[2]";
  const Outcome outcome = run(options, cells);
  CHECK(r.order == Names{"gan-2", "mlp-2"});
  CHECK(outcome.exit_status() == 0);
  CHECK(outcome.result("mlp-1") == nullptr);
  options.cells = "mlp-*";
  run(options, cells);
  CHECK(r.order == Names{"gan-2", "mlp-2", "gan-1", "mlp-1"});
  options.cells = "x*";
  CHECK_THROWS_WITH(run(options, cells), "--cells: no cell matches 'x*'; there are 4, such as gan-1, gan-2, mlp-1");
}

TEST_CASE("the need of a finished cell is not run again, even if its result is gone") {
  TempFolder folder;
  Recorded r;
  const std::vector<Cell> cells = {r.cell("gan"), r.cell("mlp", {"gan"})};
  const Outcome first = run(options_for(folder), cells);
  fs::remove_all(first.finished.at("gan").folder);
  RunOptions options = options_for(folder);
  options.cells = "mlp";
  run(options, cells);
  CHECK(r.order == Names{"gan", "mlp"});
}

TEST_CASE("shards are a partition of the selected cells") {
  Recorded r;
  std::vector<Cell> cells;
  for (int i = 0; i < 23; ++i) cells.push_back(r.cell((i % 3 ? "a" : "b") + std::to_string(i)));
  for (const std::string pattern : {"*", "a*"})
    for (const int count : {1, 2, 7, 40}) {
      std::multiset<std::string> all;
      std::size_t most = 0, least = cells.size();
      for (int index = 1; index <= count; ++index) {
        const Names share = selected_cells({.cells = pattern, .shard = {index, count}}, cells);
        all.insert(share.begin(), share.end());
        most = std::max(most, share.size());
        least = std::min(least, share.size());
      }
      const Names selected = selected_cells({.cells = pattern}, cells);
      CHECK(all == std::multiset<std::string>(selected.begin(), selected.end()));
      CHECK(most - least <= 1);
    }
}

TEST_CASE("jobs run side by side") {
  // Each of two cells waits until the other has begun: one worker would wait for ever.
  TempFolder folder;
  std::mutex mutex;
  std::condition_variable changed;
  int begun = 0;
  const auto meet = [&](CellRun&) {
    std::unique_lock lock(mutex);
    ++begun;
    changed.notify_all();
    changed.wait(lock, [&] { return begun == 2; });
    return nlohmann::json(1);
  };
  const Outcome outcome =
      run(options_for(folder, 2), {{.name = "a", .config = {}, .run = meet}, {.name = "b", .config = {}, .run = meet}});
  CHECK(outcome.finished.size() == 2);
}

TEST_CASE("a failing cell takes only those that need it, and says how to go on") {
  TempFolder folder;
  Recorded r;
  Cell bad = r.cell("bad");
  bad.run = [](CellRun&) -> nlohmann::json { throw Error("cannot read x"); };
  const std::vector<Cell> cells = {bad, r.cell("user", {"bad"}), r.cell("grandchild", {"user"}), r.cell("good")};
  const Quiet quiet;
  const Outcome outcome = run_cells(kStudy, options_for(folder), cells);
  CHECK(outcome.exit_status() == 1);
  CHECK(r.order == Names{"good"});
  CHECK(outcome.failed == std::map<std::string, std::string>{{"bad", "cannot read x"},
                                                             {"user", "it needs bad, which failed"},
                                                             {"grandchild", "it needs user, which failed"}});
  CHECK_THAT(quiet.err(), ContainsSubstring("error: cell bad failed: cannot read x\n") &&
                              ContainsSubstring("error: 3 cells failed; the others are kept") &&
                              ContainsSubstring("  test --x\n"));
}

TEST_CASE("an interruption nobody asked for is a failure, not an endless loop") {
  TempFolder folder;
  const Outcome outcome =
      run(options_for(folder),
          {{.name = "a", .config = {}, .run = [](CellRun&) -> nlohmann::json { throw Interrupted(); }}});
  CHECK(outcome.failed.at("a") == "it stopped without being asked to");
}

TEST_CASE("the first Ctrl-C is a wish, the second kills, and afterwards the first kills again") {
  const int signal = GENERATE(SIGINT, SIGTERM);
  const auto status_of = [](const std::function<int()>& body) {
    const pid_t child = fork();
    if (child == 0) _exit(body());
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  };
  CHECK(status_of([&] {
          const StopRequest stop({});
          if (stop.reason() != 0) return 1;
          raise(signal);
          return stop.reason();
        }) == kInterrupted);
  CHECK(status_of([&] {
          const StopRequest stop({});
          raise(signal);
          raise(signal);
          return 0;
        }) == -signal);
  CHECK(status_of([&] {
          const StopRequest stop({});
          raise(signal == SIGINT ? SIGTERM : SIGINT);
          raise(signal);
          return 0;
        }) == -signal);
  CHECK(status_of([&] {
          { const StopRequest stop({}); }
          raise(signal);
          return 0;
        }) == -signal);
}

TEST_CASE("no time at all: nothing runs, nothing fails, status 75") {
  TempFolder folder;
  Recorded r;
  RunOptions options = options_for(folder);
  options.max_minutes = 0;
  const Outcome outcome = run(options, {r.cell("a"), r.cell("b")});
  CHECK(outcome.exit_status() == kTimeUp);
  CHECK(outcome.unfinished == Names{"a", "b"});
  CHECK(r.order.empty());
}

TEST_CASE("finished cells of merged folders count, also as needs") {
  TempFolder here, there;
  Recorded r;
  const std::vector<Cell> cells = {r.cell("gan"), r.cell("mlp", {"gan"}), r.cell("other")};
  RunOptions options = options_for(there);
  options.cells = "gan";
  run(options, cells);
  options = options_for(here);
  options.merge = {there.path()};
  const Outcome outcome = run(options, cells);
  CHECK(r.order == Names{"gan", "mlp", "other"});
  CHECK(outcome.finished.at("gan").folder.parent_path().parent_path() == there.path());
  CHECK_FALSE(fs::exists(here.path() / "cells" / outcome.finished.at("gan").folder.filename()));
}

TEST_CASE("what has nothing to merge or to report is refused") {
  TempFolder here, elsewhere;
  Recorded r;
  RunOptions options = options_for(here);
  options.report_only = true;
  CHECK_THAT(refusal([&] { run(options, {r.cell("a")}); }),
             ContainsSubstring("--report-only") && ContainsSubstring(here.path().native()));
  options.report_only = false;
  options.merge = {elsewhere.path()};
  CHECK_THAT(refusal([&] { run(options, {r.cell("a")}); }),
             ContainsSubstring("--merge") && ContainsSubstring(elsewhere.path().native()));
  CHECK(r.order.empty());
}

TEST_CASE("--list and --report-only run nothing and create nothing") {
  TempFolder folder, there;
  Recorded r;
  RunOptions options = options_for(there);
  run(options, {r.cell("b")});
  options = options_for(folder);
  options.merge = {there.path()};
  options.report_only = true;
  CHECK(run(options, {r.cell("a"), r.cell("b")}).exit_status() == 0);
  options.merge = {};
  options.report_only = false;
  options.list = true;
  const Quiet quiet;
  run_cells(kStudy, options, {r.cell("a")});
  CHECK(quiet.out() == "pending   a\n0 of 1 cells are finished\n");
  CHECK(r.order == Names{"b"});
  CHECK(fs::is_empty(folder.path()));
}

TEST_CASE("killed at any step and started again, the example's tables are the same to the last byte") {
  const Example whole;
  REQUIRE(whole().status == 0);
  for (const auto& how : std::vector<Names>{Names{"--checkpoint-minutes", "0"}, Names{"--jobs", "2"},
                                            Names{"--jobs", "3", "--checkpoint-minutes", "0"}}) {
    const Example killed;
    int deaths = 0;
    for (const char* step : {"1", "15", "22", "30", "19"}) {
      Names words = {"--die-after", step};
      words.insert(words.end(), how.begin(), how.end());
      deaths += killed(words).status == -SIGKILL;
    }
    CHECK(deaths >= 2);
    CHECK(killed(how).status == 0);
    CHECK(killed.file("tables.csv") == whole.file("tables.csv"));
    CHECK(killed.file("tables.json") == whole.file("tables.json"));
  }
}

TEST_CASE("a checkpoint spares the steps before it") {
  // 63 steps in all.  Killed at the 30th with a checkpoint at every step, no more than 34 are left.
  const Example example;
  CHECK(example({"--checkpoint-minutes", "0", "--die-after", "30"}).status == -SIGKILL);
  CHECK(example({"--die-after", "35"}).status == 0);
}

TEST_CASE("Ctrl-C writes checkpoints, says how to go on, and loses nothing") {
  const Example whole, stopped;
  REQUIRE(whole().status == 0);
  const Ended ended = stopped({"--interrupt-after", "15"});
  CHECK(ended.status == kInterrupted);
  CHECK_THAT(
      ended.err,
      ContainsSubstring("walk-s1: stopped, its checkpoint is written") &&
          ContainsSubstring("interrupted with 6 cells to go; what is finished and every checkpoint is kept, and\n  ") &&
          ContainsSubstring("--interrupt-after 15\ngoes on\n"));
  CHECK_THAT(ended.out, ContainsSubstring("..."));
  CHECK(stopped({"--die-after", "49"}).status == 0);  // 15 of 63 steps are not repeated
  CHECK(stopped.file("tables.csv") == whole.file("tables.csv"));
}

TEST_CASE("Ctrl-C that also ends the reader of the output still writes checkpoints") {
  const Example piped;
  std::vector<std::string> words = piped.command({"--interrupt-after", "15"});
  words.insert(words.begin(), {"bash", "-c", "\"$@\" 2>&1 | true; exit ${PIPESTATUS[0]}", "bash"});
  CHECK(run_to_end(words).status == kInterrupted);
  CHECK(piped({"--die-after", "49"}).status == 0);  // 15 of 63 steps are not repeated
}

TEST_CASE("a path that is not UTF-8 costs no report") {
  const TempFolder folder;
  const fs::path out = folder.path() / "r\xe9sultats";
  CHECK(run_to_end({TOBOGAN_RUN_EXAMPLE, "--out", out.native()}).status == 0);
  CHECK(fs::exists(out / "report.md"));
}

TEST_CASE("the tasks of a job array on one folder share the work, and each can make the whole report") {
  const Example whole, array;
  REQUIRE(whole().status == 0);
  {
    std::vector<std::unique_ptr<Subprocess>> tasks;
    for (const char* shard : {"1/3", "2/3", "3/3"})
      tasks.push_back(std::make_unique<Subprocess>(array.command({"--shard", shard})));
    for (const auto& task : tasks) CHECK(task->wait().status == 0);
  }
  CHECK(array({"--report-only"}).status == 0);
  CHECK(array.file("tables.json") == whole.file("tables.json"));
}

TEST_CASE("two processes never run one cell twice") {
  TempFolder folder;
  Cell cell{.name = "slow", .config = {}, .run = [&](CellRun& run) {
              // Written without replacing: a second run would leave a second line.
              FILE* log = std::fopen((run.folder() / "log").c_str(), "a");
              std::fputs("run\n", log);
              std::fclose(log);
              return nlohmann::json(1);
            }};
  std::vector<pid_t> children;
  for (int i = 0; i < 4; ++i) {
    const pid_t child = fork();
    if (child == 0) _exit(run(options_for(folder), {cell}).exit_status());
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    waitpid(child, &status, 0);
    CHECK(status == 0);
  }
  CHECK(read_text(run(options_for(folder), {cell}).finished.at("slow").folder / "log") == "run\n");
}

TEST_CASE("shards of different machines are merged into the same tables") {
  const Example whole, first, second, merged;
  REQUIRE(whole().status == 0);
  CHECK(first({"--shard", "1/2"}).status == 0);
  CHECK(second({"--shard", "2/2"}).status == 0);
  const std::string both = first.folder.path().native() + "," + second.folder.path().native();
  CHECK(merged({"--report-only", "--merge", both}).status == 0);
  CHECK(merged.file("tables.json") == whole.file("tables.json"));
}

TEST_CASE("a failing example exits with 1, reports the rest, and only the rest is missing") {
  const Example example;
  const Ended ended = example({"--fail", "walk-s2"});
  CHECK(ended.status == 1);
  CHECK_THAT(ended.err, ContainsSubstring("error: cell walk-s2 failed: it was told to fail\n") &&
                            ContainsSubstring("error: cell mean-s2 failed: it needs walk-s2, which failed\n"));
  CHECK_THAT(example.file("report.md"),
             ContainsSubstring("**cell walk-s2 failed**: it was told to fail") && ContainsSubstring("(2 of 3)"));
  CHECK(example({"--die-after", "22"}).status == 0);  // 20 steps of walk-s2 and one of mean-s2
}
