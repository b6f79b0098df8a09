// Curves and clouds of points, drawn by gnuplot.
//
// A plot is three files: stem.csv with the numbers, stem.gp with the script, stem.png.  The first two are always
// written, so that a reader can redraw it; the PNG needs gnuplot at run time.
#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace tobogan {

struct Series {
  enum class Style { line_and_points, line, points, dashed };
  std::string name = {};  // in the key
  std::vector<double> x = {}, y = {};
  std::vector<double> spread = {};  // empty, or one error bar per point
  Style style = Style::line_and_points;
  std::optional<int> colour = {};  // of ten; its place in Plot::series if not given (the paper's line beside ours)
};

struct Plot {
  std::string title = {}, x_label = {}, y_label = {};
  std::vector<Series> series = {};
  bool log_x = false;
  int width = 800, height = 560;  // pixels
};

// Returns an empty string, or why there is no PNG ("gnuplot is not installed ...").
// Throws Error for series without points or with lengths that differ, and for files that cannot be written.
// REQUIRES: the file name of `stem` consists of letters, digits, '_' and '-'.
std::string write_plot(const std::filesystem::path& stem, const Plot& plot, const std::string& gnuplot = "gnuplot");

}  // namespace tobogan
