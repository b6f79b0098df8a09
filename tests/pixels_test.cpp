// The lists of pixels that meet, against the definition in conv.h.
#include "kernels/pixels.h"

#include <set>
#include <tuple>

#include "tests/support/catch.h"

namespace tobogan {
namespace {

using kernels::AxisMap;
using kernels::AxisPairs;
using kernels::ConvDims;
using kernels::PixelPairs;

// (small position, big position, tap)
using Meetings = std::set<std::tuple<int, int, int>>;

struct Axis {
  int big, small, kernel, stride, pad, dilation;
};

Meetings by_definition(const Axis& a) {
  Meetings meetings;
  for (int i = 0; i < a.small; ++i) {
    for (int y = 0; y < a.big; ++y) {
      for (int u = 0; u < a.kernel; ++u) {
        if (y == i * a.stride + u * a.dilation - a.pad) meetings.insert({i, y, u});
      }
    }
  }
  return meetings;
}

TEST_CASE("both views of an axis hold every meeting once, in order of taps") {
  size_t met = 0;
  for (const int big : {1, 2, 7, 12}) {
    for (const int small : {1, 3, 6}) {
      for (const int kernel : {1, 2, 5}) {
        for (const int stride : {1, 2, 3}) {
          for (const int pad : {0, 1, 4}) {
            for (const int dilation : {1, 2}) {
              const Axis a{big, small, kernel, stride, pad, dilation};
              const AxisPairs of_small = AxisPairs::of_small(big, small, kernel, stride, pad, dilation);
              const AxisPairs of_big = AxisPairs::of_big(big, small, kernel, stride, pad, dilation);
              REQUIRE(of_small.positions() == small);
              REQUIRE(of_big.positions() == big);
              Meetings from_small, from_big;
              int small_count = 0, big_count = 0;
              for (int i = 0; i < small; ++i) {
                small_count += of_small.size(i);
                for (const auto* p = of_small.begin(i); p != of_small.end(i); ++p) {
                  from_small.insert({i, p->other, p->tap});
                  if (p != of_small.begin(i)) REQUIRE(p[-1].tap < p->tap);
                }
              }
              for (int y = 0; y < big; ++y) {
                big_count += of_big.size(y);
                for (const auto* p = of_big.begin(y); p != of_big.end(y); ++p) {
                  from_big.insert({p->other, y, p->tap});
                  if (p != of_big.begin(y)) REQUIRE(p[-1].tap < p->tap);
                }
              }
              const Meetings wanted = by_definition(a);
              REQUIRE(from_small == wanted);
              REQUIRE(from_big == wanted);
              REQUIRE(small_count == static_cast<int>(wanted.size()));
              REQUIRE(big_count == static_cast<int>(wanted.size()));
              met += wanted.size();
            }
          }
        }
      }
    }
  }
  CHECK(met > 1000);
}

TEST_CASE("known lists: 5x5 stride 2 SAME from 14 to 7") {
  // Padding 1 before: output 0 reads -1..3 of which 0..3 exist; the last, 6, reads 11..15 of which 11..13 exist.
  const ConvDims d{.big_h = 14,
                   .big_w = 14,
                   .small_h = 7,
                   .small_w = 7,
                   .kernel_h = 5,
                   .kernel_w = 5,
                   .stride_h = 2,
                   .stride_w = 2,
                   .pad_top = 1,
                   .pad_left = 1};
  const PixelPairs small = PixelPairs::of_small(d), big = PixelPairs::of_big(d);
  CHECK(small.rows.size(0) == 4);
  CHECK(small.rows.begin(0)->other == 0);
  CHECK(small.rows.begin(0)->tap == 1);
  CHECK(small.columns.size(3) == 5);
  CHECK(small.columns.size(6) == 3);
  CHECK((small.columns.end(6) - 1)->other == 13);
  // Big pixel 0 is read by output 0 under tap 1 only; big pixel 7 by outputs 2, 3, 4 under taps 4, 2, 0.
  CHECK(big.rows.size(0) == 1);
  REQUIRE(big.columns.size(7) == 3);
  CHECK(big.columns.begin(7)->tap == 0);
  CHECK(big.columns.begin(7)->other == 4);
}

TEST_CASE("rows and columns are not mixed up") {
  const ConvDims d{
      .big_h = 9, .big_w = 4, .small_h = 3, .small_w = 4, .kernel_h = 3, .kernel_w = 1, .stride_h = 3, .stride_w = 1};
  const PixelPairs small = PixelPairs::of_small(d), big = PixelPairs::of_big(d);
  CHECK(small.rows.positions() == 3);
  CHECK(small.columns.positions() == 4);
  CHECK(big.rows.positions() == 9);
  CHECK(small.rows.size(1) == 3);
  CHECK(small.columns.size(1) == 1);
}

TEST_CASE("the transpose of an axis map is its adjoint") {
  AxisMap map;
  map.in = 4;
  map.first = {0, 2, 2, 5};
  map.terms = {{3, Real(0.5)}, {0, Real(2)}, {1, Real(-1)}, {3, Real(4)}, {2, Real(0.25)}};
  const AxisMap back = map.transposed();
  REQUIRE(back.in == 3);
  REQUIRE(back.out() == 4);
  // As matrices: transposed entry by entry.
  double forward[3][4] = {}, backward[4][3] = {};
  for (int i = 0; i < 3; ++i) {
    for (int t = map.first[i]; t < map.first[i + 1]; ++t) forward[i][map.terms[t].source] += map.terms[t].weight;
  }
  for (int i = 0; i < 4; ++i) {
    for (int t = back.first[i]; t < back.first[i + 1]; ++t) backward[i][back.terms[t].source] += back.terms[t].weight;
  }
  for (int i = 0; i < 3; ++i) {
    for (int j = 0; j < 4; ++j) CHECK(forward[i][j] == backward[j][i]);
  }
  CHECK(back.terms.size() == 5);
  // Twice is the map itself, up to the order of terms.
  const AxisMap twice = back.transposed();
  CHECK(twice.in == 4);
  CHECK(twice.first == map.first);
}

}  // namespace
}  // namespace tobogan
