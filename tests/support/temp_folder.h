// A folder of a test's own, gone when the test is.
#pragma once
#include <cstdlib>
#include <filesystem>
#include <string>

#include "engine/error.h"

namespace tobogan {

class TempFolder {
 public:
  TempFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "tobogan-XXXXXX").native();
    check(mkdtemp(name.data()) != nullptr, "cannot create a folder for the test: ", name);
    path_ = name;
  }
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace tobogan
