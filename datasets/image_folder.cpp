// Walks the folders; decode.cpp does the images.
#include "datasets/image_folder.h"

#include <algorithm>
#include <cctype>

#include "datasets/decode.h"
#include "engine/error.h"

namespace tobogan {
namespace {

namespace fs = std::filesystem;

// The visible entries of a folder that satisfy `wanted`, sorted by name.
template <class Wanted>
std::vector<fs::path> entries(const fs::path& folder, Wanted wanted) {
  std::error_code failed;
  std::vector<fs::path> found;
  for (fs::directory_iterator at(folder, failed), end; !failed && at != end; at.increment(failed)) {
    if (at->path().filename().native().front() != '.' && wanted(*at)) found.push_back(at->path());
  }
  check(!failed, "cannot read the folder ", folder.native(), ": ", failed.message());
  std::ranges::sort(found);
  return found;
}

bool has_image_ending(const fs::directory_entry& entry) {
  std::string ending = entry.path().extension().native();
  std::ranges::transform(ending, ending.begin(), [](unsigned char c) { return std::tolower(c); });
  return ending == ".png" || ending == ".jpg" || ending == ".jpeg";
}

std::vector<std::string> names_of_classes(const fs::path& folder) {
  std::vector<std::string> names;
  for (const fs::path& path : entries(folder, [](const auto& entry) { return entry.is_directory(); })) {
    names.push_back(path.filename().native());
  }
  check(!names.empty(), folder.native(), ": expected a folder of images for each class, found none");
  return names;
}

void append_image(const fs::path& path, int label, ImageSet& set) {
  constexpr size_t kMostBytes = size_t{1} << 31;
  check(set.pixels.size() + set.image_bytes() <= kMostBytes, path.native(), ": more than the ", kMostBytes,
        " bytes of pixels that are read, at image ", set.count);
  Image image = decode_rgb(path);
  if (set.channels == 1) image = to_grey(image);
  image = resized(image, set.height, set.width);
  set.pixels.insert(set.pixels.end(), image.pixels.begin(), image.pixels.end());
  set.labels.push_back(label);
  ++set.count;
}

fs::path part_folder(const fs::path& root, const std::string& lower, const std::string& upper) {
  std::error_code ignored;
  for (const fs::path& folder : {root / lower, root / upper}) {
    if (fs::is_directory(folder, ignored)) return folder;
  }
  throw Error(concat_text("there is no folder ", (root / lower).native()));
}

}  // namespace

ImageSet read_image_folder(const fs::path& folder, const ImageFolderOptions& options) {
  check(options.height > 0 && options.width > 0 && (options.channels == 1 || options.channels == 3), folder.native(),
        ": expected a size to resize to and 1 or 3 channels, got ", options.channels, "x", options.height, "x",
        options.width);
  ImageSet set{.count = 0,
               .channels = options.channels,
               .height = options.height,
               .width = options.width,
               .class_names = options.class_names.empty() ? names_of_classes(folder) : options.class_names,
               .source = "images of " + fs::weakly_canonical(folder).filename().native()};
  for (int label = 0; label < set.classes(); ++label) {
    const fs::path of_class = folder / set.class_names[label];
    const std::vector<fs::path> files = entries(of_class, has_image_ending);
    check(!files.empty(), of_class.native(), ": expected PNG or JPEG files, found none");
    for (const fs::path& file : files) append_image(file, label, set);
  }
  return set;
}

Dataset load_image_folders(const fs::path& root, ImageFolderOptions options) {
  const fs::path train = part_folder(root, "train", "Train"), test = part_folder(root, "test", "Test");
  if (options.class_names.empty()) {
    options.class_names = names_of_classes(train);
    check(names_of_classes(test) == options.class_names, test.native(), ": expected the same class folders as in ",
          train.native());
  }
  Dataset data{.train = read_image_folder(train, options), .test = read_image_folder(test, options)};
  data.train.source = data.test.source = "images of " + fs::weakly_canonical(root).filename().native();
  return data;
}

}  // namespace tobogan
