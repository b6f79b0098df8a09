// Features of the Inception network by which FID and the inception score are published: 2,048 numbers and 1,008
// probabilities an image.
//
// The weights are the user's: a safetensors file with the names and shapes of the PyTorch port of the 2015-12-05 graph
// (docs/metrics.md says how to make it).  Without it the columns say n/a, and why.
#pragma once
#include <filesystem>
#include <memory>

#include "datasets/dataset.h"
#include "engine/context.h"
#include "experiments/metrics/metric.h"
#include "models/inception_v3.h"

namespace tobogan::metrics {

// Fills the network from the file.  Throws Error naming the file and the first tensor that is missing or misshapen.
void load_inception(const std::filesystem::path& file, InceptionV3& network);

// Why there are no Inception numbers: "n/a: no Inception weights were given", or that the file is not there.  Empty if
// it is.
std::string inception_unavailable(const std::filesystem::path& file);

struct InceptionFeatures {
  Features features;       // {N, 2048}
  Features probabilities;  // {N, 1008}, without the bias of the last layer
};

// Grey images are copied to three channels.  Throws Error unless images have one channel or three.
InceptionFeatures inception_features(InceptionV3& network, const ImageSet& images, const OnProgress& progress = {});

// 5.7e9 multiply-adds an image.
double inception_cost(int64_t images);

// How images reach the network, for Provenance.
inline constexpr const char* kInceptionResize = "299 x 299, bilinear by TensorFlow 1's rule";

}  // namespace tobogan::metrics
