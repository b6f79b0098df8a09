// Grey images in a cell's folder, as IDX files, by name.
#pragma once
#include "datasets/idx.h"

namespace tobogan {

inline IdxFiles stored_files(const std::filesystem::path& folder, const std::string& name) {
  return {folder / (name + "-images-idx3-ubyte"), folder / (name + "-labels-idx1-ubyte")};
}

inline void store_images(const std::filesystem::path& folder, const std::string& name, const ImageSet& images) {
  write_idx(images, stored_files(folder, name));
}

inline ImageSet stored_images(const std::filesystem::path& folder, const std::string& name,
                              const std::vector<std::string>& class_names) {
  return read_idx(stored_files(folder, name), class_names, name);
}

}  // namespace tobogan
