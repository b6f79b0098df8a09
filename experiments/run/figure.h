// Grids of images as PNG files.
#pragma once
#include <cstdint>
#include <filesystem>

#include "datasets/dataset.h"

namespace tobogan {

struct GridOptions {
  int columns = 10;
  int padding = 2;  // pixels around every image
  int zoom = 1;     // every pixel becomes zoom x zoom
  std::uint8_t background = 255;
};

// Grey or RGB images, labels not needed.  Image i goes to row i / columns, column i % columns; a last row may be short.
// Replaces an older file as a whole. Throws Error for sizes that do not agree and for files that cannot be written.
void write_image_grid(const std::filesystem::path& png, const ImageSet& images, const GridOptions& options = {});

}  // namespace tobogan
