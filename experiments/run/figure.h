// Grids of images as PNG files.
#pragma once
#include <cstdint>
#include <filesystem>
#include <span>

namespace tobogan {

// u8 images {count, channels, height, width}, channels 1 (grey) or 3 (RGB), lying one after the other (NCHW).
struct ImageBatch {
  int count = 0, channels = 1, height = 0, width = 0;
  std::span<const std::uint8_t> pixels = {};
};

struct GridOptions {
  int columns = 10;
  int padding = 2;  // pixels around every image
  int zoom = 1;     // every pixel becomes zoom x zoom
  std::uint8_t background = 255;
};

// Image i goes to row i / columns, column i % columns; a last row may be short.  Replaces an older file as a whole.
// Throws Error for sizes that do not agree and for files that cannot be written.
void write_image_grid(const std::filesystem::path& png, const ImageBatch& images, const GridOptions& options = {});

}  // namespace tobogan
