// Feature similarity of grey images (Zhang et al. 2011): where phase congruency says that there is something to see,
// are congruency and gradient alike?
//
// Congruency (Kovesi 1999) and gradient are computed once an image; a pair is then a few operations a pixel.
#pragma once
#include <Eigen/Core>

#include "experiments/metrics/grey_images.h"
#include "experiments/metrics/metric.h"

namespace tobogan::metrics {

// What FSIM looks at.  One row an image, one column a pixel (of the images as compared: from 384 pixels on they are
// averaged down).
struct FsimMaps {
  using Rows = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  Rows congruency;  // 0..1
  Rows gradient;    // magnitude by Scharr's operator, zeros around the image

  int count() const { return static_cast<int>(congruency.rows()); }
};

// Throws Error for images whose numbers do not agree.
FsimMaps fsim_maps(const GreyImages& images, int threads = 0, const OnProgress& progress = {});

// FSIM of image i of a and image j of b, in 0..1; 1 for equal images, symmetric.
// REQUIRES: both made from images of one size; 0 <= i < a.count(), 0 <= j < b.count().
float fsim(const FsimMaps& a, int i, const FsimMaps& b, int j);

// All pairs: {a.count(), b.count()}.  Throws Error for images of two sizes.
Eigen::MatrixXf fsim_matrix(const FsimMaps& a, const FsimMaps& b, int threads = 0, const OnProgress& progress = {});
// Of one set with itself: half the work.
Eigen::MatrixXf fsim_matrix(const FsimMaps& a, int threads = 0, const OnProgress& progress = {});

// Of the maps of `images` images and `pairs` pairs.
double fsim_cost(int64_t images, int64_t pairs, int height, int width);

}  // namespace tobogan::metrics
