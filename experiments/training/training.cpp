// The number of steps and the log travel in the checkpoint's metadata.
#include "experiments/training/training.h"

#include <algorithm>

#include "engine/checkpoint.h"

namespace tobogan {

void Training::run(CellRun& cell) {
  cell.resume([this](const std::filesystem::path& checkpoint) { load(checkpoint); });
  while (steps_done_ < steps_in_all_) {
    ++steps_done_;
    step();
    cell.tick(steps_done_, steps_in_all_, [&] { save(cell.checkpoint()); });
  }
}

bool Training::is_one_of(int64_t points) const {
  const int64_t every = std::max<int64_t>(1, steps_in_all_ / points);
  return steps_done_ % every == 0 || is_last();
}

void Training::save(const std::filesystem::path& path) {
  save_checkpoint(path, context_.rng, state(), {{"steps_done", std::to_string(steps_done_)}, {"log", log_.dump()}});
}

void Training::load(const std::filesystem::path& path) {
  const Metadata metadata = load_checkpoint(path, context_.rng, state());
  check(metadata.contains("steps_done") && metadata.contains("log"), "it has no number of steps or no log");
  steps_done_ = std::stoll(metadata.at("steps_done"));
  log_ = nlohmann::json::parse(metadata.at("log"));
}

}  // namespace tobogan
