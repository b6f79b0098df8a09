// The time of a cell is kept beside its checkpoint, so that "seconds per cell" in the report includes the runs that
// were cut off.
#include "experiments/run/cell.h"

#include <cstdlib>
#include <fstream>
#include <utility>

#include "engine/atomic_file.h"
#include "engine/error.h"

namespace tobogan {
namespace {

std::filesystem::path seconds_file(const std::filesystem::path& folder) {
  return folder / "checkpoint.seconds";
}

double since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

CellRun::CellRun(const RunOptions& options, Surroundings surroundings)
    : options_(options), around_(std::move(surroundings)) {
  const auto file = seconds_file(folder());
  if (has_checkpoint() && std::filesystem::exists(file)) earlier_seconds_ = std::atof(read_text(file).c_str());
}

void CellRun::resume(const std::function<void(const std::filesystem::path&)>& load) const {
  if (!has_checkpoint()) return;
  try {
    load(checkpoint());
  } catch (const std::exception& error) {
    throw Error(concat_text("cannot go on from ", checkpoint().native(), ": ", error.what(),
                            "; delete this file and the cell starts over"));
  }
}

const Finished& CellRun::need(const std::string& name) const {
  const auto found = around_.needs.find(name);
  check(found != around_.needs.end(), "a cell reads ", name, ", which is not among its needs");
  return found->second;
}

void CellRun::tick(std::int64_t done, std::int64_t total, const std::function<void()>& save, const std::string& note) {
  progress(done, total, note);
  const bool stop = stop_requested();
  if (stop || since(saved_) >= options_.checkpoint_minutes * 60) save_checkpoint(save);
  if (stop) throw Interrupted();
}

void CellRun::progress(std::int64_t done, std::int64_t total, const std::string& note) const {
  around_.progress(done, total, note);
}

double CellRun::seconds() const {
  return earlier_seconds_ + since(started_);
}

void CellRun::save_checkpoint(const std::function<void()>& save) {
  save();
  std::ofstream(seconds_file(folder())) << seconds();  // nothing depends on it: no need to wait for the disk
  saved_ = Clock::now();
}

}  // namespace tobogan
