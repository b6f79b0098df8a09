// The matrix of similarities is computed once a class; each random order of leader clustering reads it again.
#include "experiments/metrics/diversity.h"

#include <algorithm>

#include "engine/random.h"

namespace tobogan::metrics {
namespace {

std::vector<int64_t> sizes_of(std::span<const int32_t> species) {
  std::vector<int64_t> sizes;
  for (const int32_t one : species) {
    sizes.resize(std::max<size_t>(sizes.size(), one + 1));
    ++sizes[one];
  }
  return sizes;
}

// The first `most` images of the class.
GreyImages first_of_class(const GreyImages& images, std::span<const int32_t> labels, int label, int most) {
  GreyImages picked{.count = 0, .height = images.height, .width = images.width};
  for (int i = 0; i < images.count && picked.count < most; ++i) {
    if (labels[i] != label) continue;
    const std::span<const float> image = images.image(i);
    picked.values.insert(picked.values.end(), image.begin(), image.end());
    ++picked.count;
  }
  return picked;
}

// The sizes of the species of a class, for each random order.
std::vector<std::vector<int64_t>> species_sizes(const GreyImages& images, int label, const DiversityOptions& options) {
  const Eigen::MatrixXf similarity = fsim_matrix(fsim_maps(images, options.threads), options.threads);
  std::vector<std::vector<int64_t>> sizes;
  for (int i = 0; i < options.orders; ++i) {
    const uint64_t seed = stream_key(options.seed, concat_text("species/", label, "/", i));
    const std::vector<int32_t> order = draw_indices(images.count, images.count, seed);
    sizes.push_back(sizes_of(leader_clusters(similarity, order, options.threshold)));
  }
  return sizes;
}

}  // namespace

double gini_simpson(std::span<const int64_t> sizes) {
  double sum = 0, squares = 0;
  for (const int64_t size : sizes) {
    check(size >= 0, "Gini-Simpson: a species cannot have ", size, " members");
    sum += static_cast<double>(size);
    squares += static_cast<double>(size) * static_cast<double>(size);
  }
  return sum > 0 ? 1 - squares / (sum * sum) : 0;
}

std::vector<int32_t> leader_clusters(const Eigen::MatrixXf& similarity, std::span<const int32_t> order,
                                     float threshold) {
  check(similarity.rows() == similarity.cols() && similarity.rows() == static_cast<int64_t>(order.size()),
        "leader clustering: expected a place for each of ", similarity.rows(), " x ", similarity.cols(), ", got ",
        order.size());
  std::vector<int32_t> species(order.size(), -1);
  int32_t opened = 0;
  for (const int32_t leader : order) {
    if (species[leader] >= 0) continue;
    for (size_t i = 0; i < species.size(); ++i) {
      if (species[i] < 0 && similarity(leader, i) > threshold) species[i] = opened;
    }
    species[leader] = opened++;
  }
  return species;
}

Diversity diversity(const GreyImages& images, std::span<const int32_t> labels, int classes,
                    const DiversityOptions& options, const OnProgress& progress) {
  check_images("Div.", images);
  check(labels.size() == static_cast<size_t>(images.count) && classes >= 1, "Div.: expected a label for each of ",
        images.count, " images and at least one class, got ", labels.size(), " labels and ", classes, " classes");
  check(options.orders >= 1 && options.per_class >= 1, "Div.: expected at least one order and image, got ",
        options.orders, " and ", options.per_class);
  for (const int32_t label : labels)
    check(label >= 0 && label < classes, "Div.: label ", label, " is outside 0..", classes - 1);
  Diversity result;
  std::vector<std::vector<int64_t>> numbers(options.orders);  // of species, for each order and class
  for (int label = 0; label < classes; ++label) {
    const GreyImages members = first_of_class(images, labels, label, options.per_class);
    double sum = 0;
    const auto sizes = species_sizes(members, label, options);
    for (int i = 0; i < options.orders; ++i) {
      sum += gini_simpson(sizes[i]);
      numbers[i].push_back(static_cast<int64_t>(sizes[i].size()));
      result.species += static_cast<double>(sizes[i].size()) / options.orders / classes;
    }
    result.images.push_back(members.count);
    result.by_class.push_back(sum / options.orders);
    result.within += result.by_class.back() / classes;
    if (progress) progress(label + 1, classes);
  }
  for (const auto& of_order : numbers) result.between += gini_simpson(of_order) / options.orders;
  return result;
}

}  // namespace tobogan::metrics
