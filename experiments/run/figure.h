// Pictures: grids of images through libpng, curves and clouds of points through gnuplot.
//
// A plot is three files: name.csv with the numbers, name.gp with the script, name.png.  The first two are always
// written, so a reader can redraw it; the PNG needs gnuplot at run time.
#pragma once
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace tobogan {

// u8 images {count, channels, height, width}, channels 1 (grey) or 3 (RGB), lying one after the other (NCHW).
struct ImageBatch {
  int count = 0, channels = 1, height = 0, width = 0;
  std::span<const std::uint8_t> pixels;
};

struct GridOptions {
  int columns = 10;
  int padding = 2;  // pixels around every image
  int zoom = 1;     // every pixel becomes zoom x zoom
  std::uint8_t background = 255;
};

// Image i goes to row i / columns, column i % columns; a last row may be short.
// Throws Error for sizes that do not agree and for files that cannot be written.
void write_image_grid(const std::filesystem::path& png, const ImageBatch& images, const GridOptions& options = {});

struct Series {
  enum class Style { line, line_and_points, points, dashed };
  std::string name;  // in the key
  std::vector<double> x, y;
  std::vector<double> spread = {};  // empty, or one error bar per point
  Style style = Style::line_and_points;
};

struct Plot {
  std::string title, x_label, y_label;
  std::vector<Series> series;
  bool log_x = false;
  int width = 800, height = 600;  // pixels
};

// Writes stem.csv, stem.gp and, with gnuplot, stem.png.  Returns an empty string, or why there is no PNG.
// Throws Error for series whose lengths differ and for files that cannot be written.
// REQUIRES: the file name of `stem` is letters, digits, '_', '.' and '-'.
std::string write_plot(const std::filesystem::path& stem, const Plot& plot, const std::string& gnuplot = "gnuplot");

}  // namespace tobogan
