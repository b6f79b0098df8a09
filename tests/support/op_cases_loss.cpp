// Rows of engine/nn/loss.h.
#include <cmath>

#include "engine/nn/loss.h"
#include "tests/support/op_cases.h"

namespace tobogan {
namespace {

using reference::Plain;

Plain scalar(double value) {
  return Plain(reference::Sizes{}, value);
}

double mean_of(const Plain& x) {
  double sum = 0;
  for (const double value : x.values) sum += value;
  return sum / static_cast<double>(x.values.size());
}

// The mean of f(a, b) over the elements.
OpCase mean_of_pairs(const std::string& name, Tensor (*run)(const Tensor&, const Tensor&),
                     double (*f)(double, double)) {
  return {.name = name,
          .shapes = {{{33, 3}, {33, 3}}, {{2, 3, 5, 3}, {2, 3, 5, 3}}, {{1}, {1}}},
          .run = [=](const OpInputs& in) { return run(in[0], in[1]); },
          .reference = [=](const PlainInputs& in) { return scalar(mean_of(pairwise(in[0], in[1], f))); },
          .tolerance = {.of_largest = 8},
          .asked = {0, 1},
          .refused = {{{4, 3}, {3, 4}}, {{4, 1}, {1, 4}}, {{4, 1}, {4}}, {{4}, {}}}};
}

// -t log p - (1 - t) log(1 - p) of the probability p = sigmoid(l).
double binary_cross_entropy(double logit, double target) {
  const double p = 1 / (1 + std::exp(-logit));
  return -target * std::log(p) - (1 - target) * std::log(1 - p);
}

std::vector<OpCase> cross_entropies() {
  OpCase number = mean_of_pairs("bce_with_logits/number", nullptr, nullptr);
  number.shapes = {{{33, 1}}, {{1}}, {{300, 1}}};
  number.run = [](const OpInputs& in) { return bce_with_logits(in[0], 0.75); };
  number.reference = [](const PlainInputs& in) {
    return scalar(mean_of(each(in[0], [](double l) { return binary_cross_entropy(l, 0.75); })));
  };
  number.asked = {0};
  number.refused = {};
  OpCase gan = number;
  gan.name = "gan_losses";
  gan.shapes = {{{34, 1}}, {{2, 1}}, {{300, 1}}};
  gan.run = [](const OpInputs& in) { return gan_losses(in[0]).discriminator; };
  gan.reference = [](const PlainInputs& in) {
    double sum = 0;
    const size_t pairs = in[0].values.size() / 2;
    for (size_t i = 0; i < 2 * pairs; ++i) sum += binary_cross_entropy(in[0].values[i], i < pairs ? 1 : 0);
    return scalar(sum / (2.0 * static_cast<double>(pairs)));
  };
  gan.refused = {{{33, 1}}, {{34, 2}}};
  OpCase weighted = mean_of_pairs("bce_with_logits/weighted", nullptr, nullptr);
  weighted.shapes = {{{33, 1}, {33, 1}, {33, 1}}, {{5}, {5}, {5}}};
  weighted.run = [](const OpInputs& in) { return bce_with_logits(in[0], in[1], in[2]); };
  weighted.reference = [](const PlainInputs& in) {
    const Plain loss = pairwise(in[0], in[1], binary_cross_entropy);
    return scalar(mean_of(pairwise(loss, in[2], [](double a, double b) { return a * b; })));
  };
  weighted.asked = {0, 1, 2};
  weighted.refused = {{{4, 1}, {1, 4}, {4, 1}}, {{4, 1}, {4, 1}, {1, 4}}};
  OpCase classes = {.name = "cross_entropy",
                    .shapes = {{{33, 3}}, {{5, 10}}, {{1, 1}}},
                    .large = {{4096, 10}},
                    .low = -6,
                    .high = 6,
                    .run =
                        [](const OpInputs& in) {
                          const Shape& s = in[0].shape();
                          return cross_entropy(in[0], in.indices(s[0], s[1]));
                        },
                    .reference =
                        [](const PlainInputs& in) {
                          const Plain logs = log_softmax(in[0]);
                          double sum = 0;
                          for (int r = 0; r < logs.sizes[0]; ++r) sum -= logs.at(r, some_index(r, logs.sizes[1]));
                          return scalar(sum / logs.sizes[0]);
                        },
                    .tolerance = {.of_largest = 8},
                    .refused = {{{2, 3, 4, 5}}}};
  return {mean_of_pairs("bce_with_logits", bce_with_logits, binary_cross_entropy), number, gan, weighted, classes};
}

// For the critic D(x) = 1/2 sum of w x^2, whose slope is w m, at m = u real + (1 - u) fake.
OpCase penalty() {
  return {.name = "gradient_penalty",
          .shapes = {{{3, 2, 3, 1}, {3, 2, 3, 1}, {3, 1, 1, 1}, {1, 2, 3, 1}}, {{5, 7}, {5, 7}, {5, 1}, {1, 7}}},
          .run =
              [](const OpInputs& in) {
                return gradient_penalty(
                    [&](const Tensor& x) {
                      return reshape(sum_samples(in[3] * square(x)) / 2, {x.shape()[0], 1});
                    },
                    in[0], in[1], in[2]);
              },
          .reference =
              [](const PlainInputs& in) {
                const auto times = [](double a, double b) { return a * b; };
                const Plain rest = each(in[2], [](double u) { return 1 - u; });
                const Plain mixed = pairwise(pairwise(in[2], in[0], times), pairwise(rest, in[1], times),
                                             [](double a, double b) { return a + b; });
                const Plain slope = pairwise(in[3], mixed, times);
                reference::Sizes samples(slope.sizes.size(), 1);
                samples[0] = slope.sizes[0];
                const Plain norms = sum_to(pairwise(slope, slope, times), samples);
                return scalar(mean_of(each(norms, [](double n) { return std::pow(std::sqrt(n + 1e-12) - 1, 2); })));
              },
          .tolerance = {.of_largest = 16},
          .asked = {3},
          .refused = {{{3, 2, 3, 1}, {3, 2, 3, 2}, {3, 1, 1, 1}, {1, 2, 3, 1}}}};
}

}  // namespace

std::vector<OpCase> loss_cases() {
  std::vector<OpCase> rows = cross_entropies();
  rows.push_back(mean_of_pairs("mse_loss", mse_loss, [](double a, double b) { return (a - b) * (a - b); }));
  rows.push_back(mean_of_pairs("l1_loss", l1_loss, [](double a, double b) { return std::abs(a - b); }));
  rows.push_back(penalty());
  return rows;
}

}  // namespace tobogan
