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
// Throws Error for another name, for a missing folder with the way to get it, and for a file that is not as published.
Dataset load_dataset(const std::filesystem::path& root, std::string_view name, uint64_t seed);

}  // namespace tobogan
