// What every training of a network has that a cell runs: a context, a number of steps, a log, and a checkpoint from
// which it goes on bit for bit.
//
//   struct Gan : Training { ...; void step() override { train_(); } State state() override { ... } };
//   Gan gan(machine, config, images);
//   gan.run(cell);                         // from the cell's checkpoint, if there is one, to the last step
#pragma once
#include <nlohmann/json.hpp>

#include "engine/context.h"
#include "engine/state.h"
#include "experiments/run/cell.h"

namespace tobogan {

class Training {
 public:
  Training(const Training&) = delete;
  Training& operator=(const Training&) = delete;
  virtual ~Training() = default;

  Context& context() { return context_; }
  int64_t steps_done() const { return steps_done_; }
  int64_t steps_in_all() const { return steps_in_all_; }
  // What was written down along the way.
  const nlohmann::json& log() const { return log_; }

  // Makes the steps that are left, with progress and checkpoints.  Throws Interrupted when the cell was asked to stop.
  void run(CellRun& cell);

 protected:
  Training(Machine& machine, uint64_t seed) : context_(machine, seed) {}

  // Makes step number steps_done(), 1 at first.
  virtual void step() = 0;
  // Everything a checkpoint must hold beside random numbers, the number of steps and the log.
  virtual State state() = 0;

  void set_steps(int64_t steps) { steps_in_all_ = steps; }
  // Whether this step is one of about `points` that are spread evenly over all, the last among them.
  bool is_one_of(int64_t points) const;
  bool is_last() const { return steps_done_ == steps_in_all_; }

  Context context_;
  nlohmann::json log_;

 private:
  void save(const std::filesystem::path& path);
  void load(const std::filesystem::path& path);

  int64_t steps_done_ = 0, steps_in_all_ = 0;
};

}  // namespace tobogan
