// The random numbers' state is a few integers with names: JSON in the file's metadata.
#include "engine/checkpoint.h"

#include <nlohmann/json.hpp>

namespace tobogan {
namespace {

constexpr const char* kRng = "rng";

std::map<std::string, uint64_t> random_numbers_in(const Metadata& metadata, const std::filesystem::path& path) {
  const auto text = metadata.find(kRng);
  check(text != metadata.end(), path, " has no state of random numbers: it is not a checkpoint of a training");
  const auto parsed = nlohmann::json::parse(text->second, nullptr, false);
  bool whole = parsed.is_object();
  for (const auto& value : parsed) whole = whole && value.is_number_unsigned();
  check(whole, path, ": the state of random numbers is malformed");
  return parsed.get<std::map<std::string, uint64_t>>();
}

}  // namespace

void save_checkpoint(const std::filesystem::path& path, const Rng& rng, const State& state, const Metadata& metadata) {
  Metadata all = metadata;
  all[kRng] = nlohmann::json(rng.state()).dump();
  save(path, state, all);
}

Metadata load_checkpoint(const std::filesystem::path& path, Rng& rng, const State& state) {
  std::map<std::string, uint64_t> numbers;
  Metadata metadata = load(path, state, [&](const Metadata& found) {
    numbers = random_numbers_in(found, path);
    try {
      rng.check_state(numbers);
    } catch (const Error& error) {
      throw Error(concat_text(path, ": ", error.what()));
    }
  });
  rng.restore(numbers);
  return metadata;
}

}  // namespace tobogan
