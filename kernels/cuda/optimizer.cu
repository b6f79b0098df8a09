// Optimiser steps: one launch for all parameters, whose pointers travel as a kernel parameter.  A block takes a piece
// of one slot.
#include <algorithm>
#include <cmath>

#include "kernels/cuda/flat.cuh"
#include "kernels/cuda/machine.h"
#include "kernels/optimizer.h"

namespace tobogan::kernels {
namespace {

constexpr int kBlock = 256;
constexpr int kPiece = 2 * 4 * kBlock;  // elements of a block, two runs of four for each thread
constexpr int kSlots = 80;              // in one launch: kernel parameters are 4 KiB

struct Slots {
  ParameterSlot slot[kSlots];
  unsigned first_block[kSlots];  // of each slot's blocks
  uint8_t vector[kSlots];        // whether float4 may be loaded
  int count = 0;
  unsigned blocks = 0;

  void add(const ParameterSlot& one) {
    slot[count] = one;
    first_block[count] = blocks;
    vector[count] = aligned({one.weight, one.grad, one.first, one.second});
    blocks += ceil_div(size_t(one.size), kPiece);
    ++count;
  }
  __device__ int of_block(unsigned block) const {
    int low = 0, high = count;  // first_block[low] <= block < first_block[high]
    while (high - low > 1) {
      const int middle = (low + high) / 2;
      (first_block[middle] <= block ? low : high) = middle;
    }
    return low;
  }
};

// One element of each array, before and after.
struct Element {
  float weight, grad, first, second;
};

// Rules: prepare() is what a step needs beside its constants, worked out by one thread of a block; update() makes the
// step of one element.  kGrad, kFirst and kSecond say which arrays are read, kWeight, kFirst and kSecond which are
// written.
struct Adam {
  static constexpr bool kWeight = true, kGrad = true, kFirst = true, kSecond = true;
  float beta1, beta2, epsilon, decay;
  double log_beta1, log_beta2;
  bool keras_form;
  const float* rate;
  const uint64_t* step;

  // Both forms are w -= size * m / (root * sqrt(v) + epsilon).
  __device__ float2 prepare() const {
    const double t = double(*step + 1);
    const double correction1 = -expm1(t * log_beta1), correction2 = -expm1(t * log_beta2);
    const double size = double(*rate) * (keras_form ? sqrt(correction2) : 1) / correction1;
    return make_float2(float(size), float(keras_form ? 1 : 1 / sqrt(correction2)));
  }
  __device__ void update(const float2& prepared, Element& e) const {
    const float g = fmaf(decay, e.weight, e.grad);
    e.first = fmaf(beta1, e.first, (1 - beta1) * g);
    e.second = fmaf(beta2, e.second, (1 - beta2) * (g * g));
    e.weight -= prepared.x * e.first / fmaf(prepared.y, sqrtf(e.second), epsilon);
  }
};

struct RmsProp {
  static constexpr bool kWeight = true, kGrad = true, kFirst = false, kSecond = true;
  float keep, epsilon, decay;
  const float* rate;

  __device__ float2 prepare() const { return make_float2(*rate, 0); }
  __device__ void update(const float2& prepared, Element& e) const {
    const float g = fmaf(decay, e.weight, e.grad);
    e.second = fmaf(keep, e.second, (1 - keep) * (g * g));
    e.weight -= prepared.x * g / sqrtf(e.second + epsilon);
  }
};

template <bool kMomentum>
struct Sgd {
  static constexpr bool kWeight = true, kGrad = true, kFirst = kMomentum, kSecond = false;
  float momentum, decay;
  const float* rate;

  __device__ float2 prepare() const { return make_float2(*rate, 0); }
  __device__ void update(const float2& prepared, Element& e) const {
    e.first = fmaf(momentum, e.first, fmaf(decay, e.weight, e.grad));
    e.weight = fmaf(-prepared.x, e.first, e.weight);
  }
};

struct MovingAverage {
  static constexpr bool kWeight = false, kGrad = false, kFirst = true, kSecond = false;
  float keep;

  __device__ float2 prepare() const { return make_float2(0, 0); }
  __device__ void update(const float2&, Element& e) const { e.first = fmaf(keep, e.first, (1 - keep) * e.weight); }
};

// Up to four neighbouring elements of a slot.
template <class Rule>
class Run {
 public:
  __device__ Run(const ParameterSlot& slot, int64_t at, bool vector)
      : slot_(slot), at_(at), whole_(vector && at + 4 <= slot.size) {
    weight_ = load(slot.weight);
    if constexpr (Rule::kGrad) grad_ = load(slot.grad);
    if constexpr (Rule::kFirst) first_ = load(slot.first);
    if constexpr (Rule::kSecond) second_ = load(slot.second);
  }

  __device__ void update(const Rule& rule, const float2& prepared) {
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      Element e{weight_.v[j], grad_.v[j], first_.v[j], second_.v[j]};
      rule.update(prepared, e);
      weight_.v[j] = e.weight;
      first_.v[j] = e.first;
      second_.v[j] = e.second;
    }
    if constexpr (Rule::kWeight) store(slot_.weight, weight_);
    if constexpr (Rule::kFirst) store(slot_.first, first_);
    if constexpr (Rule::kSecond) store(slot_.second, second_);
  }

 private:
  __device__ Four load(const float* p) const {
    if (whole_) return load_vector_four(p + at_);
    Four four{};
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      if (at_ + j < slot_.size) four.v[j] = p[at_ + j];
    }
    return four;
  }
  __device__ void store(float* p, const Four& four) const {
    if (whole_) return store_vector_four(p + at_, four);
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      if (at_ + j < slot_.size) p[at_ + j] = four.v[j];
    }
  }

  const ParameterSlot& slot_;
  int64_t at_;
  bool whole_;
  Four weight_, grad_{}, first_{}, second_{};
};

// `step`, where not null, is advanced by the last block to finish, when all have read it.  What the first thread works
// out takes as long as the loads of the others.
template <class Rule>
__global__ void __launch_bounds__(kBlock)
    optimizer_kernel(const __grid_constant__ Slots slots, Rule rule, uint64_t* step, unsigned* counter) {
  SHARED(float2, prepared, [1]);
  const int own = slots.of_block(blockIdx.x);
  const ParameterSlot& slot = slots.slot[own];
  const int64_t at = int64_t{blockIdx.x - slots.first_block[own]} * kPiece + 4 * int(threadIdx.x);
  Run<Rule> first(slot, at, slots.vector[own]), second(slot, at + 4 * kBlock, slots.vector[own]);
  if (threadIdx.x == 0) prepared[0] = rule.prepare();
  __syncthreads();
  first.update(rule, prepared[0]);
  second.update(rule, prepared[0]);
  // Nothing is published, and only the first thread has read *step: it alone counts.
  if (step == nullptr || threadIdx.x != 0) return;
  __threadfence();  // it has read before it counts
  if (atomicInc(counter, gridDim.x - 1) == gridDim.x - 1) *step += 1;
}

__global__ void __launch_bounds__(32) count_step_kernel(uint64_t* step) {
  if (threadIdx.x == 0) *step += 1;
}

// One launch for every kSlots slots that are not empty; the last of them advances `step`.
template <class Rule>
void update(Cuda on, std::span<const ParameterSlot> all, const Rule& rule, uint64_t* step) {
  std::vector<ParameterSlot> some;
  for (const ParameterSlot& slot : all) {
    if (slot.size > 0) some.push_back(slot);
  }
  if (some.empty() && step != nullptr) Launch<32>{.grid = 1, .stream = on.stream}(count_step_kernel, step);
  for (size_t begin = 0; begin < some.size(); begin += kSlots) {
    const size_t end = std::min(begin + kSlots, some.size());
    Slots slots{};
    for (size_t i = begin; i < end; ++i) slots.add(some[i]);
    Launch<kBlock>{.grid = slots.blocks, .stream = on.stream}(
        optimizer_kernel<Rule>, slots, rule, end == some.size() ? step : nullptr, on.machine->counters());
  }
}

}  // namespace

void adam(Cuda on, const AdamDims& dims, std::span<const ParameterSlot> slots, const Real* rate, uint64_t* step) {
  update(on, slots,
         Adam{dims.beta1, dims.beta2, dims.epsilon, dims.weight_decay, std::log(double(dims.beta1)),
              std::log(double(dims.beta2)), dims.keras_form, rate, step},
         step);
}

void rmsprop(Cuda on, Real decay, Real epsilon, Real weight_decay, std::span<const ParameterSlot> slots,
             const Real* rate) {
  update(on, slots, RmsProp{decay, epsilon, weight_decay, rate}, nullptr);
}

void sgd(Cuda on, Real momentum, Real weight_decay, std::span<const ParameterSlot> slots, const Real* rate) {
  if (momentum == 0) return update(on, slots, Sgd<false>{0, weight_decay, rate}, nullptr);
  update(on, slots, Sgd<true>{momentum, weight_decay, rate}, nullptr);
}

void moving_average(Cuda on, Real decay, std::span<const ParameterSlot> slots) {
  update(on, slots, MovingAverage{decay}, nullptr);
}

}  // namespace tobogan::kernels
