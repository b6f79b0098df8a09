// Streams are keyed by a hash of seed and name; everything else is the kernels'.
#include "engine/random.h"

#include <cmath>

namespace tobogan {

// FNV-1a over the seed's bytes and the name, finished by SplitMix64's mixer, so that near names have far keys.
uint64_t stream_key(uint64_t seed, std::string_view name) {
  uint64_t hash = 0xcbf29ce484222325u;
  auto add = [&](uint8_t byte) { hash = (hash ^ byte) * 0x100000001b3u; };
  for (int i = 0; i < 8; ++i) add(static_cast<uint8_t>(seed >> (8 * i)));
  for (char c : name) add(static_cast<uint8_t>(c));
  hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9u;
  hash = (hash ^ (hash >> 27)) * 0x94d049bb133111ebu;
  return hash ^ (hash >> 31);
}

Tensor RandomStream::uniform(const Shape& shape, double low, double high) {
  check(low <= high, "uniform: expected low <= high, got ", low, " and ", high);
  Tensor y(shape, device_);
  dispatch(device_, [&](auto on) {
    kernels::uniform(on, next(), y.count(), static_cast<Real>(low), static_cast<Real>(high), y.data());
  });
  return y;
}

Tensor RandomStream::normal(const Shape& shape, double mean, double deviation) {
  check(deviation >= 0, "normal: expected a deviation of at least 0, got ", deviation);
  Tensor y(shape, device_);
  dispatch(device_, [&](auto on) {
    kernels::normal(on, next(), y.count(), static_cast<Real>(mean), static_cast<Real>(deviation), y.data());
  });
  return y;
}

// By the inverse of the distribution function, which needs one uniform an element and no loop:
// a normal within +-2 is probit(u) for u uniform in (probit^-1(-2), probit^-1(2)).  On the host: initialisers only.
Tensor RandomStream::truncated_normal(const Shape& shape, double mean, double deviation) {
  constexpr double kTail = 0.022750131948179209;  // the normal distribution function at -2
  std::vector<Real> values = uniform(shape, kTail, 1 - kTail).to_host();
  for (Real& value : values) {
    double low = -2, high = 2;  // bisect: 53 halvings reach double precision
    for (int i = 0; i < 53; ++i) {
      const double middle = (low + high) / 2;
      (std::erfc(-middle / std::sqrt(2.0)) / 2 < value ? low : high) = middle;
    }
    value = static_cast<Real>(mean + deviation * (low + high) / 2);
  }
  return Tensor::from_host(shape, values, device_);
}

Indices RandomStream::integers(int64_t count, int bound) {
  check(bound >= 1, "integers: expected a bound of at least 1, got ", bound);
  Indices y(count, device_);
  dispatch(device_, [&](auto on) { kernels::random_integers(on, next(), count, bound, y.data()); });
  return y;
}

Rng::Rng(uint64_t seed, const Device& device) : seed_(seed), device_(device), step_(1, device) {
  step_.set(std::vector<uint64_t>{0});
}

RandomStream& Rng::operator[](std::string_view name) {
  const auto found = streams_.find(name);
  if (found != streams_.end()) return found->second;
  return streams_.emplace(name, RandomStream(key(name), step_.data(), device_)).first->second;
}

uint64_t Rng::key(std::string_view name) const {
  return stream_key(seed_, name);
}

void Rng::advance() {
  dispatch(device_, [&](auto on) { kernels::advance(on, 1, step_.data()); });
  for (auto& [name, stream] : streams_) stream.draw_ = 0;
}

std::map<std::string, uint32_t, std::less<>> Rng::draws() const {
  std::map<std::string, uint32_t, std::less<>> draws;
  for (const auto& [name, stream] : streams_) draws[name] = stream.draw_;
  return draws;
}

void Rng::set_draws(const std::map<std::string, uint32_t, std::less<>>& draws) {
  for (auto& [name, stream] : streams_) {
    const auto found = draws.find(name);
    stream.draw_ = found == draws.end() ? 0 : found->second;
  }
}

std::map<std::string, uint64_t> Rng::state() const {
  std::map<std::string, uint64_t> state{{"seed", seed_}, {"step", step_.to_host()[0]}};
  for (const auto& [name, stream] : streams_) state["draws." + name] = stream.draw_;
  return state;
}

void Rng::check_state(const std::map<std::string, uint64_t>& state) const {
  for (const char* name : {"seed", "step"})
    check(state.contains(name), "the state of random numbers has no \"", name, "\"");
  check(state.at("seed") == seed_, "the random numbers had the seed ", state.at("seed"), ", not ", seed_);
}

void Rng::restore(const std::map<std::string, uint64_t>& state) {
  check_state(state);
  for (auto& [name, stream] : streams_) stream.draw_ = 0;
  for (const auto& [name, value] : state) {
    if (name == "step") step_.set(std::vector<uint64_t>{value});
    if (name.starts_with("draws.")) (*this)[name.substr(6)].draw_ = static_cast<uint32_t>(value);
  }
}

}  // namespace tobogan
