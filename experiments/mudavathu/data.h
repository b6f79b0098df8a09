// The images of Mudavathu's study: all that there are, shuffled, 70 % to train on and 30 % held out.
#pragma once
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>

#include "datasets/loaded_sets.h"

namespace tobogan::mudavathu {

inline constexpr const char* kData = "fashion-mnist";  // of M2; that of M1 can be chosen

class Data {
 public:
  // `root` holds fashion-mnist/ and mnist/; where it is empty, `synthetic` glyphs are drawn instead.
  // `train_images`: of all; 0: 70 %.
  Data(std::filesystem::path root, int synthetic, int train_images);

  bool synthetic() const { return root_.empty(); }
  // The split that a seed names.  Any thread may ask.  Throws Error for missing and corrupt files, and where no image
  // would be held out.
  std::shared_ptr<const Dataset> split(const std::string& name, uint64_t seed);
  // As published, before the split.
  const Dataset& published(const std::string& name) { return sets_.get(name); }
  // What tells a set from others of its name, for the configuration of cells.
  nlohmann::json identity(const std::string& name);

 private:
  std::filesystem::path root_;
  int synthetic_, train_images_;
  LoadedSets sets_;
  std::mutex mutex_;
  std::map<std::pair<std::string, uint64_t>, std::shared_ptr<const Dataset>> splits_;
};

}  // namespace tobogan::mudavathu
