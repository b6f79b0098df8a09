// A small experiment of fake cells, a whole program for the tests to start, kill and start again.
//
// Three seeds of a logistic map ("walk": chaotic, so one lost step changes every later digit) leave an artefact each;
// "mean" cells read it.  --die-after K kills the process without warning at its K-th step, --interrupt-after K sends
// it a Ctrl-C, --fail NAME lets a cell fail.
#include <CLI/CLI.hpp>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>

#include "engine/atomic_file.h"
#include "engine/error.h"
#include "experiments/run/report.h"

using namespace tobogan;

namespace {

struct Accidents {
  std::int64_t die_after = -1, interrupt_after = -1;
  std::string fail;
  std::atomic<std::int64_t> steps = 0;

  void step() {
    const std::int64_t now = ++steps;
    if (now == die_after) raise(SIGKILL);
    if (now == interrupt_after) raise(SIGINT);
  }
};

struct Walk {
  double x, sum = 0;
  std::int64_t step = 0;
};

Walk load(const std::filesystem::path& path) {
  const std::string bytes = read_text(path);
  check(bytes.size() == sizeof(Walk), path.native(), " is no checkpoint of a walk");
  Walk walk{};
  std::memcpy(&walk, bytes.data(), sizeof walk);
  return walk;
}

nlohmann::json run_walk(CellRun& run, Accidents& accidents, std::uint64_t seed, const std::string& name) {
  constexpr std::int64_t kSteps = 20;
  check(accidents.fail != name, "it was told to fail");
  Walk walk{.x = 0.1 + 0.01 * static_cast<double>(seed)};
  run.resume([&](const std::filesystem::path& checkpoint) { walk = load(checkpoint); });
  while (walk.step < kSteps) {
    walk.x = 3.99 * walk.x * (1 - walk.x);
    walk.sum += walk.x;
    ++walk.step;
    accidents.step();
    run.tick(walk.step, kSteps, [&] { atomic_write(run.checkpoint(), std::as_bytes(std::span(&walk, 1))); });
  }
  atomic_write(run.folder() / "sum.txt", nlohmann::json(walk.sum).dump());
  return {{"last", walk.x}};
}

std::vector<Cell> cells(const RunOptions& options, Accidents& accidents) {
  std::vector<Cell> cells;
  for (const std::uint64_t seed : options.seeds) {
    const std::string walk = "walk-s" + std::to_string(seed), mean = "mean-s" + std::to_string(seed);
    cells.push_back({.name = walk,
                     .config = {{"map", "logistic"}, {"seed", seed}},
                     .run = [=, &accidents](CellRun& run) { return run_walk(run, accidents, seed, walk); }});
    cells.push_back({.name = mean, .config = {{"seed", seed}}, .needs = {walk}, .run = [=, &accidents](CellRun& run) {
                       accidents.step();
                       const Finished& need = run.need(walk);
                       return nlohmann::json{{"mean", std::stod(read_text(need.folder / "sum.txt")) / 20},
                                             {"last", need.result.at("last")}};
                     }});
  }
  return cells;
}

int report(const Study& study, const RunOptions& options, const Outcome& outcome) {
  Table table({.name = "table1",
               .title = "Table 1: a walk",
               .corner = "",
               .rows = {"walk"},
               .columns = {"mean", "last"},
               .digits = {6},
               .seeds = static_cast<int>(options.seeds.size()),
               .comparison = comparison(study)});
  table.paper({{0.5, std::nullopt}});
  std::vector<double> x, y;
  for (const std::uint64_t seed : options.seeds)
    if (const auto* result = outcome.result("mean-s" + std::to_string(seed))) {
      for (const char* column : {"mean", "last"}) table.add("walk", column, result->at(column));
      x.push_back(static_cast<double>(seed));
      y.push_back(result->at("mean"));
    }
  Report report(study, options, outcome);
  report.note("fake cells: this experiment tests what experiments share");
  if (table.complete())
    report.add(Claim::tested("the mean lies near 0.5", std::abs(*table.at("walk", "mean").mean() - 0.5) < 0.1, ""));
  else
    report.add(Claim::untested("the mean lies near 0.5", "cells are missing"));
  report.add(table);
  if (!x.empty())
    report.add_plot("means", "Mean by seed",
                    {.title = "Mean by seed", .x_label = "seed", .series = {{.name = "mean", .x = x, .y = y}}});
  return report.write();
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("A fake experiment for the tests");
  RunOptions options{.experiment = "run_example", .seeds = {1, 2, 3}};
  Accidents accidents;
  add_run_options(app, options);
  app.add_option("--die-after", accidents.die_after, "SIGKILL at this step");
  app.add_option("--interrupt-after", accidents.interrupt_after, "SIGINT at this step");
  app.add_option("--fail", accidents.fail, "a walk that fails");
  return run_main(app, options, argc, argv, [&] {
    const Study study{.name = "run_example", .data = "synthetic", .synthetic_data = true};
    const Outcome outcome = run_cells(study, options, cells(options, accidents));
    return report(study, options, outcome);
  });
}
