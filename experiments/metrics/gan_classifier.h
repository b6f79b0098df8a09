// GAN-train and GAN-test (Shmelkov et al. 2018): what a classifier learns from fakes, and what one that knows the real
// images sees in them.
//
// Training is the experiment's business: it is passed in.
#pragma once
#include <functional>
#include <vector>

#include "datasets/dataset.h"

namespace tobogan::metrics {

// The class of each image.
using Classify = std::function<std::vector<int32_t>(const ImageSet& images)>;
// Trains on a labelled set.
using TrainClassifier = std::function<Classify(const ImageSet& images)>;

// The share of images whose class is found.  Throws Error for no image or a wrong number of answers.
double share_recognised(const Classify& classify, const ImageSet& images);

// Trained on fakes, tested on real images: low where fakes lack quality or variety.
double gan_train_accuracy(const TrainClassifier& train, const ImageSet& fakes, const ImageSet& real_test);
// Trained on real images, tested on fakes: low where fakes lack quality; memorised images score high.
double gan_test_accuracy(const TrainClassifier& train, const ImageSet& real_train, const ImageSet& fakes);

}  // namespace tobogan::metrics
