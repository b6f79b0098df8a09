// Real data for tests.  A case that looks at it has the tags [data] and [NAME]; CTest runs it as a test of its own
// (tobogan_data_test), which counts as skipped where the set is not there.
#pragma once
#include <filesystem>
#include <iostream>
#include <optional>
#include <string>

namespace tobogan {

// The folder of the data set `name`; nothing, and a line that CTest knows, where there is none.
inline std::optional<std::filesystem::path> data_set(const std::string& name) {
  const std::filesystem::path root = TOBOGAN_DATA_DIR;
  if (!root.empty() && std::filesystem::is_directory(root / name)) return root / name;
  std::cout << "skipped: there is no data set " << name << (root.empty() ? "" : " in " + root.string()) << std::endl;
  return std::nullopt;
}

}  // namespace tobogan
