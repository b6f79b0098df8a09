// One name, one loader.
#include "datasets/load.h"

#include "datasets/cifar.h"
#include "datasets/idx.h"
#include "datasets/synthetic.h"
#include "engine/error.h"

namespace tobogan {
namespace {

// A loader's own sentence says what is wrong with which file; whoever lacks the files is told how to get them.
template <class Loader>
Dataset from_folder(const std::filesystem::path& root, std::string_view name, Loader load) {
  const std::filesystem::path folder = root / name;
  std::error_code ignored;
  if (std::filesystem::is_directory(folder, ignored)) return load(folder);
  throw Error(concat_text("there is no folder ", folder.native(), "; get the data with: datasets/fetch --to ",
                          root.native(), " ", name, " (or use the synthetic sets glyphs and shapes)"));
}

}  // namespace

Dataset load_dataset(const std::filesystem::path& root, std::string_view name, uint64_t seed) {
  if (name == "mnist") return from_folder(root, name, load_mnist);
  if (name == "fashion-mnist") return from_folder(root, name, load_fashion_mnist);
  if (name == "cifar-10") return from_folder(root, name, load_cifar10);
  if (name == "cifar-100") return from_folder(root, name, load_cifar100);
  if (name == "glyphs") return synthetic_glyphs({.train = 60000, .test = 10000, .seed = seed});
  if (name == "shapes") return synthetic_shapes({.train = 50000, .test = 10000, .seed = seed});
  throw Error(concat_text("there is no data set named \"", name, "\", only ", kDatasetNames));
}

}  // namespace tobogan
