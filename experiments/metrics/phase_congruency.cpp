// The numbers are those of the authors of FSIM: 4 scales from wavelength 6 by factors of 2, 4 orientations.
#include "experiments/metrics/phase_congruency.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace tobogan::metrics {
namespace {

using std::numbers::pi;

constexpr double kShortestWave = 6, kWaveFactor = 2, kBandwidth = 0.55, kAngularRatio = 1.2;
constexpr double kNoiseDeviations = 2, kTiny = 1e-4;

Eigen::MatrixXcd fourier_matrix(int size) {
  Eigen::MatrixXcd matrix(size, size);
  for (int64_t j = 0; j < size; ++j) {
    for (int64_t k = 0; k < size; ++k)
      matrix(j, k) = std::polar(1.0, -2 * pi * static_cast<double>(j * k % size) / size);
  }
  return matrix;
}

// The frequency at a place of a transform, in cycles a pixel, -1/2..1/2.
double frequency(int place, int size) {
  return static_cast<double>(place < (size + 1) / 2 ? place : place - size) / size;
}

// Low pass (Butterworth), so that the corners of the plane favour no orientation.
double low_pass(double radius) {
  return 1 / (1 + std::pow(radius / 0.45, 30));
}

double radial(double radius, int scale) {
  if (radius == 0) return 0;
  const double ratio = std::log(radius * kShortestWave * std::pow(kWaveFactor, scale)) / std::log(kBandwidth);
  return std::exp(-ratio * ratio / 2) * low_pass(radius);
}

double angular(double difference, int orientations) {
  const double wrapped = std::atan2(std::sin(difference), std::cos(difference));
  const double spread = pi / orientations / kAngularRatio;
  return std::exp(-wrapped * wrapped / (2 * spread * spread));
}

// The mean of the two middle values, or the middle one.
double median(Eigen::ArrayXXd values) {
  double* begin = values.data();
  double* end = begin + values.size();
  double* middle = begin + values.size() / 2;
  std::nth_element(begin, middle, end);
  return values.size() % 2 ? *middle : (*middle + *std::max_element(begin, middle)) / 2;
}

}  // namespace

PhaseCongruency::PhaseCongruency(int height, int width)
    : forward_rows_(fourier_matrix(height)), forward_columns_(fourier_matrix(width)) {
  make_filters(height, width);
  weigh_noise();
}

void PhaseCongruency::make_filters(int height, int width) {
  for (int orientation = 0; orientation < kOrientations; ++orientation) {
    for (int scale = 0; scale < kScales; ++scale) {
      Image filter(height, width);
      for (int y = 0; y < height; ++y) {
        for (int x = 0; x < width; ++x) {
          const double u = frequency(x, width), v = frequency(y, height);
          const double turn = std::atan2(-v, u) - orientation * pi / kOrientations;
          filter(y, x) = radial(std::hypot(u, v), scale) * angular(turn, kOrientations);
        }
      }
      filters_.push_back(std::move(filter));
    }
  }
}

void PhaseCongruency::weigh_noise() {
  for (int orientation = 0; orientation < kOrientations; ++orientation) {
    std::vector<Image> responses;
    const double scale = std::sqrt(static_cast<double>(filter(0, 0).size()));
    for (int s = 0; s < kScales; ++s)
      responses.push_back(scale * inverse(filter(orientation, s).matrix().cast<std::complex<double>>()).real().array());
    double squares = 0, products = 0;
    for (int s = 0; s < kScales; ++s) {
      squares += responses[s].square().sum();
      for (int t = s + 1; t < kScales; ++t) products += (responses[s] * responses[t]).sum();
    }
    noise_gain_.push_back((2 * squares + 4 * products) / filter(orientation, 0).square().sum());
  }
}

PhaseCongruency::Spectrum PhaseCongruency::transform(const Spectrum& image) const {
  return forward_rows_ * image * forward_columns_;
}

PhaseCongruency::Spectrum PhaseCongruency::inverse(const Spectrum& spectrum) const {
  const Spectrum rows = forward_rows_.conjugate() * spectrum;
  return rows * forward_columns_.conjugate() / static_cast<double>(spectrum.size());
}

// Energy that noise reaches: the finest scale is taken for noise, whose amplitudes are then Rayleigh distributed.
double PhaseCongruency::noise_threshold(int orientation, const Image& finest_amplitude) const {
  const double power = median(finest_amplitude.square()) / -std::log(0.5);
  const double tau = std::sqrt(power * noise_gain_[orientation] / 2);
  const double mean = tau * std::sqrt(pi / 2), deviation = std::sqrt((2 - pi / 2) * tau * tau);
  return (mean + kNoiseDeviations * deviation) / 1.7;
}

PhaseCongruency::Image PhaseCongruency::operator()(const Image& image) const {
  const Spectrum spectrum = transform(image.matrix().cast<std::complex<double>>());
  Image total_energy = Image::Zero(image.rows(), image.cols()), total_amplitude = total_energy;
  Image even[kScales], odd[kScales];
  for (int orientation = 0; orientation < kOrientations; ++orientation) {
    Image even_sum = Image::Zero(image.rows(), image.cols()), odd_sum = even_sum, finest;
    for (int s = 0; s < kScales; ++s) {
      const Spectrum response = inverse(spectrum.cwiseProduct(filter(orientation, s).matrix()));
      even[s] = response.real();
      odd[s] = response.imag();
      even_sum += even[s];
      odd_sum += odd[s];
      const Image amplitude = (even[s].square() + odd[s].square()).sqrt();
      total_amplitude += amplitude;
      if (s == 0) finest = amplitude;
    }
    const Image length = (even_sum.square() + odd_sum.square()).sqrt() + kTiny;
    const Image even_mean = even_sum / length, odd_mean = odd_sum / length;
    Image energy = Image::Zero(image.rows(), image.cols());
    for (int s = 0; s < kScales; ++s)
      energy += even[s] * even_mean + odd[s] * odd_mean - (even[s] * odd_mean - odd[s] * even_mean).abs();
    total_energy += (energy - noise_threshold(orientation, finest)).max(0);
  }
  return (total_energy + kTiny) / (total_amplitude + kTiny);
}

}  // namespace tobogan::metrics
