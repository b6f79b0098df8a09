// The reader for a user's own images: one folder a class, PNG and JPEG files of any size in it.
//
//   pets/train/cat/*.png  pets/train/dog/*.jpg  pets/test/cat/...  pets/test/dog/...
//
// Folders and files are taken in the order of their names; hidden ones and files with other endings are passed over.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "datasets/dataset.h"

namespace tobogan {

struct ImageFolderOptions {
  int height = 0, width = 0;                  // what every image is resized to (decode.h says how); must be given
  int channels = 3;                           // 3: RGB, 1: grey
  std::vector<std::string> class_names = {};  // the folders in the order of the labels; empty: all there are, sorted
};

// Throws Error when there is no class folder or one without an image, for a file that cannot be decoded (its name and
// the reason), and beyond 2^31 bytes of pixels.
ImageSet read_image_folder(const std::filesystem::path& folder, const ImageFolderOptions& options);

// The folders train and test (or Train and Test), which must have the same classes.
Dataset load_image_folders(const std::filesystem::path& root, ImageFolderOptions options);

}  // namespace tobogan
