// The IDX files of MNIST and its family: a big-endian header, then bytes.
//
//   images  00 00 08 03, count, rows, columns (32 bits each), then count*rows*columns bytes
//   labels  00 00 08 01, count, then count bytes
//
// Files may be compressed by gzip.  A header may promise at most 2^30 bytes of pixels and 4,096 rows and columns; a
// file that holds less or more than its header promises is refused, and so is a label without a class.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "datasets/dataset.h"

namespace tobogan {

struct IdxFiles {
  std::filesystem::path images, labels;
};

// Grey images (channels = 1) with their labels.  Throws Error on anything but a pair of sound files of equal count.
ImageSet read_idx(const IdxFiles& files, std::vector<std::string> class_names, std::string source);

// Writes both files, compressed where the name ends in ".gz"; each appears complete or not at all.
// Throws Error for an empty set, colour images, more than 256 classes, or a place that cannot be written.
void write_idx(const ImageSet& set, const IdxFiles& files);

// The four files under their usual names (train-images-idx3-ubyte, ...; with or without .gz) in one folder.
Dataset load_mnist(const std::filesystem::path& folder);
Dataset load_fashion_mnist(const std::filesystem::path& folder);

}  // namespace tobogan
