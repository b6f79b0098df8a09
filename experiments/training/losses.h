// The losses that a GAN's training wrote down: rows [step, discriminator's, generator's], read from a cell's result.
#pragma once
#include <cmath>
#include <string>

#include "experiments/run/cell.h"
#include "experiments/run/plot.h"

namespace tobogan {

// A loss of a training that diverged has no JSON form and is null in the result (cell.h).
inline double loss_at(const nlohmann::json& row, int column) {
  return row[column].is_number() ? row[column].get<double>() : std::nan("");
}

// Both losses against the step.  REQUIRES: there is at least one row.
inline Plot loss_plot(const nlohmann::json& losses, const std::string& title, const std::string& discriminator,
                      const std::string& generator) {
  Series d{.name = discriminator, .style = Series::Style::line}, g{.name = generator, .style = Series::Style::line};
  for (const nlohmann::json& row : losses) {
    for (Series* series : {&d, &g}) series->x.push_back(row[0]);
    d.y.push_back(loss_at(row, 1));
    g.y.push_back(loss_at(row, 2));
  }
  return {.title = title, .x_label = "iteration", .y_label = "loss", .series = {d, g}};
}

}  // namespace tobogan
