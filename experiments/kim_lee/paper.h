// The numbers of Kim & Lee's Tables 1 to 8, by data set, bias and method.
#pragma once
#include <array>
#include <optional>

#include "experiments/kim_lee/cells.h"

namespace tobogan::kim_lee {

// NMI, ARI, FID, IS, accuracy in percent, Div.
using PaperRow = std::array<double, 6>;

// Of ACGAN, ClusterGAN and CLS-R GAN (Tables 1 to 4); nothing for other variants and the user's own images.
std::optional<PaperRow> paper_row(const Case& c, Variant variant);

// One column pair of an ablation table: IS and Div. (5, 6) or NMI and ARI (7, 8), with the loss or the encoder and
// without.
struct PaperAblation {
  double with[2], without[2];
};
PaperAblation paper_ablation(int table, Bias bias);

}  // namespace tobogan::kim_lee
