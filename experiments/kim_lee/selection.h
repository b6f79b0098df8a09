// Fakes on demand, and those among them that are good enough to be used.
#pragma once
#include <functional>

#include "datasets/batches.h"
#include "experiments/kim_lee/plan.h"
#include "models/cluster_gan.h"

namespace tobogan::kim_lee {

// One fake for each label.
using DrawFakes = std::function<ImageSet(std::span<const int32_t> labels)>;

// Of the generator as it stands (in training or in use), with noise from the named stream.
ImageSet draw_cluster_fakes(ClusterGenerator& generator, const ImageSet& form, std::span<const int32_t> labels,
                            double noise, const std::string& stream);

// Makes the generator ready to be drawn from.
void set_statistics(ClusterGenerator& generator, Statistics statistics, double noise);

struct SelectionOptions {
  int per_class;
  double p_min;
  int draws_per_wanted = 20;  // at most; a class that is not full by then stays short
};

struct Selected {
  ImageSet images;         // class after class, in drawing order
  std::vector<int> drawn;  // of each class
};

// Qualified fakes: those to which the classifier gives the class they were asked for, with a probability of at least
// p_min.
Selected select_qualified(const ImageSet& form, const DrawFakes& draw,
                          const std::function<Tensor(const Tensor&)>& logits, const Device& device,
                          const SelectionOptions& options);

}  // namespace tobogan::kim_lee
