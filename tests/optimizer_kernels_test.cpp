// Optimiser steps over several parameters against the formulas in double.
#include <numeric>

#include "kernels/optimizer.h"
#include "tests/support/kernels.h"

namespace tobogan::kernels {
namespace {

constexpr int kSteps = 5;

// Parameters whose borders fall inside chunks, with a gradient for every step.
struct Model {
  std::vector<int64_t> sizes = {1, 33, 20000, 3, 0, 16384, 1000};
  std::vector<Reals> weight, grad, first, second;

  Model() {
    for (size_t p = 0; p < sizes.size(); ++p) {
      weight.push_back(test_values(sizes[p], 40 + p));
      grad.push_back(test_values(sizes[p], 50 + p));
      first.emplace_back(static_cast<size_t>(sizes[p]));
      second.emplace_back(static_cast<size_t>(sizes[p]));
    }
  }
  std::vector<ParameterSlot> slots() {
    std::vector<ParameterSlot> all;
    for (size_t p = 0; p < sizes.size(); ++p) {
      all.push_back({weight[p].data(), grad[p].data(), first[p].data(), second[p].data(), sizes[p]});
    }
    return all;
  }
  // The gradient of the next step.
  void change_gradients() {
    for (auto& values : grad)
      for (Real& g : values) g = Real(1.5) - g * Real(0.75);
  }
  Reals weights() const {
    Reals all;
    for (const auto& values : weight) all.insert(all.end(), values.begin(), values.end());
    return all;
  }
};

// One parameter of the formula.
struct Plain {
  double w, g, m = 0, v = 0;
};

// The worst error of kSteps steps of `kernel`, with any number of threads, against `formula(parameter, t)`.
template <class Kernel, class Formula>
double compare(const Kernel& kernel, const Formula& formula) {
  const Reals got = same_for_any_threads([&](Cpu cpu) {
    Model model;
    uint64_t step = 0;
    Real rate = Real(0.125);
    for (int t = 0; t < kSteps; ++t, rate /= 2, model.change_gradients()) kernel(cpu, model.slots(), &rate, &step);
    return model.weights();
  });
  std::vector<Plain> plain;
  const Model start;
  for (size_t p = 0; p < start.sizes.size(); ++p) {
    for (size_t i = 0; i < start.weight[p].size(); ++i) {
      plain.push_back({static_cast<double>(start.weight[p][i]), static_cast<double>(start.grad[p][i])});
    }
  }
  double rate = 0.125;
  for (int t = 1; t <= kSteps; ++t, rate /= 2) {
    for (Plain& p : plain) {
      formula(p, t, rate);
      p.g = static_cast<double>(Real(1.5) - static_cast<Real>(p.g) * Real(0.75));
    }
  }
  return worst_error(got, [&](int64_t i) { return plain[static_cast<size_t>(i)].w; });
}

TEST_CASE("Adam in its two forms, with and without weight decay") {
  const bool keras = GENERATE(false, true);
  const double decay = GENERATE(0.0, 0.25);
  const double epsilon = 1e-3;  // large enough to tell the two forms apart
  const AdamDims dims{.beta1 = Real(0.5),
                      .beta2 = Real(0.875),
                      .epsilon = Real(epsilon),
                      .weight_decay = static_cast<Real>(decay),
                      .keras_form = keras};
  const double error = compare(
      [&](Cpu cpu, const auto& slots, const Real* rate, uint64_t* step) {
        const uint64_t before = *step;
        adam(cpu, dims, slots, rate, step);
        REQUIRE(*step == before + 1);
      },
      [&](Plain& p, int t, double rate) {
        const double g = p.g + decay * p.w;
        p.m = 0.5 * p.m + 0.5 * g;
        p.v = 0.875 * p.v + 0.125 * g * g;
        const double c1 = 1 - std::pow(0.5, t), c2 = 1 - std::pow(0.875, t);
        p.w -= keras ? rate * std::sqrt(c2) / c1 * p.m / (std::sqrt(p.v) + epsilon)
                     : rate * (p.m / c1) / (std::sqrt(p.v / c2) + epsilon);
      });
  CHECK(error < 64 * kRounding);
}

TEST_CASE("RMSProp in TF1's form") {
  const double error = compare([](Cpu cpu, const auto& slots, const Real* rate,
                                  uint64_t*) { rmsprop(cpu, Real(0.75), Real(0.0625), Real(0.125), slots, rate); },
                               [](Plain& p, int, double rate) {
                                 const double g = p.g + 0.125 * p.w;
                                 p.v = 0.75 * p.v + 0.25 * g * g;
                                 p.w -= rate * g / std::sqrt(p.v + 0.0625);
                               });
  CHECK(error < 64 * kRounding);
}

TEST_CASE("SGD with and without momentum") {
  const double momentum = GENERATE(0.0, 0.875);
  const double error = compare(
      [&](Cpu cpu, auto slots, const Real* rate, uint64_t*) {
        if (momentum == 0) {
          for (ParameterSlot& slot : slots) slot.first = nullptr;
        }
        sgd(cpu, static_cast<Real>(momentum), Real(0.125), slots, rate);
      },
      [&](Plain& p, int, double rate) {
        p.m = momentum * p.m + p.g + 0.125 * p.w;
        p.w -= rate * p.m;
      });
  CHECK(error < 64 * kRounding);
}

TEST_CASE("moving average") {
  CpuMachine on(3);
  Model model;
  for (int t = 0; t < kSteps; ++t) moving_average(on.tag(), Real(0.75), model.slots());
  for (size_t p = 0; p < model.sizes.size(); ++p) {
    CHECK(worst_error(model.first[p], [&](int64_t i) {
            return (1 - std::pow(0.75, kSteps)) * static_cast<double>(model.weight[p][static_cast<size_t>(i)]);
          }) < 8 * kRounding);
  }
}

TEST_CASE("a step without parameters only counts") {
  CpuMachine on(2);
  uint64_t step = 4;
  const Real rate = 1;
  adam(on.tag(), {}, {}, &rate, &step);
  CHECK(step == 5);
}

}  // namespace
}  // namespace tobogan::kernels
