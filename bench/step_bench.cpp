// Times whole training steps: ours and those of any number of peers, turn by turn in one run.
//
// Every program runs in a process of its own and is asked for steps through a pipe, ours too, so that memory and time
// to the first step are its own; a program that fails says why in its row of the table.  In each round every program
// has one turn, and the order rotates.  A turn's time is the median of its steps.  Beside it the benchmark reads how
// much processor time the rest of the machine used meanwhile: a round in which anybody's turn was disturbed is left
// out.  (Processor time by wall time, also printed, cannot tell: a step of a small model rightly leaves a thread
// asleep, and a waiting thread may spin.)
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <memory>
#include <set>

#include "bench/contestant.h"
#include "bench/load.h"
#include "bench/machine.h"
#include "bench/steps.h"
#include "bench/timing.h"
#include "engine/error.h"

namespace tobogan::bench {
namespace {

struct Options {
  std::vector<std::string> models, peers;
  int threads = 2, batch = 64, rounds = 7, max_rounds = 21;
  double turn = 0.7, foreign = 0.1, patience = 600;
  std::string device = "cpu", precision = "fp32";
  bool busy = false, serve = false, eager = false, keep = false;
};

// What one program did for one model, under one load.
struct Record {
  std::vector<double> quiet, all;  // a turn's median step in ms, one a round
  double wall = 0, cpu = 0;        // ms in all turns
  double median() const { return quantile(quiet.empty() ? all : quiet, 0.5); }
};

struct Runner {
  std::string name, command;
  std::unique_ptr<Contestant> contestant = nullptr;
  double start_ms = 0, peak_mib = 0;
  int steps_a_turn = 1;
  std::string error = "", note = "";  // why it does not take part any more; what it says about its times
  Record calm = {}, busy = {};
};

// The share of one core that others used while `turn` ran: all busy time of the machine but that of this process and
// of the contestants (and of the process that is busy on purpose).
double foreign_share(const std::vector<Runner>& runners, const BusyProcess* busy, const std::function<void()>& turn) {
  const auto known = [&] {
    double ms = own_cpu_ms() + (busy ? cpu_ms_of(busy->pid()) : 0);
    for (const Runner& runner : runners) ms += runner.error.empty() ? cpu_ms_of(runner.contestant->pid()) : 0;
    return ms;
  };
  const double wall = wall_ms(), all = machine_busy_ms(), ours = known();
  turn();
  return (machine_busy_ms() - all - (known() - ours)) / (wall_ms() - wall);
}

void run_rounds(const Options& options, const std::string& model, const BusyProcess* busy,
                std::vector<Runner>& runners) {
  for (int round = 0, quiet_rounds = 0; round < options.max_rounds && quiet_rounds < options.rounds; ++round) {
    double foreign = 0;
    std::vector<double> medians(runners.size());
    for (size_t i = 0; i < runners.size(); ++i) {
      Runner& runner = runners[(i + round) % runners.size()];
      if (!runner.error.empty()) continue;
      StepTimes times;
      const auto turn = [&] { times = runner.contestant->steps(model, runner.steps_a_turn); };
      foreign = std::max(foreign, foreign_share(runners, busy, turn));
      runner.error = times.error;
      if (!runner.error.empty()) continue;
      Record& record = busy ? runner.busy : runner.calm;
      for (size_t step = 0; step < times.wall_ms.size(); ++step) {
        record.wall += times.wall_ms[step];
        record.cpu += times.cpu_ms[step];
      }
      medians[&runner - runners.data()] = quantile(times.wall_ms, 0.5);
      runner.peak_mib = times.peak_mib;
    }
    const bool quiet = foreign <= options.foreign;
    quiet_rounds += quiet;
    for (size_t i = 0; i < runners.size(); ++i) {
      Record& record = busy ? runners[i].busy : runners[i].calm;
      if (!runners[i].error.empty()) continue;
      record.all.push_back(medians[i]);
      if (quiet) record.quiet.push_back(medians[i]);
    }
    if (isatty(STDERR_FILENO)) std::cerr << "\r" << model << " round " << round + 1 << ", others " << foreign << "   ";
  }
  if (isatty(STDERR_FILENO)) std::cerr << "\r\033[K";
}

std::vector<Runner> programs(const Options& options) {
  std::vector<Runner> runners;
  const std::string self = std::filesystem::read_symlink("/proc/self/exe");
  runners.push_back({"Tobogan", concat_text("'", self, "' --serve --threads ", options.threads, " --batch ",
                                            options.batch, " --device ", options.device, " --precision ",
                                            options.precision, options.eager ? " --eager" : "")});
  for (const std::string& peer : options.peers) {
    const size_t equals = peer.find('=');
    check(equals != std::string::npos && equals > 0, "--peer: expected NAME=COMMAND, got '", peer, "'");
    runners.push_back({peer.substr(0, equals), peer.substr(equals + 1)});
  }
  return runners;
}

// Makes the model's first step, then as many as let caches and pools fill and a captured step be captured, and finds
// how many more fill a turn.
void start(const Options& options, const std::string& model, Runner& runner) {
  const double begun = wall_ms();
  if (!options.keep || !runner.contestant || runner.contestant->has_ended()) {
    runner.contestant.reset();
    runner.contestant = std::make_unique<Contestant>(runner.command, options.patience);
  }
  runner.calm = runner.busy = {};
  StepTimes times = runner.contestant->first_step(model);
  runner.start_ms = wall_ms() - begun;
  runner.note = times.note;
  for (const int count : {2, 3}) {
    if (times.error.empty()) times = runner.contestant->steps(model, count);
  }
  runner.error = times.error;
  if (runner.error.empty())
    runner.steps_a_turn = std::clamp(static_cast<int>(1e3 * options.turn / quantile(times.wall_ms, 0.5)), 1, 10000);
}

void print(const Options& options, const TimedModel& model, const std::vector<Runner>& runners) {
  const Record& ours = runners.front().calm;
  std::printf("\n**%s** (%s), batch %d, %d threads: %zu rounds, %zu quiet\n\n", model.name.c_str(), model.what.c_str(),
              options.batch, options.threads, ours.all.size(), ours.quiet.size());
  std::printf(
      "| program | ms a step | 10 %% .. 90 %% of the rounds | CPU/wall | images/s | ours is | first step after | %s "
      "|%s\n",
      options.device == "cpu" ? "peak memory" : "GPU memory reserved",
      options.busy ? " with a busy neighbour | |" : "");
  std::printf("|---|---|---|---|---|---|---|---|%s\n", options.busy ? "---|---|" : "");
  for (const Runner& runner : runners) {
    if (!runner.error.empty()) {
      std::string why = runner.error;
      std::replace_if(
          why.begin(), why.end(), [](char c) { return c == '|' || c == '\n'; }, ' ');
      std::printf("| %s | none: %s | | | | | | |%s\n", runner.name.c_str(), why.c_str(), options.busy ? " | |" : "");
      continue;
    }
    const Record& calm = runner.calm;
    char ratio[32] = "n/a";  // where ours has failed
    if (!ours.all.empty()) std::snprintf(ratio, sizeof ratio, "%.2fx", calm.median() / ours.median());
    const std::vector<double>& used = calm.quiet.empty() ? calm.all : calm.quiet;
    std::printf("| %s | %.3g | %.3g .. %.3g | %.2f | %.0f | %s | %.2f s | %.0f MiB |", runner.name.c_str(),
                calm.median(), quantile(used, 0.1), quantile(used, 0.9), calm.cpu / calm.wall,
                1e3 * options.batch / calm.median(), ratio, 1e-3 * runner.start_ms, runner.peak_mib);
    if (options.busy)
      std::printf(" %.3g ms | %.2fx slower |", runner.busy.median(), runner.busy.median() / calm.median());
    std::printf("\n");
  }
  for (const Runner& runner : runners) {
    if (!runner.note.empty()) std::printf("\n%s: %s.\n", runner.name.c_str(), runner.note.c_str());
  }
  std::fflush(stdout);
}

// Returns whether ours ran everything.
bool run(const Options& options) {
  std::printf("%s; a round counts where others used at most %.2g of a core\n", processor_name().c_str(),
              options.foreign);
  if (options.keep)
    std::printf("programs go on from model to model, and only the first \"first step\" has their start\n");
  std::vector<Runner> runners = programs(options);
  bool ours_ran = true;
  for (const TimedModel& model : timed_models()) {
    if (std::find(options.models.begin(), options.models.end(), model.name) == options.models.end()) continue;
    for (Runner& runner : runners) start(options, model.name, runner);
    run_rounds(options, model.name, nullptr, runners);
    if (options.busy) {
      const BusyProcess busy;
      run_rounds(options, model.name, &busy, runners);
    }
    print(options, model, runners);
    ours_ran = ours_ran && runners.front().error.empty();
  }
  return ours_ran;
}

int main_with(int argc, char** argv) {
  Options options;
  std::set<std::string> names;
  for (const TimedModel& model : timed_models()) names.insert(model.name);
  CLI::App app("Times training steps of ours and of peers, turn by turn; prints Markdown tables");
  app.add_option("--model", options.models, "models to time (default: all)")
      ->check(CLI::IsMember(names))
      ->delimiter(',');
  app.add_option("--peer", options.peers, "NAME=COMMAND of a peer (bench/peers/README.md); may be repeated");
  app.add_option("--threads", options.threads, "threads of ours")->check(CLI::Range(1, 1024))->capture_default_str();
  app.add_option("--device", options.device, "device of ours: cpu, cuda or cudnn")->capture_default_str();
  app.add_option("--precision", options.precision, "of ours on a GPU: fp32, tf32 or bf16")->capture_default_str();
  app.add_flag("--eager", options.eager, "ours on a GPU without captured steps");
  app.add_option("--batch", options.batch, "images a step, ours; tell the peers the same")
      ->check(CLI::Range(1, 1 << 16))
      ->capture_default_str();
  app.add_option("--rounds", options.rounds, "quiet rounds wanted")->capture_default_str();
  app.add_option("--max-rounds", options.max_rounds, "rounds at most")->capture_default_str();
  app.add_option("--turn", options.turn, "seconds a turn takes, about")->capture_default_str();
  app.add_option("--foreign", options.foreign, "a round counts where others used at most this share of a core")
      ->capture_default_str();
  app.add_flag("--busy", options.busy, "measure again beside a process that computes all the time");
  app.add_option("--patience", options.patience, "seconds for each answer of a program, its start included")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_flag("--keep", options.keep, "do not start programs anew for each model; for GPUs, where that takes long");
  app.add_flag("--serve", options.serve, "take orders on standard input instead, as the peers do");
  CLI11_PARSE(app, argc, argv);
  if (options.models.empty()) options.models.assign(names.begin(), names.end());
  if (options.serve) {
    serve_steps({.device = options.device, .threads = options.threads, .precision = options.precision},
                {.capture = !options.eager}, options.batch);
    return 0;
  }
  return run(options) ? 0 : 1;
}

}  // namespace
}  // namespace tobogan::bench

int main(int argc, char** argv) {
  try {
    return tobogan::bench::main_with(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "step_bench: " << error.what() << "\n";
    return 1;
  }
}
