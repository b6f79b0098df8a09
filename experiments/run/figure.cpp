// libpng's simplified interface writes to memory: no setjmp, and the file appears at once.
#include "experiments/run/figure.h"

#include <png.h>

#include <algorithm>
#include <cstddef>
#include <vector>

#include "engine/atomic_file.h"
#include "engine/error.h"

namespace tobogan {
namespace {

// A picture under construction: interleaved channels, as PNG wants them.
struct Canvas {
  int width, height, channels;
  std::vector<std::uint8_t> pixels;

  std::uint8_t& at(int y, int x, int channel) {
    return pixels[(static_cast<std::size_t>(y) * static_cast<std::size_t>(width) + static_cast<std::size_t>(x)) *
                      static_cast<std::size_t>(channels) +
                  static_cast<std::size_t>(channel)];
  }
};

void check_sizes(const ImageSet& images, const GridOptions& options) {
  check(images.count > 0 && images.height > 0 && images.width > 0 && (images.channels == 1 || images.channels == 3),
        "image grid: expected one or more grey or RGB images, got {", images.count, ", ", images.channels, ", ",
        images.height, ", ", images.width, "}");
  const auto expected = static_cast<std::size_t>(images.count) * static_cast<std::size_t>(images.channels) *
                        static_cast<std::size_t>(images.height) * static_cast<std::size_t>(images.width);
  check(images.pixels.size() == expected, "image grid: expected ", expected, " bytes for {", images.count, ", ",
        images.channels, ", ", images.height, ", ", images.width, "}, got ", images.pixels.size());
  check(options.columns > 0 && options.padding >= 0 && options.zoom > 0,
        "image grid: expected columns and zoom of 1 or more and padding of 0 or more, got ", options.columns, ", ",
        options.zoom, " and ", options.padding);
}

// REQUIRES: (top, left) and the zoomed image lie inside the canvas.
void place(Canvas& canvas, int top, int left, const ImageSet& images, int index, int zoom) {
  const std::size_t plane = static_cast<std::size_t>(images.height) * static_cast<std::size_t>(images.width);
  const std::size_t start = static_cast<std::size_t>(index) * static_cast<std::size_t>(images.channels) * plane;
  for (int c = 0; c < images.channels; ++c)
    for (int y = 0; y < images.height * zoom; ++y)
      for (int x = 0; x < images.width * zoom; ++x)
        canvas.at(top + y, left + x, c) =
            images.pixels[start + static_cast<std::size_t>(c) * plane +
                          static_cast<std::size_t>(y / zoom) * static_cast<std::size_t>(images.width) +
                          static_cast<std::size_t>(x / zoom)];
}

void write_png(const std::filesystem::path& path, const Canvas& canvas) {
  png_image image = {};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(canvas.width);
  image.height = static_cast<png_uint_32>(canvas.height);
  image.format = canvas.channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
  std::vector<std::byte> bytes(size);
  const int written = png_image_write_to_memory(&image, bytes.data(), &size, 0, canvas.pixels.data(), 0, nullptr);
  check(written != 0, "cannot encode ", path.native(), ": ", image.message);
  bytes.resize(size);
  atomic_write(path, std::span<const std::byte>(bytes));
}

}  // namespace

void write_image_grid(const std::filesystem::path& png, const ImageSet& images, const GridOptions& options) {
  check_sizes(images, options);
  const int columns = std::min(options.columns, images.count), rows = (images.count + columns - 1) / columns;
  const long long step_x = 1LL * images.width * options.zoom + options.padding;
  const long long step_y = 1LL * images.height * options.zoom + options.padding;
  const long long width = columns * step_x + options.padding, height = rows * step_y + options.padding;
  check(width <= 65500 && height <= 65500 && width * height <= 400'000'000, "image grid: ", width, " x ", height,
        " pixels are too many for one picture");
  Canvas canvas{static_cast<int>(width), static_cast<int>(height), images.channels, {}};
  canvas.pixels.assign(static_cast<std::size_t>(width * height) * static_cast<std::size_t>(images.channels),
                       options.background);
  for (int i = 0; i < images.count; ++i)
    place(canvas, options.padding + static_cast<int>(step_y) * (i / columns),
          options.padding + static_cast<int>(step_x) * (i % columns), images, i, options.zoom);
  write_png(png, canvas);
}

}  // namespace tobogan
