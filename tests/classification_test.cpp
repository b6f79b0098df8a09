// Accuracy and its relatives against scikit-learn, and GAN-train and GAN-test with a classifier of a few lines.
#include "experiments/metrics/classification.h"

#include <cmath>

#include "experiments/metrics/gan_classifier.h"
#include "tests/support/catch.h"
#include "tests/support/hostile.h"
#include "tests/support/metrics_golden.h"

namespace tobogan::metrics {
namespace {

using Catch::Matchers::ContainsSubstring;

TEST_CASE("several classes: scikit-learn's numbers, with a class that is never predicted") {
  const nlohmann::json wanted = golden("classification");
  const std::vector<int32_t> truth = labels_of(wanted["truth"]), predicted = labels_of(wanted["predicted"]);
  const Confusion counts = confusion(truth, predicted, 4);
  CHECK((counts.cast<double>() == matrix_of(wanted["confusion"])));
  CHECK(accuracy(counts) == Approx(wanted["accuracy"].get<double>()).epsilon(1e-12));
  CHECK(accuracy(truth, predicted) == accuracy(counts));
  CHECK(macro_precision(counts) == Approx(wanted["macro_precision"].get<double>()).epsilon(1e-12));
  CHECK(macro_recall(counts) == Approx(wanted["macro_recall"].get<double>()).epsilon(1e-12));
  CHECK(precision(counts, 2) == 0);
  CHECK(macro_precision(confusion(truth, predicted, 5)) == Approx(macro_precision(counts) * 4 / 5));
}

TEST_CASE("two classes by probability: scikit-learn's numbers") {
  const nlohmann::json wanted = golden("classification");
  const auto scores = binary_scores(labels_of(wanted["label"]), wanted["probability"].get<std::vector<double>>());
  CHECK(scores.accuracy == Approx(wanted["binary_accuracy"].get<double>()).epsilon(1e-12));
  CHECK(scores.precision == Approx(wanted["precision"].get<double>()).epsilon(1e-12));
  CHECK(scores.recall == Approx(wanted["recall"].get<double>()).epsilon(1e-12));
  CHECK(scores.mse == Approx(wanted["mse"].get<double>()).epsilon(1e-12));
  CHECK(scores.bce == Approx(wanted["bce"].get<double>()).epsilon(1e-12));
}

TEST_CASE("two classes by hand: the threshold itself is class 0, 0 / 0 is 0, certainty stays finite") {
  const std::vector<int32_t> truth = {1, 1, 0};
  const std::vector<double> never = {0.5, 0.1, 0.2};
  const BinaryScores scores = binary_scores(truth, never);
  CHECK(scores.precision == 0);
  CHECK(scores.recall == 0);
  CHECK(scores.accuracy == Approx(1 / 3.0));
  CHECK(binary_scores(truth, never, 0.4).recall == 0.5);
  CHECK(binary_scores(std::vector<int32_t>{1}, std::vector<double>{0}).bce == Approx(-std::log(1e-7)));
}

TEST_CASE("classification refuses what it cannot count") {
  const std::vector<int32_t> two = {0, 1}, three = {0, 1, 2}, none;
  CHECK_THAT(refusal([&] { confusion(two, three, 3); }), ContainsSubstring("3 for 2"));
  CHECK_THAT(refusal([&] { confusion(three, three, 2); }), ContainsSubstring("label 2 of sample 2"));
  CHECK_THAT(refusal([&] { accuracy(none, none); }), ContainsSubstring("got 0"));
  CHECK_THAT(refusal([&] { precision(confusion(two, two, 2), 2); }), ContainsSubstring("no class 2"));
  CHECK_THAT(refusal([&] { binary_scores(two, std::vector<double>{0.5, 1.5}); }), ContainsSubstring("1.5"));
  CHECK_THAT(refusal([&] { binary_scores(two, std::vector<double>{0.5, NAN}); }), ContainsSubstring("nan"));
  CHECK_THAT(refusal([&] { binary_scores(std::vector<int32_t>{2}, std::vector<double>{0.5}); }),
             ContainsSubstring("got 2"));
}

ImageSet pixels_and_labels(std::vector<uint8_t> pixels, std::vector<int32_t> labels) {
  return {.count = static_cast<int>(labels.size()),
          .channels = 1,
          .height = 1,
          .width = 1,
          .pixels = std::move(pixels),
          .labels = std::move(labels),
          .class_names = {"dark", "bright"}};
}

TEST_CASE("GAN-train learns from fakes, GAN-test judges them") {
  // Learns the lightest pixel of class 1.
  const TrainClassifier train = [](const ImageSet& images) -> Classify {
    int lightest = 256;
    for (int i = 0; i < images.count; ++i) {
      if (images.labels[i] == 1) lightest = std::min<int>(lightest, images.pixels[i]);
    }
    return [lightest](const ImageSet& asked) {
      std::vector<int32_t> labels;
      for (const uint8_t pixel : asked.pixels) labels.push_back(pixel >= lightest);
      return labels;
    };
  };
  const ImageSet real = pixels_and_labels({0, 50, 100, 200}, {0, 0, 1, 1});
  const ImageSet narrow = pixels_and_labels({10, 200, 210}, {0, 1, 1});  // class 1 lacks variety
  CHECK(gan_train_accuracy(train, narrow, real) == 0.75);
  CHECK(gan_test_accuracy(train, real, narrow) == 1);
  const Classify silent = [](const ImageSet&) { return std::vector<int32_t>(); };
  CHECK_THAT(refusal([&] { share_recognised(silent, real); }), ContainsSubstring("0 for 4"));
}

}  // namespace
}  // namespace tobogan::metrics
