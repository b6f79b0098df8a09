// libpng through its simplified interface, which needs no setjmp; libjpeg with a jump whose skipped frames own nothing.
#include "datasets/decode.h"

#include <jpeglib.h>
#include <png.h>

#include <algorithm>
#include <cmath>
#include <csetjmp>
#include <cstdio>  // jpeglib.h needs it first
#include <cstring>

#include "datasets/dataset.h"
#include "datasets/files.h"
#include "engine/error.h"

namespace tobogan {
namespace {

constexpr size_t kMostFileBytes = size_t{1} << 28;
constexpr uint64_t kMostPixels = uint64_t{1} << 26;

void check_size(const std::string& path, uint64_t height, uint64_t width) {
  check(height > 0 && width > 0 && height <= kMostPixels && width <= kMostPixels && height * width <= kMostPixels, path,
        ": an image of ", height, "x", width, " is beyond the ", kMostPixels, " pixels that are read");
}

// Decoders deliver RGBRGB..., an Image has planes.
Image from_interleaved(const std::vector<uint8_t>& rgb, int height, int width) {
  Image image{.channels = 3, .height = height, .width = width, .pixels = std::vector<uint8_t>(rgb.size())};
  const size_t plane = rgb.size() / 3;
  for (size_t i = 0; i < plane; ++i) {
    for (size_t c = 0; c < 3; ++c) image.pixels[c * plane + i] = rgb[3 * i + c];
  }
  return image;
}

struct PngReader {
  png_image image = {};
  ~PngReader() { png_image_free(&image); }
};

Image decode_png(const std::string& path, const std::vector<uint8_t>& bytes) {
  PngReader png;
  png.image.version = PNG_IMAGE_VERSION;
  const bool begun = png_image_begin_read_from_memory(&png.image, bytes.data(), bytes.size());
  check(begun, path, ": not a sound PNG file (", png.image.message, ")");
  check_size(path, png.image.height, png.image.width);
  const auto height = static_cast<int>(png.image.height), width = static_cast<int>(png.image.width);
  png.image.format = PNG_FORMAT_RGB;
  png.image.flags |= PNG_IMAGE_FLAG_16BIT_sRGB;
  std::vector<uint8_t> rgb(PNG_IMAGE_SIZE(png.image));
  const png_color black = {0, 0, 0};
  const bool read = png_image_finish_read(&png.image, &black, rgb.data(), 0, nullptr);
  check(read, path, ": not a sound PNG file (", png.image.message, ")");
  return from_interleaved(rgb, height, width);
}

struct JpegReader {
  jpeg_decompress_struct codec = {};
  jpeg_error_mgr handlers = {};
  jpeg_progress_mgr progress = {};
  std::jmp_buf refuse;
  char message[JMSG_LENGTH_MAX] = "";
  ~JpegReader() { jpeg_destroy_decompress(&codec); }
};

[[noreturn]] void jpeg_refuse(j_common_ptr codec) {
  auto* reader = static_cast<JpegReader*>(codec->client_data);
  codec->err->format_message(codec, reader->message);
  std::longjmp(reader->refuse, 1);
}

// libjpeg paints grey over missing data and only warns: a warning is as good as an error here.
void jpeg_warn(j_common_ptr codec, int level) {
  if (level < 0) jpeg_refuse(codec);
}

// A progressive file may repeat tiny scans over a huge image for hours.
void jpeg_limit_scans(j_common_ptr codec) {
  constexpr int kMostScans = 200;
  if (reinterpret_cast<j_decompress_ptr>(codec)->input_scan_number <= kMostScans) return;
  auto* reader = static_cast<JpegReader*>(codec->client_data);
  std::snprintf(reader->message, sizeof reader->message, "more than %d scans", kMostScans);
  std::longjmp(reader->refuse, 1);
}

// Runs a step of libjpeg, whose refusal becomes an Error.  REQUIRES: nothing in `step` has a destructor.
template <class Step>
void guarded(JpegReader& reader, const std::string& path, const Step& step) {
  if (setjmp(reader.refuse) != 0) throw Error(concat_text(path, ": not a sound JPEG file (", reader.message, ")"));
  step();
}

Image decode_jpeg(const std::string& path, const std::vector<uint8_t>& bytes) {
  JpegReader reader;
  jpeg_decompress_struct& codec = reader.codec;
  codec.err = jpeg_std_error(&reader.handlers);
  codec.client_data = &reader;
  reader.handlers.error_exit = jpeg_refuse;
  reader.handlers.emit_message = jpeg_warn;
  reader.progress.progress_monitor = jpeg_limit_scans;
  guarded(reader, path, [&] {
    jpeg_create_decompress(&codec);
    codec.progress = &reader.progress;
    jpeg_mem_src(&codec, bytes.data(), bytes.size());
    jpeg_read_header(&codec, TRUE);
  });
  check_size(path, codec.image_height, codec.image_width);
  std::vector<uint8_t> rgb(size_t{3} * codec.image_height * codec.image_width);
  guarded(reader, path, [&] {
    codec.out_color_space = JCS_RGB;
    jpeg_start_decompress(&codec);
    while (codec.output_scanline < codec.output_height) {
      JSAMPROW row = rgb.data() + size_t{3} * codec.output_scanline * codec.output_width;
      jpeg_read_scanlines(&codec, &row, 1);
    }
    jpeg_finish_decompress(&codec);
  });
  return from_interleaved(rgb, static_cast<int>(codec.image_height), static_cast<int>(codec.image_width));
}

// Which inputs make one output, and with what weights.
struct Taps {
  int first;
  std::vector<double> weights = {};
};

std::vector<Taps> taps_for(int in, int out) {
  const double ratio = double(in) / out, reach = std::max(1.0, ratio);
  std::vector<Taps> all;
  for (int i = 0; i < out; ++i) {
    const double centre = (i + 0.5) * ratio;
    const int first = std::max(0, int(std::floor(centre - reach))), end = std::min(in, int(std::ceil(centre + reach)));
    Taps taps{.first = first};
    double sum = 0;
    for (int k = first; k < end; ++k) {
      taps.weights.push_back(std::max(0.0, 1 - std::abs(k + 0.5 - centre) / reach));
      sum += taps.weights.back();
    }
    for (double& weight : taps.weights) weight /= sum;
    all.push_back(std::move(taps));
  }
  return all;
}

}  // namespace

Image decode_rgb(const std::filesystem::path& path) {
  const std::vector<uint8_t> bytes = read_file(path, kMostFileBytes);
  const auto starts_with = [&](std::initializer_list<uint8_t> head) {
    return bytes.size() > head.size() && std::equal(head.begin(), head.end(), bytes.begin());
  };
  if (starts_with({0x89, 'P', 'N', 'G'})) return decode_png(path.native(), bytes);
  if (starts_with({0xff, 0xd8, 0xff})) return decode_jpeg(path.native(), bytes);
  throw Error(concat_text(path.native(), ": neither a PNG nor a JPEG file"));
}

Image to_grey(const Image& rgb) {
  const size_t plane = rgb.pixels.size() / 3;
  Image grey{.channels = 1, .height = rgb.height, .width = rgb.width, .pixels = std::vector<uint8_t>(plane)};
  const uint8_t *r = rgb.pixels.data(), *g = r + plane, *b = g + plane;
  for (size_t i = 0; i < plane; ++i)
    grey.pixels[i] = static_cast<uint8_t>((299 * r[i] + 587 * g[i] + 114 * b[i] + 500) / 1000);
  return grey;
}

Image resized(const Image& image, int height, int width) {
  if (image.height == height && image.width == width) return image;
  const std::vector<Taps> across = taps_for(image.width, width), down = taps_for(image.height, height);
  Image out{.channels = image.channels, .height = height, .width = width};
  out.pixels.reserve(size_t(image.channels) * height * width);
  std::vector<double> narrow(size_t(image.height) * width);  // every row at its new width
  for (int c = 0; c < image.channels; ++c) {
    const uint8_t* plane = image.pixels.data() + size_t(c) * image.height * image.width;
    for (int row = 0; row < image.height; ++row) {
      for (int column = 0; column < width; ++column) {
        double sum = 0;
        const uint8_t* from = plane + size_t(row) * image.width + across[column].first;
        for (size_t k = 0; k < across[column].weights.size(); ++k) sum += across[column].weights[k] * from[k];
        narrow[size_t(row) * width + column] = sum;
      }
    }
    for (int row = 0; row < height; ++row) {
      for (int column = 0; column < width; ++column) {
        double sum = 0;
        const double* from = narrow.data() + size_t(down[row].first) * width + column;
        for (size_t k = 0; k < down[row].weights.size(); ++k) sum += down[row].weights[k] * from[k * width];
        out.pixels.push_back(to_byte(sum));
      }
    }
  }
  return out;
}

}  // namespace tobogan
