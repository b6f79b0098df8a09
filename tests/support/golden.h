// Golden values: what PyTorch answered once (tests/golden/README.md), and how near we come to it.
//
// Inputs there are float32 and answers correct to float32 rounding, so a difference is ours.  It is measured against
// the largest element of the tensor, since a sum's rounding error goes with what was summed, not with what is left of
// it.
#pragma once
#include <algorithm>
#include <cmath>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/serialize.h"

namespace tobogan {

class Golden {
 public:
  // `file`: a file of tests/golden without its ending.
  explicit Golden(const std::string& file)
      : path_(std::string(TOBOGAN_GOLDEN_DIR) + "/" + file + ".safetensors"), tensors_(read_tensors(path_)) {}

  bool has(const std::string& name) const { return tensors_.contains(name); }
  const HostTensor& host(const std::string& name) const {
    check(has(name), path_, " holds no tensor '", name, "'");
    return tensors_.at(name);
  }
  Tensor tensor(const std::string& name, const Device& device) const {
    return Tensor::from_host(host(name).shape, host(name).values, device);
  }
  Indices indices(const std::string& name, const Device& device) const {
    const std::vector<Real>& values = host(name).values;
    return {std::vector<int32_t>(values.begin(), values.end()), device};
  }
  // What stands behind `prefix` in the names that begin with it.
  std::vector<std::string> below(const std::string& prefix) const {
    std::vector<std::string> names;
    for (const auto& [name, tensor] : tensors_) {
      if (name.starts_with(prefix)) names.push_back(name.substr(prefix.size()));
    }
    return names;
  }

 private:
  std::string path_;
  std::map<std::string, HostTensor> tensors_;
};

// The largest difference, in units of the largest expected element (1 where all of that are 0).
inline double distance(std::span<const Real> actual, std::span<const Real> expected) {
  check(actual.size() == expected.size(), "distance: expected ", expected.size(), " values, got ", actual.size());
  double difference = 0, scale = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    if (!std::isfinite(actual[i])) return INFINITY;
    difference = std::max(difference, std::abs(double{actual[i]} - expected[i]));
    scale = std::max(scale, std::abs(double{expected[i]}));
  }
  return difference / (scale > 0 ? scale : 1);
}

}  // namespace tobogan
