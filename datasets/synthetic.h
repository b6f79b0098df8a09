// Labelled images made from nothing but a seed, so that everything builds, runs and is tested without a download.
// They stand in for MNIST and CIFAR-10: the same sizes and ten classes, and hard enough to leave augmentation something
// to do.  Trained on 500 images a small classifier is wrong on about a fifth of the test set (a multilayer perceptron
// on 24 % of the glyphs, on 18 % with 1,000 and 6 % with 4,000, close to its errors on MNIST; a LeNet on 15 % of the
// shapes).
//
// Image i of a part is a function of (seed, part, i) alone: a longer set begins with the shorter one.  Of every ten
// images in a row each class has one.
#pragma once
#include <cstdint>

#include "datasets/dataset.h"

namespace tobogan {

struct SyntheticOptions {
  int train = 60000, test = 10000;  // images
  uint64_t seed = 1;
};

// 1x28x28, white on black: handwritten digits, each a few pen strokes with their own wobble, slant, pressure and ink.
Dataset synthetic_glyphs(SyntheticOptions options);

// 3x32x32: seven plain shapes, and three textures on any of the outlines, in random colour, pose and light before a
// random background.
Dataset synthetic_shapes(SyntheticOptions options);

}  // namespace tobogan
