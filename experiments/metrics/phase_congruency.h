// Phase congruency (Kovesi 1999) with the constants of FSIM: where, and how clearly, the waves that make up an image
// are in step.  Edges and lines are such places however faint they are.
#pragma once
#include <Eigen/Core>
#include <vector>

namespace tobogan::metrics {

// For images of one size.  Transforms are products with dense Fourier matrices: images here are small.
class PhaseCongruency {
 public:
  using Image = Eigen::ArrayXXd;  // {height, width}

  PhaseCongruency(int height, int width);

  // The congruency of each pixel, in 0..1.  May be called from several threads at a time.
  Image operator()(const Image& image) const;

 private:
  using Spectrum = Eigen::MatrixXcd;
  static constexpr int kScales = 4, kOrientations = 4;

  const Image& filter(int orientation, int scale) const { return filters_[orientation * kScales + scale]; }
  Spectrum transform(const Spectrum& image) const;
  Spectrum inverse(const Spectrum& spectrum) const;
  void make_filters(int height, int width);
  void weigh_noise();
  double noise_threshold(int orientation, const Image& finest_amplitude) const;

  Spectrum forward_rows_, forward_columns_;  // Fourier matrices
  std::vector<Image> filters_;               // log-Gabor, in the frequency plane, zero frequency first
  std::vector<double> noise_gain_;           // of each orientation: noise energy for noise of power 1
};

}  // namespace tobogan::metrics
