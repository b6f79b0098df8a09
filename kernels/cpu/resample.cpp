// Every output pixel is a weighted sum of whole input pixels: copies, fills and sums of up to four blocks at a time.
#include "kernels/resample.h"

#include "kernels/cpu/loops.h"

namespace tobogan::kernels {
namespace {

// Up to four weighted input pixels.
struct Terms {
  static constexpr int kMost = 4;
  int count = 0;
  const Real* source[kMost];
  Real weight[kMost];
};

// y = (or += with kAdd) the weighted sum of the terms.  REQUIRES: at least one term.
template <bool kAdd>
void weighted_sum(const Terms& terms, int64_t size, Real* y) {
  const auto s = terms.source;
  const Real *w = terms.weight, *s0 = s[0];
  const Real w0 = w[0];
  const auto sum = [&](const auto& term) {
#pragma GCC ivdep
    for (int64_t e = 0; e < size; ++e) y[e] = (kAdd ? y[e] : Real(0)) + term(e);
  };
  if (terms.count == 1) return sum([=](int64_t e) { return w0 * s0[e]; });
  const Real* s1 = s[1];
  const Real w1 = w[1];
  if (terms.count == 2) return sum([=](int64_t e) { return w0 * s0[e] + w1 * s1[e]; });
  const Real* s2 = s[2];
  const Real w2 = w[2];
  if (terms.count == 3) return sum([=](int64_t e) { return w0 * s0[e] + w1 * s1[e] + w2 * s2[e]; });
  const Real* s3 = s[3];
  const Real w3 = w[3];
  sum([=](int64_t e) { return (w0 * s0[e] + w1 * s1[e]) + (w2 * s2[e] + w3 * s3[e]); });
}

// One output pixel: feeds its terms in groups.
class PixelSum {
 public:
  PixelSum(int64_t block, Real* y) : block_(block), y_(y) {}

  void add(Real weight, const Real* source) {
    if (terms_.count == Terms::kMost) flush();
    terms_.source[terms_.count] = source;
    terms_.weight[terms_.count++] = weight;
  }

  void finish() {
    if (!begun_ && terms_.count == 0) {
      std::fill_n(y_, block_, Real(0));
    } else if (!begun_ && terms_.count == 1 && terms_.weight[0] == 1) {
      std::copy_n(terms_.source[0], block_, y_);
    } else if (terms_.count > 0) {
      flush();
    }
  }

 private:
  void flush() {
    begun_ ? weighted_sum<true>(terms_, block_, y_) : weighted_sum<false>(terms_, block_, y_);
    begun_ = true;
    terms_.count = 0;
  }

  int64_t block_;
  Real* y_;
  bool begun_ = false;
  Terms terms_;
};

}  // namespace

void resample(Cpu on, const AxisMap& rows, const AxisMap& columns, int64_t block, const Real* x, Real* y) {
  const int64_t width = columns.out(), pixels = rows.out() * width;
  if (pixels == 0) return;
  const int64_t products = static_cast<int64_t>(rows.terms.size()) * static_cast<int64_t>(columns.terms.size());
  for_rows(on, pixels, block * (1 + products / pixels), [=, &rows, &columns](int64_t begin, int64_t end) {
    for (int64_t pixel = begin; pixel < end; ++pixel) {
      const auto i = static_cast<size_t>(pixel / width), j = static_cast<size_t>(pixel % width);
      PixelSum sum(block, y + pixel * block);
      for (int r = rows.first[i]; r < rows.first[i + 1]; ++r) {
        const AxisMap::Term& row = rows.terms[static_cast<size_t>(r)];
        for (int c = columns.first[j]; c < columns.first[j + 1]; ++c) {
          const AxisMap::Term& column = columns.terms[static_cast<size_t>(c)];
          sum.add(row.weight * column.weight,
                  x + (static_cast<int64_t>(row.source) * columns.in + column.source) * block);
        }
      }
      sum.finish();
    }
  });
}

}  // namespace tobogan::kernels
