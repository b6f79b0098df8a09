// The random numbers' state is a few integers with names: JSON in the file's metadata.
#include "engine/checkpoint.h"

#include <nlohmann/json.hpp>

namespace tobogan {
namespace {

constexpr const char* kRng = "rng";

}  // namespace

void save_checkpoint(const std::filesystem::path& path, const Rng& rng, const State& state, const Metadata& metadata) {
  Metadata all = metadata;
  all[kRng] = nlohmann::json(rng.state()).dump();
  save(path, state, all);
}

Metadata load_checkpoint(const std::filesystem::path& path, Rng& rng, const State& state) {
  const Metadata metadata = load(path, state);
  const auto text = metadata.find(kRng);
  check(text != metadata.end(), path, " has no state of random numbers: it is not a checkpoint of a training");
  const auto parsed = nlohmann::json::parse(text->second, nullptr, false);
  check(parsed.is_object(), path, ": the state of random numbers is malformed");
  rng.restore(parsed.get<std::map<std::string, uint64_t>>());
  return metadata;
}

}  // namespace tobogan
