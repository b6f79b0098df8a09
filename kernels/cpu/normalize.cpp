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

void column_moments(Cpu on, int64_t rows, int64_t columns, Real epsilon, const Real* x, Real* mean, Real* variance,
                    Real* scale, const RunningMoments& running) {
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
        mean[c] = static_cast<Real>(center);
        variance[c] = static_cast<Real>(squares / count);
        scale[c] = 1 / std::sqrt(variance[c] + epsilon);
        if (running.mean == nullptr) return;
        running.mean[c] = running.keep * running.mean[c] + (1 - running.keep) * mean[c];
        running.variance[c] =
            running.keep * running.variance[c] + (1 - running.keep) * running.correction * variance[c];
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
  const Real slope = how.slope;
  for_elements(on, rows * columns, [=](int64_t chunk_begin, int64_t chunk_end) {
    const int64_t length = chunk_end - chunk_begin;
    RepeatedRow means(mean, columns, length), scales(scale, columns, length);
    RepeatedRow gammas(gamma, columns, length, 1), betas(beta, columns, length, 0);
    for_pieces(chunk_begin, chunk_end, [&](int64_t begin, int64_t size) {
      const Real *in = x + begin, *m = means.at(begin, size), *s = scales.at(begin, size);
      const Real *g = gammas.at(begin, size), *b = betas.at(begin, size);
      activate_piece(
          slope, dropout, begin, size, [=](int64_t i) { return g[i] * ((in[i] - m[i]) * s[i]) + b[i]; }, y + begin);
    });
  });
}

void normalize_grad(Cpu on, const Activation& how, int64_t rows, int64_t columns, const Real* dy, const Real* x,
                    const Real* y, const Real* mean, const Real* scale, const Real* gamma, Real* dx, Real* dgamma,
                    Real* dbeta) {
  const ActivationDerivative derivative(how);
  // dx = a * g - b * (x - mean) - c with a row each of a, b and c.
  const Scratch<Real> factors(*on.pool, static_cast<size_t>(3 * columns));
  Real *a = factors.data(), *b = a + columns, *c = b + columns;
  over_columns<2>(
      on, rows, columns,
      [=](const ColumnTile& tile, TileSums<2>& sums) {
        RepeatedRow means(mean, columns, kPiece), scales(scale, columns, kPiece);
        const Real *m = tile_row(means, tile), *s = tile_row(scales, tile);
        sum_tile<2>(
            tile,
            [=](int64_t i, int64_t j) {
              const Real g = derivative(y[i]) * dy[i];
              return TwoTerms{g, g * ((x[i] - m[j]) * s[j])};
            },
            sums);
      },
      [=](int64_t column, const ColumnParts& parts) {
        const double sum_g = parts.total(0), sum_gh = parts.total(1), share = 1 / static_cast<double>(rows);
        dbeta[column] = static_cast<Real>(sum_g);
        dgamma[column] = static_cast<Real>(sum_gh);
        a[column] = gamma != nullptr ? gamma[column] * scale[column] : scale[column];
        b[column] = a[column] * scale[column] * static_cast<Real>(sum_gh * share);
        c[column] = a[column] * static_cast<Real>(sum_g * share);
      });

  for_elements(on, rows * columns, [=](int64_t chunk_begin, int64_t chunk_end) {
    const int64_t length = chunk_end - chunk_begin;
    RepeatedRow means(mean, columns, length), as(a, columns, length), bs(b, columns, length), cs(c, columns, length);
    for_pieces(chunk_begin, chunk_end, [&](int64_t begin, int64_t size) {
      const Real *m = means.at(begin, size), *factor = as.at(begin, size);
      const Real *slant = bs.at(begin, size), *shift = cs.at(begin, size);
      const Real *in = x + begin, *out = y + begin, *d = dy + begin;
      Real* result = dx + begin;
      const ActivationDerivative act = derivative;
#pragma GCC ivdep
      for (int64_t i = 0; i < size; ++i) {
        result[i] = factor[i] * (act(out[i]) * d[i]) - slant[i] * (in[i] - m[i]) - shift[i];
      }
    });
  });
}

}  // namespace tobogan::kernels
