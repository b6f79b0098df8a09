// A cell is one piece of an experiment: a pure function of its configuration (data, model, profile, seed) that returns
// a small JSON result and may leave artefacts (images, weights) in its folder for the cells that need it.
//
//   Cell{.name = "gan-500-3-s1", .config = {{"images", 500}, {"class", 3}, {"seed", 1}}, .run = [=](CellRun& run) {
//     Trainer trainer(...);
//     run.resume([&](const std::filesystem::path& checkpoint) { trainer.load(checkpoint); });
//     while (trainer.step() < steps) {
//       trainer.train();
//       run.tick(trainer.step(), steps, [&] { trainer.save(run.checkpoint()); });
//     }
//     write_idx(run.folder() / "fakes.idx", trainer.sample());
//     return nlohmann::json{{"loss", trainer.loss()}};
//   }}
#pragma once
#include <chrono>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "experiments/run/options.h"

namespace tobogan {

class CellRun;

constexpr const char* kCheckpoint = "checkpoint";  // the name of the file in a cell's folder

struct Cell {
  std::string name = {};                // unique; letters, digits and ._=+- ; what --cells matches
  nlohmann::json config = {};           // everything the result depends on, the seed and the images among it
  std::vector<std::string> needs = {};  // names of the cells whose result or artefacts it reads
  // The result: JSON of numbers and texts; a NaN or an infinity in it becomes null.
  std::function<nlohmann::json(CellRun&)> run = {};
};

// What is the same for all cells of an experiment and still decides their results.
struct Study {
  std::string name = {};  // "abadi"
  int version = 1;        // raise it when the code changes what cells compute: their old results are then not used
  std::string data = {};  // where the numbers come from, for the reader: "MNIST", "synthetic"
  bool synthetic_data = false;  // no comparison with the paper
  bool paper_settings = false;  // sizes and choices are those of the profile "paper", whatever tables are wanted
};

// Thrown by CellRun::tick when the cell was asked to stop and its checkpoint is written.
struct Interrupted : std::exception {
  const char* what() const noexcept override { return "interrupted"; }
};

// A finished cell: what it returned, and where its artefacts are.
struct Finished {
  nlohmann::json result = {};
  std::filesystem::path folder = {};
  double seconds = 0;  // of computing, over all its interrupted runs
};

// What a running cell may ask and say.  One per run of a cell; used by the cell's thread only.
class CellRun {
 public:
  struct Surroundings {
    std::filesystem::path folder = {};
    std::map<std::string, Finished> needs = {};
    std::function<bool()> stop_requested = [] { return false; };
    std::function<void(std::int64_t done, std::int64_t total, const std::string& note)> progress = [](auto...) {};
  };
  CellRun(const RunOptions& options, Surroundings surroundings);

  const RunOptions& options() const { return options_; }

  // The cell's own folder.  It exists, is this process's alone until the cell returns, and survives interruptions.
  const std::filesystem::path& folder() const { return around_.folder; }
  // A file for the state in mid-run; deleted when the cell has finished.  Write it with AtomicFile.
  std::filesystem::path checkpoint() const { return folder() / kCheckpoint; }
  bool has_checkpoint() const { return std::filesystem::exists(checkpoint()); }

  // Calls load(checkpoint()) if there is a checkpoint.  Throws Error with the way out where it cannot be loaded: each
  // repeat of the command would fail on it again.
  void resume(const std::function<void(const std::filesystem::path&)>& load) const;

  // A finished cell this one needs.  Throws Error if `name` is not among its needs.
  const Finished& need(const std::string& name) const;

  // To be called after every step: shows progress; every --checkpoint-minutes calls `save`; when asked to stop calls
  // `save` and throws Interrupted.
  void tick(std::int64_t done, std::int64_t total, const std::function<void()>& save, const std::string& note = "");

  // For phases too short for a checkpoint: progress alone, and the question alone.
  void progress(std::int64_t done, std::int64_t total, const std::string& note = "") const;
  bool stop_requested() const { return around_.stop_requested(); }

  // Seconds of computing so far, with those of interrupted runs up to their last checkpoint.
  double seconds() const;

 private:
  using Clock = std::chrono::steady_clock;
  void save_checkpoint(const std::function<void()>& save);

  const RunOptions& options_;
  Surroundings around_;
  double earlier_seconds_ = 0;
  Clock::time_point started_ = Clock::now(), saved_ = started_;
};

}  // namespace tobogan
