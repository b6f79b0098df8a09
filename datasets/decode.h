// One PNG or JPEG file to pixels, and pixels to another size.
#pragma once
#include <cstdint>
#include <filesystem>
#include <vector>

namespace tobogan {

// Bytes of one image in the order of an ImageSet, [channel][row][column].
struct Image {
  int channels = 0, height = 0, width = 0;
  std::vector<uint8_t> pixels = {};
};

// A PNG (any kind; transparency becomes black, 16 bits become 8) or JPEG (grey or colour), told by its first bytes, as
// RGB.  Throws Error for anything else, for a damaged or cut-off file, and beyond 2^26 pixels or 2^28 bytes of file.
Image decode_rgb(const std::filesystem::path& path);

// The weighted sum 0.299 R + 0.587 G + 0.114 B.  REQUIRES: three channels.
Image to_grey(const Image& rgb);

// Bilinear with half-pixel centres.  A side that shrinks is averaged over its wider neighbourhood (the triangle grows
// with the ratio, as in Pillow), so that fine texture does not turn into noise.  REQUIRES: positive sizes.
Image resized(const Image& image, int height, int width);

}  // namespace tobogan
