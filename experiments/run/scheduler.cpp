// A pool of workers over a list of cells in the order of needs.  All states are guarded by one mutex; a worker holds it
// only between cells.
#include "experiments/run/scheduler.h"

#include <fnmatch.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <iostream>
#include <mutex>
#include <set>
#include <thread>

#include "engine/error.h"
#include "experiments/run/cell_store.h"
#include "experiments/run/progress.h"
#include "experiments/run/stop.h"

namespace tobogan {
namespace {

using Clock = std::chrono::steady_clock;

struct Job {
  enum class State { waiting, running, settled };
  const Cell* cell;
  State state = State::waiting;
  Clock::time_point not_before = {};  // later for a cell that another process is running
};

// What became of one attempt to run a cell.
struct Attempt {
  enum class Kind { finished, failed, stopped, busy } kind;
  Finished finished = {};
  std::string error = {};
};

std::string what_failed(const std::exception& error) {
  return dynamic_cast<const std::bad_alloc*>(&error) ? "out of memory" : error.what();
}

class Workers {
 public:
  Workers(const RunOptions& options, const CellStore& store, const std::vector<const Cell*>& todo, Outcome& outcome)
      : options_(options), store_(store), outcome_(outcome), stop_(options.max_minutes) {
    for (const Cell* cell : todo) jobs_.push_back({.cell = cell});
  }

  void run() {
    show_status();
    std::vector<std::jthread> workers;
    working_ = std::min<int>(options_.jobs, static_cast<int>(jobs_.size()));
    for (int i = 0, count = working_; i < count; ++i)
      workers.emplace_back([this] {
        work();
        --working_;
      });
    watch();
    for (std::jthread& worker : workers) worker.join();
    for (const Job& job : jobs_)
      if (job.state != Job::State::settled) outcome_.unfinished.push_back(job.cell->name);
    if (!outcome_.unfinished.empty()) outcome_.stopped_by = stop_.reason();
  }

 private:
  // Tells the user at once that the wish to stop was heard: a cell may need a while until its next tick.
  void watch() {
    bool told = false;
    while (working_ > 0) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      if (told || stop_.reason() == 0) continue;
      told = true;
      progress_.say("stopping: running cells write their checkpoints; Ctrl-C again kills");
    }
  }

  void work() {
    std::unique_lock lock(mutex_);
    while (stop_.reason() == 0) {
      Job* job = next_ready();
      if (job) {
        run_job(*job, lock);
      } else if (std::any_of(jobs_.begin(), jobs_.end(), [](const Job& j) { return j.state != Job::State::settled; })) {
        changed_.wait_for(lock, std::chrono::milliseconds(100));  // also looks at stop_ and at other processes
      } else {
        return;
      }
    }
  }

  // REQUIRES: the lock is held.
  Job* next_ready() {
    const auto now = Clock::now();
    const auto ready = [&](const Job& job) {
      return job.state == Job::State::waiting && job.not_before <= now &&
             std::all_of(job.cell->needs.begin(), job.cell->needs.end(),
                         [&](const std::string& need) { return outcome_.finished.contains(need); });
    };
    const auto found = std::find_if(jobs_.begin(), jobs_.end(), ready);
    return found == jobs_.end() ? nullptr : &*found;
  }

  // REQUIRES: the lock is held; it is free while the cell runs.
  void run_job(Job& job, std::unique_lock<std::mutex>& lock) {
    job.state = Job::State::running;
    std::map<std::string, Finished> needs;
    for (const std::string& need : job.cell->needs) needs[need] = outcome_.finished.at(need);
    lock.unlock();
    const Attempt attempt = try_cell(*job.cell, std::move(needs));
    lock.lock();
    settle(job, attempt);
    show_status();
    changed_.notify_all();
  }

  // Runs in a worker without the lock.
  Attempt try_cell(const Cell& cell, std::map<std::string, Finished> needs) {
    try {
      const auto lock = store_.try_lock(cell);
      if (!lock) return {.kind = Attempt::Kind::busy};
      // Another process on this folder may have finished it meanwhile.
      if (auto done = store_.load_own(cell)) return {.kind = Attempt::Kind::finished, .finished = *std::move(done)};
      if (lock->exclusive()) store_.sweep(cell);
      return run_cell(cell, std::move(needs));
    } catch (const Interrupted&) {
      if (stop_.reason() == 0) return {.kind = Attempt::Kind::failed, .error = "it stopped without being asked to"};
      return {.kind = Attempt::Kind::stopped};
    } catch (const std::exception& error) {
      return {.kind = Attempt::Kind::failed, .error = what_failed(error)};
    }
  }

  Attempt run_cell(const Cell& cell, std::map<std::string, Finished> needs) {
    CellRun run(options_, {.folder = store_.folder(cell),
                           .needs = std::move(needs),
                           .stop_requested = [this] { return stop_.reason() != 0; },
                           .progress =
                               [this, &cell](std::int64_t done, std::int64_t total, const std::string& note) {
                                 progress_.update(cell.name, done, total, note);
                               }});
    progress_.update(cell.name, 0, 0, run.has_checkpoint() ? "from its checkpoint" : "");
    const nlohmann::json result = cell.run(run);
    store_.save(cell, result, run.seconds());
    auto finished = store_.load_own(cell);
    check(finished.has_value(), "the result just written to ", store_.folder(cell).native(), " cannot be read back");
    progress_.finish(cell.name, cell.name + ": done in " + duration_text(finished->seconds));
    return {.kind = Attempt::Kind::finished, .finished = *std::move(finished)};
  }

  // REQUIRES: the lock is held.
  void settle(Job& job, const Attempt& attempt) {
    const std::string& name = job.cell->name;
    switch (attempt.kind) {
      case Attempt::Kind::finished:
        job.state = Job::State::settled;
        outcome_.finished[name] = attempt.finished;
        break;
      case Attempt::Kind::failed:
        progress_.finish(name, "");
        fail(job, attempt.error);
        break;
      case Attempt::Kind::stopped:
        job.state = Job::State::waiting;
        progress_.finish(name, name + (std::filesystem::exists(store_.folder(*job.cell) / kCheckpoint)
                                           ? ": stopped, its checkpoint is written"
                                           : ": stopped; without a checkpoint it will begin anew"));
        break;
      case Attempt::Kind::busy:
        if (job.not_before == Clock::time_point{})
          progress_.say(name + ": another process is running it on this folder; waiting for its result");
        job.state = Job::State::waiting;
        job.not_before = Clock::now() + std::chrono::milliseconds(500);
        break;
    }
  }

  // A failed cell takes with it every cell that needs it.
  void fail(Job& job, const std::string& error) {
    job.state = Job::State::settled;
    outcome_.failed[job.cell->name] = error;
    progress_.say("error: cell " + job.cell->name + " failed: " + error);
    for (Job& other : jobs_) {
      const auto& needs = other.cell->needs;
      if (other.state != Job::State::waiting || std::find(needs.begin(), needs.end(), job.cell->name) == needs.end())
        continue;
      fail(other, "it needs " + job.cell->name + ", which failed");
    }
  }

  void show_status() {
    const auto count = [&](Job::State state) {
      return std::count_if(jobs_.begin(), jobs_.end(), [&](const Job& job) { return job.state == state; });
    };
    progress_.status(concat_text(count(Job::State::settled), " of ", jobs_.size(), " cells done"));
  }

  const RunOptions& options_;
  const CellStore& store_;
  Outcome& outcome_;
  StopRequest stop_;
  Progress progress_{std::cerr, Progress::on_stderr()};
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Job> jobs_;
  std::atomic<int> working_ = 0;  // workers that have not returned
};

// The selected cells that are not finished and, before each of them, what it needs and is not finished.
class Todo {
 public:
  explicit Todo(const Outcome& outcome) : outcome_(outcome) {
    for (const Cell& cell : outcome.cells) by_name_[cell.name] = &cell;
  }
  void add(const std::string& name) {
    if (outcome_.finished.contains(name) || !seen_.insert(name).second) return;
    for (const std::string& need : by_name_.at(name)->needs) add(need);
    list_.push_back(by_name_.at(name));
  }
  const std::vector<const Cell*>& list() const { return list_; }

 private:
  const Outcome& outcome_;
  std::map<std::string, const Cell*> by_name_;
  std::set<std::string> seen_;
  std::vector<const Cell*> list_;
};

// --no-resume: empties the folders of the selected cells, all before the first of them runs, so that an interrupted run
// leaves no old results among the new.  A cell that another process holds is being made anew already.
void start_over(const CellStore& store, const std::vector<Cell>& cells, const std::vector<std::string>& selected) {
  store.prepare();
  const std::set<std::string> names(selected.begin(), selected.end());
  for (const Cell& cell : cells)
    if (names.contains(cell.name))
      if (const auto lock = store.try_lock(cell)) store.start_over(cell);
}

void print_list(const Outcome& outcome, const std::vector<std::string>& selected) {
  std::size_t finished = 0;
  for (const std::string& name : selected) {
    const bool done = outcome.finished.contains(name);
    finished += done;
    std::cout << (done ? "finished  " : "pending   ") << name << "\n";
  }
  std::cout << finished << " of " << selected.size() << " cells are finished\n";
}

// After the bars are gone: what stands between the user and a complete table, and how to go on.
void print_rest(const Outcome& outcome, const RunOptions& options) {
  if (!outcome.failed.empty())
    std::cerr << "error: " << outcome.failed.size() << " cells failed; the others are kept, and\n  "
              << command_line(options, true) << "\nruns only what is missing\n";
  if (outcome.stopped_by != 0)
    std::cerr << (outcome.stopped_by == kTimeUp ? "the time is up" : "interrupted") << " with "
              << outcome.unfinished.size() << " cells to go; what is finished and every checkpoint is kept, and\n  "
              << command_line(options, true) << "\ngoes on\n";
}

}  // namespace

const nlohmann::json* Outcome::result(const std::string& cell) const {
  const auto found = finished.find(cell);
  return found == finished.end() ? nullptr : &found->second.result;
}

int Outcome::exit_status() const {
  return !failed.empty() ? 1 : stopped_by;
}

std::vector<std::string> selected_cells(const RunOptions& options, const std::vector<Cell>& cells) {
  std::vector<std::string> names, share;
  for (const Cell& cell : cells)
    if (fnmatch(options.cells.c_str(), cell.name.c_str(), 0) == 0) names.push_back(cell.name);
  std::string some;
  for (std::size_t i = 0; i < std::min<std::size_t>(cells.size(), 3); ++i) some += (i ? ", " : "") + cells[i].name;
  check(!names.empty(), "--cells: no cell matches '", options.cells, "'; there are ", cells.size(), ", such as ", some);
  for (std::size_t i = 0; i < names.size(); ++i)
    if (static_cast<int>(i % static_cast<std::size_t>(options.shard.count)) == options.shard.index - 1)
      share.push_back(names[i]);
  return share;
}

Outcome run_cells(const Study& study, const RunOptions& options, std::vector<Cell> cells) {
  Outcome outcome;
  outcome.cells = std::move(cells);
  const CellStore store(study, options, outcome.cells);
  for (const std::filesystem::path& folder : options.merge)
    check(store.any_in(folder), "--merge: ", folder.native(), " has no finished cell of this command; it counts ",
          "cells of the same experiment, data, profile, device and options");
  const std::vector<std::string> selected = selected_cells(options, outcome.cells);
  const bool anew = !options.resume && !options.list && !options.report_only;
  if (anew) start_over(store, outcome.cells, selected);
  for (const Cell& cell : outcome.cells) {
    std::string damage;
    if (auto finished = store.load(cell, &damage)) outcome.finished[cell.name] = *std::move(finished);
    if (!damage.empty()) std::cerr << "warning: " << damage << "\n";
  }
  if (options.list) print_list(outcome, selected);
  if (options.list) return outcome;
  if (options.report_only) {
    check(!outcome.finished.empty(), "--report-only: no cell of this command is finished in ", options.out.native());
    return outcome;
  }

  if (anew)
    for (const std::string& name : selected) outcome.finished.erase(name);  // those of --merge
  Todo todo(outcome);
  for (const std::string& name : selected) todo.add(name);
  if (todo.list().empty()) return outcome;
  store.prepare();
  Workers(options, store, todo.list(), outcome).run();
  print_rest(outcome, options);
  return outcome;
}

}  // namespace tobogan
