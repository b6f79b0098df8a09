// Folders of PNG and JPEG files: known pixels, known sizes, and files made to hurt.
#include "datasets/image_folder.h"

#include <jpeglib.h>
#include <png.h>
#include <zlib.h>

#include <cstdio>
#include <cstdlib>

#include "datasets/decode.h"
#include "datasets/random.h"
#include "tests/support/catch.h"
#include "tests/support/data.h"
#include "tests/support/hostile.h"
#include "tests/support/temp_folder.h"

using namespace tobogan;
namespace fs = std::filesystem;
using Catch::Matchers::ContainsSubstring;

namespace {

Bytes png_of(const Bytes& interleaved, int height, int width, uint32_t format) {
  png_image image = {};
  image.version = PNG_IMAGE_VERSION;
  image.height = height;
  image.width = width;
  image.format = format;
  Bytes file(1 << 16);
  size_t size = file.size();
  const int written = png_image_write_to_memory(&image, file.data(), &size, 0, interleaved.data(), 0, nullptr);
  REQUIRE(written);
  file.resize(size);
  return file;
}

Bytes jpeg_of(const Bytes& interleaved, int height, int width, int channels, bool progressive) {
  jpeg_compress_struct codec = {};
  jpeg_error_mgr errors = {};
  codec.err = jpeg_std_error(&errors);
  jpeg_create_compress(&codec);
  unsigned char* memory = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&codec, &memory, &size);
  codec.image_height = height;
  codec.image_width = width;
  codec.input_components = channels;
  codec.in_color_space = channels == 3 ? JCS_RGB : JCS_GRAYSCALE;
  jpeg_set_defaults(&codec);
  jpeg_set_quality(&codec, 95, TRUE);
  if (progressive) jpeg_simple_progression(&codec);
  jpeg_start_compress(&codec, TRUE);
  while (codec.next_scanline < codec.image_height) {
    JSAMPROW row = const_cast<uint8_t*>(interleaved.data()) + size_t(codec.next_scanline) * width * channels;
    jpeg_write_scanlines(&codec, &row, 1);
  }
  jpeg_finish_compress(&codec);
  jpeg_destroy_compress(&codec);
  const Bytes file(memory, memory + size);
  std::free(memory);
  return file;
}

// A colour gradient, which JPEG keeps to a few grey values.
Bytes gradient(int height, int width) {
  Bytes rgb;
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      rgb.insert(rgb.end(), {uint8_t(40 + 4 * x), uint8_t(200 - 5 * y), uint8_t(60 + 2 * x + 3 * y)});
    }
  }
  return rgb;
}

Bytes noise(size_t size) {
  Draws draws(1, "noise");
  Bytes bytes;
  for (size_t i = 0; i < size; ++i) bytes.push_back(draws.below(256));
  return bytes;
}

// The refusal of one file, "" if it is read.
std::string refused(const fs::path& path, const Bytes& bytes) {
  put(path, bytes);
  return refusal([&] { decode_rgb(path); });
}

}  // namespace

TEST_CASE("a PNG of any kind becomes RGB planes") {
  const TempFolder folder;
  const fs::path path = folder.path() / "a.png";
  put(path, png_of({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, 2, 2, PNG_FORMAT_RGB));
  const Image rgb = decode_rgb(path);
  CHECK((rgb.channels == 3 && rgb.height == 2 && rgb.width == 2));
  CHECK(rgb.pixels == Bytes{1, 4, 7, 10, 2, 5, 8, 11, 3, 6, 9, 12});
  put(path, png_of({9, 200}, 1, 2, PNG_FORMAT_GRAY));
  CHECK(decode_rgb(path).pixels == Bytes{9, 200, 9, 200, 9, 200});
  put(path, png_of({9, 8, 7, 255, 9, 8, 7, 0}, 1, 2, PNG_FORMAT_RGBA));
  CHECK(decode_rgb(path).pixels == Bytes{9, 0, 8, 0, 7, 0});
}

TEST_CASE("a JPEG, plain, progressive or grey, becomes RGB planes") {
  const TempFolder folder;
  const fs::path path = folder.path() / "a.jpg";
  const Bytes rgb = gradient(24, 32);
  for (const bool progressive : {false, true}) {
    put(path, jpeg_of(rgb, 24, 32, 3, progressive));
    const Image image = decode_rgb(path);
    REQUIRE((image.height == 24 && image.width == 32));
    int worst = 0;
    for (int i = 0; i < 24 * 32 * 3; ++i) worst = std::max(worst, std::abs(image.pixels[i % 3 * 768 + i / 3] - rgb[i]));
    CHECK(worst <= 8);
  }
  put(path, jpeg_of(Bytes(64, 77), 8, 8, 1, false));
  CHECK(decode_rgb(path).pixels == Bytes(192, 77));
}

TEST_CASE("grey is the usual weighted sum") {
  const Image rgb{.channels = 3, .height = 1, .width = 4, .pixels = {255, 0, 0, 255, 0, 255, 0, 255, 0, 0, 255, 255}};
  CHECK(to_grey(rgb).pixels == Bytes{76, 150, 29, 255});
}

TEST_CASE("resizing equals PyTorch's antialiased bilinear interpolation") {
  Image image{.channels = 1, .height = 5, .width = 7};
  for (int i = 0; i < 35; ++i) image.pixels.push_back((i * i * 37 + i * 11 + 5) % 256);
  CHECK(resized(image, 5, 7).pixels == image.pixels);
  // torch.nn.functional.interpolate(x, size, mode="bilinear", align_corners=False, antialias=True), PyTorch 2.15
  CHECK(resized(image, 3, 4).pixels == Bytes{72, 124, 173, 115, 157, 132, 141, 105, 178, 119, 116, 171});
  CHECK(resized(image, 9, 3).pixels == Bytes{62, 135, 165, 78,  148, 140, 105, 171, 100, 126, 159, 95, 146, 138,
                                             99, 168, 123, 136, 184, 110, 165, 169, 102, 164, 160, 98, 164});
  CHECK(resized(image, 7, 9).pixels ==
        Bytes{5,   37,  107, 162, 115, 126, 178, 186, 123, 61,  95,  103, 112, 181, 195, 168, 114, 53,  143, 131, 102,
              101, 203, 220, 136, 60,  51,  243, 112, 107, 170, 133, 153, 72,  61,  177, 190, 184, 161, 127, 93,  117,
              141, 153, 150, 155, 201, 173, 102, 71,  98,  166, 190, 141, 137, 185, 160, 91,  63,  93,  163, 190, 143});
}

TEST_CASE("resizing keeps channels apart") {
  const Image two{.channels = 2, .height = 1, .width = 2, .pixels = {0, 100, 200, 40}};
  CHECK(resized(two, 1, 4).pixels == Bytes{0, 25, 75, 100, 200, 160, 80, 40});
  CHECK(resized(two, 1, 1).pixels == Bytes{50, 120});
}

TEST_CASE("files that are cut off are refused") {
  const TempFolder folder;
  const fs::path path = folder.path() / "a";
  const Bytes png = png_of(noise(300), 10, 10, PNG_FORMAT_RGB), jpeg = jpeg_of(noise(300), 10, 10, 3, false),
              progressive = jpeg_of(noise(300), 10, 10, 3, true);
  const size_t png_end = 12 + 4;  // the last chunk, which holds nothing, and the checksum before it
  for (size_t size = 0; size + png_end < png.size(); size += 7) {
    CHECK_THAT(refused(path, {png.begin(), png.begin() + size}), ContainsSubstring(path.native()));
  }
  for (const Bytes& whole : {jpeg, progressive}) {
    CHECK(refused(path, whole) == "");
    for (size_t size = 0; size < whole.size(); size += size + 40 < whole.size() ? 7 : 1) {
      INFO(size << " of " << whole.size());
      CHECK_THAT(refused(path, {whole.begin(), whole.begin() + size}), ContainsSubstring(path.native()));
    }
  }
}

TEST_CASE("no flipped byte does more than spoil an image or have it refused") {
  const TempFolder folder;
  const fs::path path = folder.path() / "a";
  int refusals = 0;
  for (const Bytes& whole : {png_of(noise(300), 10, 10, PNG_FORMAT_RGB), jpeg_of(noise(300), 10, 10, 3, false),
                             jpeg_of(noise(300), 10, 10, 3, true)}) {
    for (size_t at = 0; at < whole.size(); at += at < 60 ? 1 : 5) {  // the headers byte by byte
      Bytes flipped = whole;
      flipped[at] ^= 0xff;
      refusals += !refused(path, flipped).empty();
    }
  }
  CHECK(refusals > 120);  // every byte of the PNG is under a checksum
}

TEST_CASE("an image beyond the limit is refused by its header") {
  const TempFolder folder;
  const fs::path path = folder.path() / "a";
  Bytes png = png_of(noise(300), 10, 10, PNG_FORMAT_RGB);
  png[18] = png[22] = 0xea;  // 59,914 x 59,914
  const auto crc = static_cast<uint32_t>(crc32(0, png.data() + 12, 17));
  for (int i = 0; i < 4; ++i) png[29 + i] = static_cast<uint8_t>(crc >> (24 - 8 * i));
  CHECK_THAT(refused(path, png), ContainsSubstring("59914x59914 is beyond the 67108864 pixels"));

  Bytes jpeg = jpeg_of(noise(300), 10, 10, 3, false);
  for (size_t i = 0; i + 8 < jpeg.size(); ++i) {
    if (jpeg[i] == 0xff && jpeg[i + 1] == 0xc0) jpeg[i + 5] = jpeg[i + 7] = 0xea;
  }
  CHECK_THAT(refused(path, jpeg), ContainsSubstring("59914x59914 is beyond the 67108864 pixels"));
}

TEST_CASE("a progressive JPEG of endless scans is refused") {
  const TempFolder folder;
  Bytes jpeg = jpeg_of(noise(300), 10, 10, 3, true);
  size_t last_scan = 0;
  for (size_t i = 0; i + 1 < jpeg.size(); ++i) {
    if (jpeg[i] == 0xff && jpeg[i + 1] == 0xda) last_scan = i;
  }
  const Bytes scan(jpeg.begin() + last_scan, jpeg.end() - 2), head(jpeg.begin(), jpeg.begin() + last_scan);
  Bytes bomb = head;
  for (int i = 0; i < 1000; ++i) bomb.insert(bomb.end(), scan.begin(), scan.end());
  bomb.insert(bomb.end(), {0xff, 0xd9});
  CHECK(refused(folder.path() / "a", bomb) != "");
}

TEST_CASE("a folder per class becomes a set") {
  const TempFolder root;
  for (const std::string part : {"Train", "Test"}) {
    for (const std::string name : {"horse", "cow", ".cache"}) fs::create_directories(root.path() / part / name);
    put(root.path() / part / "cow" / "b.png", png_of(Bytes(4 * 6 * 3, 20), 4, 6, PNG_FORMAT_RGB));
    put(root.path() / part / "cow" / "a.PNG", png_of(Bytes(4 * 6 * 3, 10), 4, 6, PNG_FORMAT_RGB));
    put(root.path() / part / "cow" / "notes.txt", Bytes{1, 2, 3});
    put(root.path() / part / "cow" / ".hidden.png", Bytes{1, 2, 3});
    put(root.path() / part / "horse" / "a.jpeg", jpeg_of(Bytes(64 * 3, 30), 8, 8, 3, false));
  }
  const Dataset data = load_image_folders(root.path(), {.height = 3, .width = 2});
  check_consistent(data.train);
  CHECK((data.train.count == 3 && data.train.channels == 3 && data.train.height == 3 && data.train.width == 2));
  CHECK(data.train.class_names == std::vector<std::string>{"cow", "horse"});
  CHECK(data.test.labels == std::vector<int32_t>{0, 0, 1});
  CHECK((data.train.image(0)[0] == 10 && data.train.image(1)[17] == 20 && data.train.image(2)[5] == 30));
  CHECK(data.train.source == "images of " + root.path().filename().native());

  const ImageSet wanted = read_image_folder(root.path() / "Train",
                                            {.height = 1, .width = 1, .channels = 1, .class_names = {"horse", "cow"}});
  CHECK(wanted.labels == std::vector<int32_t>{0, 1, 1});
  CHECK(wanted.pixels == Bytes{30, 10, 20});
}

TEST_CASE("folders that are not as expected are refused with their names") {
  const TempFolder root;
  const ImageFolderOptions small{.height = 2, .width = 2};
  CHECK_THAT(refusal([&] { load_image_folders(root.path(), small); }), ContainsSubstring("there is no folder"));
  CHECK_THAT(refusal([&] { read_image_folder(root.path() / "none", small); }), ContainsSubstring("cannot read"));
  CHECK_THAT(refusal([&] { read_image_folder(root.path(), small); }), ContainsSubstring("for each class"));
  fs::create_directory(root.path() / "cat");
  CHECK_THAT(refusal([&] { read_image_folder(root.path(), small); }), ContainsSubstring("cat: expected PNG or JPEG"));
  put(root.path() / "cat" / "a.png", Bytes{'G', 'I', 'F', '8'});
  CHECK_THAT(refusal([&] { read_image_folder(root.path(), small); }), ContainsSubstring("neither a PNG nor a JPEG"));
  CHECK_THAT(refusal([&] { read_image_folder(root.path(), {}); }), ContainsSubstring("a size to resize to"));
}

TEST_CASE("the 164 pictures of cows and horses are read", "[data][cows-horses]") {
  const auto folder = data_set("cows-horses");
  if (!folder) return;
  const Dataset animals = load_image_folders(*folder, {.height = 128, .width = 128, .class_names = {"horse", "cow"}});
  CHECK((animals.train.count == 82 && animals.test.count == 82));
  CHECK((of_class(animals.train, 0).size() == 41 && of_class(animals.test, 1).size() == 41));
}
