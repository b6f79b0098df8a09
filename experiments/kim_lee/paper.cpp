// The numbers of the paper's tables, as printed.
#include "experiments/kim_lee/paper.h"

namespace tobogan::kim_lee {
namespace {

// [MNIST, Fashion-MNIST][plain, size, content][ACGAN, ClusterGAN, CLS-R GAN]
constexpr PaperRow kMethods[2][3][3] = {{{{0.839, 0.727, 148.0, 1.86, 92.05, 0.544},
                                          {0.916, 0.865, 94.64, 1.85, 0.10, 0.535},
                                          {0.980, 0.980, 60.46, 1.98, 99.84, 0.720}},
                                         {{0.765, 0.73, 124.54, 1.76, 87.67, 0.57},
                                          {0.883, 0.84, 111.41, 1.78, 9.40, 0.59},
                                          {0.988, 0.98, 103.95, 1.98, 99.75, 0.70}},
                                         {{0.768, 0.82, 143.96, 1.97, 82.66, 0.51},
                                          {0.854, 0.81, 133.24, 1.80, 0.59, 0.51},
                                          {0.976, 0.97, 105.9, 1.95, 100, 0.69}}},
                                        {{{0.736, 0.684, 161.31, 2.10, 80.47, 0.618},
                                          {0.625, 0.474, 471.77, 2.29, 11.59, 0.661},
                                          {0.966, 0.98, 119.89, 2.73, 99.96, 0.79}},
                                         {{0.724, 0.86, 150.53, 2.01, 80.24, 0.48},
                                          {0.642, 0.49, 498.32, 2.11, 16.86, 0.65},
                                          {0.95, 0.99, 131.85, 2.71, 99.99, 0.76}},
                                         {{0.641, 0.70, 324.58, 1.13, 72.56, 0.22},
                                          {0.725, 0.62, 158.80, 1.96, 1.60, 0.53},
                                          {0.98, 0.98, 138.74, 2.56, 98.3, 0.59}}}};

// [Table 5 .. 8][plain, size, content]
constexpr PaperAblation kAblations[4][3] = {
    {{{1.98, 0.72}, {1.35, 0.49}}, {{1.98, 0.70}, {1.17, 0.40}}, {{1.95, 0.69}, {1.02, 0.36}}},
    {{{2.73, 0.79}, {2.09, 0.58}}, {{2.71, 0.76}, {1.88, 0.55}}, {{2.56, 0.59}, {1.73, 0.43}}},
    {{{0.98, 0.93}, {0.33, 0.44}}, {{0.98, 0.98}, {0.23, 0.21}}, {{0.97, 0.97}, {0.20, 0.15}}},
    {{{0.96, 0.98}, {0.32, 0.30}}, {{0.95, 0.99}, {0.27, 0.32}}, {{0.98, 0.98}, {0.14, 0.25}}}};

}  // namespace

std::optional<PaperRow> paper_row(const Case& c, Variant variant) {
  if (c.data == kOwnImages || variant > Variant::cls_r) return std::nullopt;
  return kMethods[c.data == kFashion][static_cast<int>(c.bias)][static_cast<int>(variant)];
}

PaperAblation paper_ablation(int table, Bias bias) {
  return kAblations[table - 5][static_cast<int>(bias)];
}

}  // namespace tobogan::kim_lee
