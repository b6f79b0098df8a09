// One name, one loader, and what the published files are like.
#include "datasets/load.h"

#include "datasets/cifar.h"
#include "datasets/idx.h"
#include "datasets/synthetic.h"
#include "engine/error.h"

namespace tobogan {
namespace {

struct Published {
  std::string_view name;
  Dataset (*load)(const std::filesystem::path& folder);
  int channels, side, classes, train, test;
};
constexpr Published kPublished[] = {{"mnist", load_mnist, 1, 28, 10, 60000, 10000},
                                    {"fashion-mnist", load_fashion_mnist, 1, 28, 10, 60000, 10000},
                                    {"cifar-10", load_cifar10, 3, 32, 10, 50000, 10000},
                                    {"cifar-100", load_cifar100, 3, 32, 100, 50000, 10000}};

// A loader's own sentence says what is wrong with which file; whoever lacks the files is told how to get them.
Dataset from_folder(const std::filesystem::path& root, const Published& set) {
  const std::filesystem::path folder = root / set.name;
  std::error_code ignored;
  check(std::filesystem::is_directory(folder, ignored), "there is no folder ", folder.native(),
        "; get the data with: datasets/fetch --to ", root.native(), " ", set.name,
        " (or leave out --data: images are then drawn by the program)");
  Dataset loaded = set.load(folder);
  for (const ImageSet* part : {&loaded.train, &loaded.test})
    check(part->channels == set.channels && part->height == set.side && part->width == set.side &&
              part->classes() == set.classes,
          folder.native(), ": expected images of ", set.channels, "x", set.side, "x", set.side, " in ", set.classes,
          " classes, got ", part->channels, "x", part->height, "x", part->width, " in ", part->classes());
  return loaded;
}

}  // namespace

Dataset load_dataset(const std::filesystem::path& root, std::string_view name, uint64_t seed) {
  for (const Published& set : kPublished)
    if (set.name == name) return from_folder(root, set);
  if (name == "glyphs") return synthetic_glyphs({.train = 60000, .test = 10000, .seed = seed});
  if (name == "shapes") return synthetic_shapes({.train = 50000, .test = 10000, .seed = seed});
  throw Error(concat_text("there is no data set named \"", name, "\", only ", kDatasetNames));
}

std::string unlike_published(std::string_view name, const Dataset& set) {
  for (const Published& published : kPublished)
    if (published.name == name && (set.train.count != published.train || set.test.count != published.test))
      return concat_text(name, " here has ", set.train.count, " training and ", set.test.count,
                         " test images, as published ", published.train, " and ", published.test);
  return "";
}

}  // namespace tobogan
