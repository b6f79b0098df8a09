// The training sets of Kim & Lee's study: plain, and with a class that lacks variety.
#pragma once
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>

#include "datasets/bias.h"
#include "datasets/loaded_sets.h"
#include "experiments/kim_lee/plan.h"

namespace tobogan::kim_lee {

// Data sets by the names they have in options and cells; "images" is a folder of the user's own.
inline constexpr const char* kMnist = "mnist";
inline constexpr const char* kFashion = "fashion-mnist";
inline constexpr const char* kOwnImages = "images";

enum class Bias { plain, size, content };
std::string to_string(Bias bias);
inline constexpr int kBiasedClass = 5;

class Data {
 public:
  // `root` holds mnist/ and fashion-mnist/; where it is empty, glyphs are drawn in place of either.  `images` holds
  // train/ and test/ with a folder for each class; may be empty.
  Data(std::filesystem::path root, std::filesystem::path images, const Plan& plan);

  // Any thread may ask.  Throws Error for missing and corrupt files.
  const Dataset& set(const std::string& name) { return sets_.get(name); }
  // What tells a set from others of its name, for the configuration of cells.
  nlohmann::json identity(const std::string& name);
  // The training set with a bias, as a seed names it; for the plain set `kept` is empty.
  std::shared_ptr<const Biased> train(const std::string& name, Bias bias, uint64_t seed);

 private:
  Dataset load(const std::string& name) const;

  std::filesystem::path root_, images_;
  Plan plan_;
  LoadedSets sets_;
  std::mutex mutex_;
  std::map<std::tuple<std::string, Bias, uint64_t>, std::shared_ptr<const Biased>> biased_;
};

}  // namespace tobogan::kim_lee
