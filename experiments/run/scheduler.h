// Runs cells: what they need first, several side by side, each at most once in its life.
//
// A failing cell does not stop the others.  Ctrl-C (or SIGTERM, or --max-minutes) asks every running cell for a
// checkpoint and stops; a second Ctrl-C kills.  Cells that another process is running on the same folder are waited
// for.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "experiments/run/cell.h"

namespace tobogan {

// What is known after run_cells: results of every finished cell, selected or not, and what went wrong.
class Outcome {
 public:
  std::map<std::string, Finished> finished;   // by cell name
  std::map<std::string, std::string> failed;  // cell name -> one sentence
  std::vector<std::string> unfinished;        // selected, but stopped before or while running
  std::vector<Cell> cells;                    // all of the experiment, as given
  int stopped_by = 0;                         // 0, kTimeUp or kInterrupted

  // The result of a cell, or nullptr while it is not finished: tables show it as pending.
  const nlohmann::json* result(const std::string& cell) const;
  // 0 when every selected cell is finished.
  int exit_status() const;
};

// Prints progress, failures and, if stopped, the command that goes on.  With options.list or options.report_only
// nothing runs.  Throws Error for a pattern that matches nothing, doubled names, unknown or circular needs, an
// unwritable folder.
Outcome run_cells(const Study& study, const RunOptions& options, std::vector<Cell> cells);

// The names this process is asked to compute (needs not counted): --cells, then every count-th by --shard.
std::vector<std::string> selected_cells(const RunOptions& options, const std::vector<Cell>& cells);

}  // namespace tobogan
