// Pictures read back pixel by pixel; plots by their numbers, their script, and a look at the file gnuplot made.
#include "experiments/run/figure.h"

#include <png.h>

#include "engine/atomic_file.h"
#include "engine/error.h"
#include "experiments/run/plot.h"
#include "tests/support/catch.h"
#include "tests/support/temp_folder.h"

using namespace tobogan;
namespace fs = std::filesystem;
using Catch::Matchers::ContainsSubstring;

namespace {

struct Picture {
  int width, height, channels;
  std::vector<std::uint8_t> pixels;

  int at(int y, int x, int c = 0) const { return pixels[static_cast<std::size_t>((y * width + x) * channels + c)]; }
};

Picture read_png(const fs::path& path) {
  png_image image = {};
  image.version = PNG_IMAGE_VERSION;
  REQUIRE(png_image_begin_read_from_file(&image, path.c_str()));
  const int channels = (image.format & PNG_FORMAT_FLAG_COLOR) ? 3 : 1;
  image.format = channels == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
  Picture picture{static_cast<int>(image.width), static_cast<int>(image.height), channels, {}};
  picture.pixels.resize(PNG_IMAGE_SIZE(image));
  REQUIRE(png_image_finish_read(&image, nullptr, picture.pixels.data(), 0, nullptr));
  return picture;
}

// Pixel values that are all different: 0, 1, 2, ...
ImageSet counting_images(int count, int channels, int height, int width) {
  ImageSet images{.count = count,
                  .channels = channels,
                  .height = height,
                  .width = width,
                  .pixels = {},
                  .labels = {},
                  .class_names = {},
                  .source = {}};
  images.pixels.resize(static_cast<std::size_t>(count) * images.image_bytes());
  for (std::size_t i = 0; i < images.pixels.size(); ++i) images.pixels[i] = static_cast<std::uint8_t>(i);
  return images;
}

Plot two_lines() {
  return {.title = "Accuracy",
          .x_label = "N",
          .y_label = "accuracy",
          .series = {{.name = "real", .x = {500, 1000}, .y = {0.25, 0.5}, .spread = {0.125, 0}},
                     {.name = "paper", .x = {500, 1000}, .y = {0.75, 1}, .style = Series::Style::dashed}}};
}

}  // namespace

TEST_CASE("every pixel of a grid is where it belongs, grey and RGB, zoomed and padded") {
  const int channels = GENERATE(1, 3), zoom = GENERATE(1, 2), padding = GENERATE(0, 3);
  TempFolder folder;
  const ImageSet images = counting_images(5, channels, 2, 3);
  write_image_grid(folder.path() / "grid.png", images,
                   {.columns = 2, .padding = padding, .zoom = zoom, .background = 200});
  const Picture picture = read_png(folder.path() / "grid.png");
  const int step_x = 3 * zoom + padding, step_y = 2 * zoom + padding;
  REQUIRE(picture.width == 2 * step_x + padding);
  REQUIRE(picture.height == 3 * step_y + padding);
  REQUIRE(picture.channels == channels);
  int wrong = 0;
  for (int y = 0; y < picture.height; ++y)
    for (int x = 0; x < picture.width; ++x)
      for (int c = 0; c < channels; ++c) {
        const int in_y = (y - padding + step_y) % step_y, in_x = (x - padding + step_x) % step_x;
        const int row = (y - padding) / step_y, column = (x - padding) / step_x, index = row * 2 + column;
        int expected = 200;
        if (y >= padding && x >= padding && in_y < 2 * zoom && in_x < 3 * zoom && index < 5)
          expected = ((index * channels + c) * 2 + in_y / zoom) * 3 + in_x / zoom;
        wrong += picture.at(y, x, c) != expected;
      }
  CHECK(wrong == 0);
}

TEST_CASE("a grid is no wider than its images") {
  TempFolder folder;
  write_image_grid(folder.path() / "grid.png", counting_images(2, 1, 4, 4), {.columns = 10, .padding = 1});
  CHECK(read_png(folder.path() / "grid.png").width == 11);
}

TEST_CASE("sizes that do not agree are refused, and a failed write leaves the old picture") {
  TempFolder folder;
  const fs::path path = folder.path() / "grid.png";
  write_image_grid(path, counting_images(1, 1, 4, 4));
  const std::string before = read_text(path);
  ImageSet images = counting_images(2, 1, 4, 4);
  images.pixels.pop_back();
  CHECK_THROWS_WITH(write_image_grid(path, images), "image grid: expected 32 bytes for {2, 1, 4, 4}, got 31");
  CHECK_THROWS_WITH(write_image_grid(path, counting_images(1, 2, 4, 4)), ContainsSubstring("grey or RGB"));
  CHECK_THROWS_WITH(write_image_grid(path, counting_images(0, 1, 4, 4)), ContainsSubstring("{0, 1, 4, 4}"));
  CHECK_THROWS_WITH(write_image_grid(path, counting_images(1, 1, 4, 4), {.columns = 0}), ContainsSubstring("columns"));
  CHECK_THROWS_WITH(write_image_grid(path, counting_images(1, 1, 4, 4), {.zoom = 100000}),
                    ContainsSubstring("too many for one picture"));
  CHECK_THROWS_WITH(write_image_grid(folder.path() / "no" / "grid.png", counting_images(1, 1, 4, 4)),
                    ContainsSubstring("cannot create"));
  CHECK(read_text(path) == before);
}

TEST_CASE("a plot's numbers are a CSV file and its script draws them") {
  TempFolder folder;
  const std::string missing = write_plot(folder.path() / "figure2", two_lines());
  CHECK(
      read_text(folder.path() / "figure2.csv") ==
      "series,x,y,spread\n\"real\",500,0.25,0.125\n\"real\",1000,0.5,0\n\n\n\"paper\",500,0.75,\n\"paper\",1000,1,\n");
  const std::string script = read_text(folder.path() / "figure2.gp");
  CHECK_THAT(script, ContainsSubstring("'figure2.csv' skip 1 index 0 using 2:3:4 with yerrorbars") &&
                         ContainsSubstring("'figure2.csv' skip 1 index 1 using 2:3") &&
                         ContainsSubstring("title 'paper'"));
  if (missing.empty()) {
    const Picture picture = read_png(folder.path() / "figure2.png");
    CHECK(picture.width == 800);
    CHECK(picture.height == 560);
    // Both curves are there, each in its colour.
    int blue = 0, red = 0;
    for (int y = 0; y < picture.height; ++y)
      for (int x = 0; x < picture.width; ++x) {
        blue += picture.at(y, x, 0) == 0x00 && picture.at(y, x, 1) == 0x72 && picture.at(y, x, 2) == 0xb2;
        red += picture.at(y, x, 0) == 0xd5 && picture.at(y, x, 1) == 0x5e && picture.at(y, x, 2) == 0x00;
      }
    CHECK(blue > 100);
    CHECK(red > 100);
    CHECK_FALSE(fs::exists(folder.path() / "figure2.log"));
  } else {
    CHECK(missing == "gnuplot is not installed (package gnuplot-nox)");
  }
}

TEST_CASE("without gnuplot the numbers stay, the reason names the package, and no old picture stays") {
  TempFolder folder;
  atomic_write(folder.path() / "p.png", "an older picture");
  CHECK(write_plot(folder.path() / "p", two_lines(), "no-such-gnuplot") ==
        "gnuplot is not installed (package gnuplot-nox)");
  CHECK(fs::exists(folder.path() / "p.csv"));
  CHECK(fs::exists(folder.path() / "p.gp"));
  CHECK_FALSE(fs::exists(folder.path() / "p.png"));
  CHECK(write_plot(folder.path() / "p", two_lines(), "false") == "gnuplot failed on " +
                                                                     (folder.path() / "p.gp").native() + "; " +
                                                                     (folder.path() / "p.log").native() + " says why");
  const fs::path text = folder.path() / "text";
  atomic_write(text, "no program");
  fs::permissions(text, fs::perms::owner_read);
  CHECK(write_plot(folder.path() / "p", two_lines(), text.native()) == "gnuplot cannot be started: Permission denied");
}

TEST_CASE("texts cannot leave their quotes: neither a shell nor gnuplot runs them") {
  TempFolder folder;
  const std::string evil = "`touch a`'; system('touch b'); '\n!touch c\n$(touch d) \"q\" @e";
  Plot plot = two_lines();
  plot.title = plot.x_label = plot.y_label = plot.series[0].name = plot.series[1].name = evil;
  const std::string missing = write_plot(folder.path() / "plot", plot);
  for (const char* name : {"a", "b", "c", "d"}) {
    CHECK_FALSE(fs::exists(folder.path() / name));
    CHECK_FALSE(fs::exists(name));
  }
  CHECK((missing.empty() || missing.starts_with("gnuplot is not installed")));
  CHECK_THROWS_WITH(write_plot(folder.path() / "a';b", plot), ContainsSubstring("letters, digits"));
}

TEST_CASE("a folder with quotes and spaces in its name is only a folder") {
  TempFolder folder;
  const fs::path inner = folder.path() / "it's $(touch x) here";
  fs::create_directory(inner);
  const std::string missing = write_plot(inner / "plot", two_lines());
  CHECK(fs::exists(inner / "plot.png") == missing.empty());
}

TEST_CASE("series whose lengths differ are refused with their names") {
  TempFolder folder;
  Plot plot = two_lines();
  plot.series[1].y.pop_back();
  CHECK_THROWS_WITH(write_plot(folder.path() / "p", plot),
                    "plot p, series 'paper': expected as many x as y (and error bars, if any), got 2, 1 and 0");
  plot.series.clear();
  CHECK_THROWS_WITH(write_plot(folder.path() / "p", plot), "plot p has no series");
}
