// "Div." of Kim & Lee: how many different kinds of image a class has, by the Gini-Simpson index of species.
//
// The paper names within-class clustering by FSIM and the index; the clustering, the threshold and the numbers are our
// choice (section 2.e.5 of the specification): the paper calls images "a single species" whose similarity to one image
// is above 0.7.
#pragma once
#include <span>
#include <vector>

#include "experiments/metrics/fsim.h"

namespace tobogan::metrics {

// 1 - sum of squared shares: the probability that two draws (with replacement) are of different species.  0 for no or
// one species.  Sizes must not be negative.
double gini_simpson(std::span<const int64_t> sizes);

// Leader clustering: in `order`, the first image without a species opens one, and every image without a species whose
// similarity to it is above the threshold joins.  Returns the species of each image, 0.. in order of opening.
// REQUIRES: similarity is square; order is a permutation of its rows.
std::vector<int32_t> leader_clusters(const Eigen::MatrixXf& similarity, std::span<const int32_t> order,
                                     float threshold);

struct DiversityOptions {
  float threshold = 0.7f;
  int per_class = 200;  // the first so many images of each class
  int orders = 5;       // random ones, averaged
  uint64_t seed = 0;
  int threads = 0;  // 0: one per core
};

struct Diversity {
  double within = 0;                  // "Div.": mean over classes of the index over the class's species
  double species = 0;                 // mean number of species of a class
  double between = 0;                 // the other reading: the index over classes of their numbers of species
  std::vector<double> by_class = {};  // mean over the orders
  std::vector<int> images = {};       // used of each class; fewer than two give the class 0
};

// Throws Error unless there is one label an image, in 0..classes-1.
Diversity diversity(const GreyImages& images, std::span<const int32_t> labels, int classes,
                    const DiversityOptions& options = {}, const OnProgress& progress = {});

}  // namespace tobogan::metrics
