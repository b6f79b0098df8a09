// Random numbers by name: every use has its own stream, so that adding an evaluation never changes a training.
//
//   Tensor z = context.rng["latent"].normal({64, 100});
//
// A draw is a pure function of (seed, stream name, step, ordinal of the draw within the step, element): see
// kernels/philox.h.  The step lies in device memory and advances once per training step (engine/step.h does it); the
// ordinals are counted on the host and start again at 0 with every step, so a captured step replays with fresh numbers.
#pragma once
#include <map>
#include <string>
#include <string_view>

#include "engine/tensor.h"
#include "kernels/random.h"

namespace tobogan {

// The key of the stream of that name under a seed: what makes streams, and seeds of parts, independent of each other.
uint64_t stream_key(uint64_t seed, std::string_view name);

class RandomStream {
 public:
  // The next draw.  REQUIRES, of whoever keeps the key: used before the step advances.
  kernels::RandomKey next() { return {key_, draw_++, step_}; }

  // Throws Error unless low <= high.
  Tensor uniform(const Shape& shape, double low = 0, double high = 1);
  // Throws Error for a deviation below 0.
  Tensor normal(const Shape& shape, double mean = 0, double deviation = 1);
  // Normal, drawn anew (in effect) outside two deviations: mean + deviation * a standard normal cut at +-2.
  // By way of the host: not within a captured step.
  Tensor truncated_normal(const Shape& shape, double mean = 0, double deviation = 1);
  // `count` integers uniform in 0..bound-1.
  Indices integers(int64_t count, int bound);

 private:
  friend class Rng;
  RandomStream(uint64_t key, const uint64_t* step, const Device& device) : key_(key), step_(step), device_(device) {}

  uint64_t key_;
  const uint64_t* step_;
  Device device_;
  uint32_t draw_ = 0;
};

class Rng {
 public:
  Rng(uint64_t seed, const Device& device);
  Rng(const Rng&) = delete;
  Rng& operator=(const Rng&) = delete;

  // The stream of that name; the reference stays valid.
  RandomStream& operator[](std::string_view name);
  // The key of a stream: a function of seed and name alone.
  uint64_t key(std::string_view name) const;

  // To the next step: ordinals start again.
  void advance();
  // The number of the step, in device memory.
  const uint64_t* step() const { return step_.data(); }

  // The ordinals of all streams, for who repeats a step's draws without making them (engine/step.h).
  std::map<std::string, uint32_t, std::less<>> draws() const;
  void set_draws(const std::map<std::string, uint32_t, std::less<>>& draws);

  // The state between two steps, for checkpoints: the seed, the step's number and each stream's ordinal.
  std::map<std::string, uint64_t> state() const;
  // Throws Error for what restore() would refuse: a state that is not whole, or of another seed.
  void check_state(const std::map<std::string, uint64_t>& state) const;
  void restore(const std::map<std::string, uint64_t>& state);

 private:
  uint64_t seed_;
  Device device_;
  Array<uint64_t> step_;
  std::map<std::string, RandomStream, std::less<>> streams_;
};

}  // namespace tobogan
