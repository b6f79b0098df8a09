// Optimiser steps on the GPU against the CPU's: many parameters, odd sizes, several launches, a step count on the
// device.
#include <numeric>

#include "kernels/cuda/graph.h"
#include "kernels/optimizer.h"
#include "tests/support/cuda_kernels.h"

namespace tobogan::kernels {
namespace {

constexpr int kSteps = 3;

// All arrays of a model in one, on one machine: parameter p begins at begin[p].
struct Layout {
  std::vector<int64_t> sizes, begin;
  int64_t total = 0;
  explicit Layout(const std::vector<int64_t>& sizes_) : sizes(sizes_) {
    for (const int64_t size : sizes) {
      begin.push_back(total);
      total += size;
    }
  }
  std::vector<ParameterSlot> slots(Real* weight, const Real* grad, Real* first, Real* second) const {
    std::vector<ParameterSlot> all;
    for (size_t p = 0; p < sizes.size(); ++p) {
      all.push_back({weight + begin[p], grad + begin[p], first + begin[p], second + begin[p], sizes[p]});
    }
    return all;
  }
};

// Odd sizes put what follows them off the alignment of float4; the second one needs two launches.
std::vector<Layout> layouts() {
  std::vector<int64_t> many(100, 5);
  many[3] = 0;
  many[99] = 2049;
  return {Layout({4, 4096, 2052, 1, 33, 2047, 3, 0, 100}), Layout(many), Layout({7})};
}

// The worst difference of weights, first and second after kSteps of `kernel(tag, slots, rate, step)`.
template <class Kernel>
double compare(const Kernel& kernel) {
  BothMachines on;
  double worst = 0;
  for (const Layout& layout : layouts()) {
    Reals weight = test_values(layout.total, 41), first = test_values(layout.total, 42);
    Reals second = test_values(layout.total, 43, 0, 1);
    Real rate = Real(0.125);
    uint64_t step = 0;
    const OnGpu<Real> gpu_weight(on.cuda, weight), gpu_first(on.cuda, first), gpu_second(on.cuda, second);
    const OnGpu<Real> gpu_rate(on.cuda, Reals{rate});
    const OnGpu<uint64_t> gpu_step(on.cuda, std::vector<uint64_t>{step});
    for (int t = 0; t < kSteps; ++t) {
      const Reals grad = test_values(layout.total, 44 + static_cast<uint64_t>(t));
      const OnGpu<Real> gpu_grad(on.cuda, grad);
      kernel(on.cpu.tag(), layout.slots(weight.data(), grad.data(), first.data(), second.data()), &rate, &step);
      kernel(on.cuda.tag(), layout.slots(gpu_weight.data(), gpu_grad.data(), gpu_first.data(), gpu_second.data()),
             gpu_rate.data(), gpu_step.data());
    }
    CHECK(gpu_step.host()[0] == step);
    worst = std::max(
        {worst, apart(gpu_weight.host(), weight), apart(gpu_first.host(), first), apart(gpu_second.host(), second)});
  }
  return worst;
}

TEST_CASE("Adam in its two forms") {
  const bool keras = GENERATE(false, true);
  const AdamDims dims{
      .beta1 = Real(0.5), .beta2 = Real(0.999), .epsilon = Real(1e-3), .weight_decay = Real(0.25), .keras_form = keras};
  CHECK(compare([&](auto tag, const auto& slots, const Real* rate, uint64_t* step) {
          adam(tag, dims, slots, rate, step);
        }) < 16 * kRounding);
}

TEST_CASE("RMSProp, SGD with and without momentum, and moving averages") {
  CHECK(compare([](auto tag, const auto& slots, const Real* rate, uint64_t*) {
          rmsprop(tag, Real(0.75), Real(0.0625), Real(0.125), slots, rate);
        }) < 16 * kRounding);
  for (const Real momentum : {Real(0), Real(0.875)}) {
    CHECK(compare([=](auto tag, auto slots, const Real* rate, uint64_t*) {
            if (momentum == 0) {
              for (ParameterSlot& slot : slots) slot.first = nullptr;
            }
            sgd(tag, momentum, Real(0.125), slots, rate);
          }) < 16 * kRounding);
  }
  CHECK(compare([](auto tag, const auto& slots, const Real*, uint64_t*) { moving_average(tag, Real(0.75), slots); }) <
        16 * kRounding);
}

TEST_CASE("a captured step of Adam is one launch and counts on the device") {
  BothMachines on;
  const Cuda cuda = on.cuda.tag();
  const Layout layout({4, 4096, 33});
  const OnGpu<Real> weight(on.cuda, test_values(layout.total, 51)), grad(on.cuda, test_values(layout.total, 52));
  const OnGpu<Real> first(on.cuda, Reals(static_cast<size_t>(layout.total)));
  const OnGpu<Real> second(on.cuda, Reals(static_cast<size_t>(layout.total)));
  const OnGpu<Real> rate(on.cuda, Reals{Real(0.01)});
  const OnGpu<uint64_t> step(on.cuda, std::vector<uint64_t>{0});
  CudaGraph graph(cuda, [&] {
    adam(cuda, {}, layout.slots(weight.data(), grad.data(), first.data(), second.data()), rate.data(), step.data());
  });
  CHECK(graph.launches() == 1);
  for (int t = 0; t < 3; ++t) graph.replay();
  CHECK(step.host()[0] == 3);

  Reals want = test_values(layout.total, 51), m(want.size()), v(want.size());
  const Reals g = test_values(layout.total, 52);
  const Real host_rate = Real(0.01);
  uint64_t host_step = 0;
  for (int t = 0; t < 3; ++t)
    adam(on.cpu.tag(), {}, layout.slots(want.data(), g.data(), m.data(), v.data()), &host_rate, &host_step);
  CHECK(apart(weight.host(), want) < 16 * kRounding);
}

TEST_CASE("a step without parameters only counts") {
  BothMachines on;
  const OnGpu<Real> rate(on.cuda, Reals{1});
  const OnGpu<uint64_t> step(on.cuda, std::vector<uint64_t>{4});
  adam(on.cuda.tag(), {}, {}, rate.data(), step.data());
  CHECK(step.host()[0] == 5);
}

}  // namespace
}  // namespace tobogan::kernels
