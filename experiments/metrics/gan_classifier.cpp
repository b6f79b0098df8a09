// The same share of recognised images, with training and test sets exchanged.
#include "experiments/metrics/gan_classifier.h"

#include "experiments/metrics/classification.h"

namespace tobogan::metrics {

double share_recognised(const Classify& classify, const ImageSet& images) {
  return accuracy(images.labels, classify(images));
}

double gan_train_accuracy(const TrainClassifier& train, const ImageSet& fakes, const ImageSet& real_test) {
  return share_recognised(train(fakes), real_test);
}

double gan_test_accuracy(const TrainClassifier& train, const ImageSet& real_train, const ImageSet& fakes) {
  return share_recognised(train(real_train), fakes);
}

}  // namespace tobogan::metrics
