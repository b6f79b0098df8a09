// The cells of Kim & Lee's study and their names.
//
//   bias-*        which images a biased set kept           expert-*, classifier-*   H and C
//   acgan-* clustergan-* clsr-* noencoder-*                trainings; tables share them
//   judged-*      fakes of a variant, and what the tables say of them
//   deformed-*    Figure 4      tsne-*   Figures 5 to 10    sweep-*   accuracy and diversity against p_min
#pragma once
#include "experiments/kim_lee/data.h"
#include "experiments/run/cell.h"

namespace tobogan::kim_lee {

// A row of the tables: a training, and which of its fakes are judged.
enum class Variant {
  acgan,       // all
  cluster,     // all
  cls_r,       // qualified
  cls_r_raw,   // all of CLS-R GAN's
  no_quality,  // ClusterGAN's, qualified
  no_encoder   // qualified; trained with the quality loss, without the encoder
};
std::string to_string(Variant variant);  // in names of cells

// One column of a table.
struct Case {
  std::string data;
  Bias bias;
  auto operator<=>(const Case&) const = default;
};

std::string bias_name(const Case& c, uint64_t seed);
std::string judged_name(Variant variant, const Case& c, uint64_t seed);
std::string training_name(Variant variant, const Case& c, uint64_t seed);
std::string expert_name(const std::string& data, uint64_t seed);
std::string classifier_name(const Case& c, uint64_t seed);
std::string deformed_name(const Case& c, uint64_t seed);
std::string inception_name(Variant variant, const Case& c, uint64_t seed);
std::string tsne_name(Variant variant, const Case& c, uint64_t seed);
std::string sweep_name(const Case& c, uint64_t seed);

// What is to be made.
struct Wanted {
  std::vector<int> tables;   // 1 to 8
  std::vector<Bias> biases;  // of Tables 3 to 8
  bool own_images = false;   // a table like 1 of the user's own
  bool figures = true;       // what only figures need: t-SNE, deformed fakes, the sweep

  // Which variants which cases are judged in.
  std::vector<std::pair<Case, Variant>> judged() const;
  // Does any of them read this data set?
  bool uses(const std::string& data) const;
};

// All cells for the seeds given.  The cells share `data`.
std::vector<Cell> make_cells(const Plan& plan, const Wanted& wanted, const std::vector<uint64_t>& seeds,
                             std::shared_ptr<Data> data);

}  // namespace tobogan::kim_lee
