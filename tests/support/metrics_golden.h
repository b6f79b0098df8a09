// Golden values of metrics: what scikit-learn and others answered once (tests/golden/README.md).
#pragma once
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "engine/atomic_file.h"
#include "experiments/metrics/metric.h"

namespace tobogan::metrics {

// The part of tests/golden/metrics.json of that name.
inline nlohmann::json golden(const std::string& part) {
  return nlohmann::json::parse(read_text(std::string(TOBOGAN_GOLDEN_DIR) + "/metrics.json")).at(part);
}

inline Features matrix_of(const nlohmann::json& rows) {
  Features matrix(rows.size(), rows.at(0).size());
  for (size_t i = 0; i < rows.size(); ++i) {
    for (size_t j = 0; j < rows[i].size(); ++j) matrix(i, j) = rows[i][j].get<double>();
  }
  return matrix;
}

inline std::vector<int32_t> labels_of(const nlohmann::json& labels) {
  return labels.get<std::vector<int32_t>>();
}

// The largest difference of two matrices of one size.
inline double distance(const Features& a, const Features& b) {
  check(a.rows() == b.rows() && a.cols() == b.cols(), "distance: ", a.rows(), " x ", a.cols(), " against ", b.rows(),
        " x ", b.cols());
  return (a - b).cwiseAbs().maxCoeff();
}

}  // namespace tobogan::metrics
