// A training in one file: tensors, counters and the random numbers' place, so that going on is going on bit for bit.
#pragma once
#include "engine/random.h"
#include "engine/serialize.h"

namespace tobogan {

// save() and load() of serialize.h with the state of `rng` beside the metadata.  REQUIRES: called between two steps.
// load_checkpoint throws Error, and changes nothing, where `rng` has another seed than the training in the file had.
void save_checkpoint(const std::filesystem::path& path, const Rng& rng, const State& state,
                     const Metadata& metadata = {});
Metadata load_checkpoint(const std::filesystem::path& path, Rng& rng, const State& state);

}  // namespace tobogan
