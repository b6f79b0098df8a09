// A data set by its name on the command line.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string_view>

#include "datasets/dataset.h"

namespace tobogan {

// What load_dataset() knows, for --help.
inline constexpr std::string_view kDatasetNames = "mnist, fashion-mnist, cifar-10, cifar-100, glyphs, shapes";

// mnist, fashion-mnist, cifar-10 and cifar-100 are folders of these names below `root`, filled by datasets/fetch;
// glyphs and shapes are drawn from `seed` (synthetic.h) and look at no file.
// Throws Error for another name, for a missing folder with the way to get it, for a corrupt file, and for images
// of another size or other classes than the published ones.  MNIST's files announce how many images they hold, and any
// number is taken; CIFAR's have no header, so that only the published number tells a whole file from one cut off.
Dataset load_dataset(const std::filesystem::path& root, std::string_view name, uint64_t seed);

// "mnist here has 60 training and 10 test images, as published 60000 and 10000", for under a table; empty where the
// numbers are the published ones, and for other names.
std::string unlike_published(std::string_view name, const Dataset& set);

}  // namespace tobogan
