// Normalisation: one pass over memory for the moments, one for the result, two for the way back.
#include "kernels/normalize.h"

#include <cmath>

#include "kernels/cpu/activation_piece.h"
#include "kernels/cpu/columns.h"

namespace tobogan::kernels {
namespace {

// A row of parameters as the columns of a tile see it.
const Real* tile_row(RepeatedRow& row, const ColumnTile& tile) {
  return row.at(tile.column, tile.width * tile.folds());
}

// sums[0] = the sum of the tile's columns, sums[1] = the sum of squared distances from the tile's own means.  The tile
// lies in the cache when it is read for the second time.
void tile_moments(const ColumnTile& tile, const Real* x, TileSums<2>& sums) {
  TileSums<1> plain;
  sum_tile<1>(
      tile, [x](int64_t i, int64_t) { return x[i]; }, plain);
  const double rows = static_cast<double>(tile.rows);
  Real means[kPiece];
  for (int64_t j = 0; j < tile.width; ++j) means[j] = static_cast<Real>(plain[0][j] / rows);
  RepeatedRow repeated(means, tile.width, kPiece);
  const Real* mean = repeated.at(0, tile.width * tile.folds());
  sum_tile<2>(
      tile,
      [=](int64_t i, int64_t j) {
        const Real distance = x[i] - mean[j];
        return TwoTerms{distance, distance * distance};
      },
      sums);
  for (int64_t j = 0; j < tile.width; ++j) {  // corrects for the rounding of the mean
    const double rest = sums[0][j];
    sums[0][j] = rows * static_cast<double>(means[j]) + rest;
    sums[1][j] = std::max(0.0, sums[1][j] - rest * rest / rows);
  }
}

}  // namespace

void column_moments(Cpu on, int64_t rows, int64_t columns, const Real* x, const ColumnMoments& moments) {
  const double count = static_cast<double>(rows);
  over_columns<2>(
      on, rows, columns, [x](const ColumnTile& tile, TileSums<2>& sums) { tile_moments(tile, x, sums); },
      [=](int64_t c, const ColumnParts& parts) {  // Chan, Golub & LeVeque 1983: squares within tiles and between them
        const double center = parts.total(0) / count;
        double squares = parts.total(1);
        for (int64_t t = 0; t < parts.count; ++t) {
          const double tile_rows = static_cast<double>(parts.rows_of(t));
          const double distance = parts.value(0, t) / tile_rows - center;
          squares += tile_rows * distance * distance;
        }
        const RunningMoments& running = moments.running;
        const Real mean = static_cast<Real>(center), variance = static_cast<Real>(squares / count);
        moments.mean[c] = mean;
        moments.variance[c] = variance;
        moments.scale[c] = 1 / std::sqrt(variance + moments.epsilon);
        if (running.mean == nullptr) return;
        running.mean[c] = running.keep * running.mean[c] + (1 - running.keep) * mean;
        running.variance[c] = running.keep * running.variance[c] + (1 - running.keep) * running.correction * variance;
      });
}

void inverse_deviation(Cpu on, int64_t columns, Real epsilon, const Real* variance, Real* scale) {
  for_elements(on, columns, [=](int64_t begin, int64_t end) {
#pragma GCC ivdep
    for (int64_t c = begin; c < end; ++c) scale[c] = 1 / std::sqrt(variance[c] + epsilon);
  });
}

void normalize(Cpu on, const Activation& how, int64_t rows, int64_t columns, const Real* x, const Real* mean,
               const Real* scale, const Real* gamma, const Real* beta, Real* y) {
  const Dropout dropout(how);
  for_elements(on, rows * columns, [=](int64_t chunk_begin, int64_t chunk_end) {
    const int64_t length = chunk_end - chunk_begin;
    RepeatedRow means(mean, columns, length), scales(scale, columns, length);
    RepeatedRow gammas(gamma, columns, length, 1), betas(beta, columns, length, 0);
    for_pieces(chunk_begin, chunk_end, [&](int64_t begin, int64_t size) {
      const Real *in = x + begin, *m = means.at(begin, size), *s = scales.at(begin, size);
      const Real *g = gammas.at(begin, size), *b = betas.at(begin, size);
      activate_piece(
          how, dropout, begin, size, [=](int64_t i) { return g[i] * ((in[i] - m[i]) * s[i]) + b[i]; }, y + begin);
    });
  });
}

void normalize_grad_sums(Cpu on, const Activation& how, int64_t rows, int64_t columns, const Real* dy, const Real* y,
                         const NormalizeSums& to, Real* g) {
  with_derivative(how, [=](const auto& derivative) {
    over_columns<2>(
        on, rows, columns,
        [=](const ColumnTile& tile, TileSums<2>& sums) {
          RepeatedRow means(to.mean, columns, kPiece), scales(to.scale, columns, kPiece);
          const Real *m = tile_row(means, tile), *s = tile_row(scales, tile), *x = to.x;
          sum_tile<2>(
              tile,
              [=](int64_t i, int64_t j) {
                const Real each = derivative(y[i]) * dy[i];
                g[i] = each;
                return TwoTerms{each, each * ((x[i] - m[j]) * s[j])};
              },
              sums);
        },
        [=](int64_t column, const ColumnParts& parts) {
          const double sum_g = parts.total(0), sum_gh = parts.total(1), share = 1 / static_cast<double>(rows);
          const Real scale = to.scale[column], a = to.gamma != nullptr ? to.gamma[column] * scale : scale;
          to.dbeta[column] = static_cast<Real>(sum_g);
          to.dgamma[column] = static_cast<Real>(sum_gh);
          to.factors.a[column] = a;
          to.factors.b[column] = a * scale * static_cast<Real>(sum_gh * share);
          to.factors.c[column] = a * static_cast<Real>(sum_g * share);
        });
  });
}

void normalize_grad_apply(Cpu on, int64_t rows, int64_t columns, const Real* g, const Real* x, const Real* mean,
                          const NormalizeFactors& factors, Real* dx) {
  for_elements(on, rows * columns, [=](int64_t chunk_begin, int64_t chunk_end) {
    const int64_t length = chunk_end - chunk_begin;
    RepeatedRow means(mean, columns, length), as(factors.a, columns, length), bs(factors.b, columns, length),
        cs(factors.c, columns, length);
    for_pieces(chunk_begin, chunk_end, [&](int64_t begin, int64_t size) {
      const Real *m = means.at(begin, size), *factor = as.at(begin, size);
      const Real *slant = bs.at(begin, size), *shift = cs.at(begin, size);
      const Real *in = x + begin, *d = g + begin;
      Real* result = dx + begin;
#pragma GCC ivdep
      for (int64_t i = 0; i < size; ++i) result[i] = factor[i] * d[i] - slant[i] * (in[i] - m[i]) - shift[i];
    });
  });
}

}  // namespace tobogan::kernels
