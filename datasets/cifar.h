// The binary form of CIFAR: records of one or two label bytes, then 1,024 red, 1,024 green and 1,024 blue bytes, each
// plane row by row -- the order of an ImageSet.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "datasets/dataset.h"

namespace tobogan {

struct CifarOptions {
  int label_bytes = 1;  // CIFAR-100 has two, the coarse and the fine label; the last one is read
  int records = 0;      // how many the file must have; 0: any number, at least one
};

// The 3x32x32 images of one file.  Throws Error unless the file (at most 2^30 bytes) is made of whole records whose
// labels have a name.
ImageSet read_cifar(const std::filesystem::path& path, std::vector<std::string> class_names, std::string source,
                    CifarOptions options = {});

// One file of records with one label byte.  It appears complete or not at all.
// Throws Error for an empty set, or unless images are 3x32x32 of at most 256 classes.
void write_cifar(const ImageSet& set, const std::filesystem::path& path);

// One name a line, exactly `classes` of them; empty lines at the end are part of the published files.
std::vector<std::string> read_class_names(const std::filesystem::path& path, int classes);

// data_batch_1.bin .. data_batch_5.bin, test_batch.bin of 10,000 records each, names from batches.meta.txt.
Dataset load_cifar10(const std::filesystem::path& folder);

// train.bin of 50,000 and test.bin of 10,000 records, the 100 fine classes, names from fine_label_names.txt.
Dataset load_cifar100(const std::filesystem::path& folder);

}  // namespace tobogan
