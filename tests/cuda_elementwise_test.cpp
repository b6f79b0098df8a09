// Elementwise CUDA kernels against the CPU's: arithmetic, and every way in which elements may be strided.
#include "kernels/elementwise.h"
#include "tests/support/cuda_kernels.h"

namespace tobogan::kernels {
namespace {

// Around a float4, a run, a warp's share and a block's.
const std::vector<int64_t> kCounts = {0, 1, 3, 33, 127, 257, 1023, 1024, 1025, 3001};

// y of `count` elements from x by `kernel(on, x, y)` on both machines, aligned or not, and in place.
template <class Kernel>
double worst(BothMachines& on, const Reals& x, const Kernel& kernel) {
  const auto count = static_cast<int64_t>(x.size());
  Reals want(x.size());
  kernel(on.cpu.tag(), x.data(), want.data());
  double error = 0;
  for (const int64_t offset : {0, 1}) {
    const Shifted<Real> in(on.cuda, x, offset);
    error = std::max(error, apart(on.repeat(
                                      count, [&](Cuda cuda, Real* y) { kernel(cuda, in.data(), y); }, offset),
                                  want));
  }
  const OnGpu<Real> same(on.cuda, x);
  kernel(on.cuda.tag(), same.data(), same.data());
  return std::max(error, apart(same.host(), want));
}

TEST_CASE("functions of one element") {
  BothMachines on;
  for (const int64_t count : kCounts) {
    const Reals x = test_values(count, 1, -9, 9), positive = test_values(count, 2, 0.01, 9);
    for (const Unary op : {Unary::kExp, Unary::kTanh, Unary::kSigmoid, Unary::kSoftplus, Unary::kAbs, Unary::kSign}) {
      INFO("operation " << static_cast<int>(op) << ", " << count << " elements");
      CHECK(worst(on, x, [=](auto tag, const Real* in, Real* y) { unary(tag, op, count, in, y); }) < 6 * kRounding);
    }
    for (const Unary op : {Unary::kLog, Unary::kSqrt, Unary::kReciprocal}) {
      INFO("operation " << static_cast<int>(op) << ", " << count << " elements");
      CHECK(worst(on, positive, [=](auto tag, const Real* in, Real* y) { unary(tag, op, count, in, y); }) <
            4 * kRounding);
    }
    CHECK(worst(on, x, [=](auto tag, const Real* in, Real* y) { affine(tag, count, 3, -2, in, y); }) < 4 * kRounding);
    CHECK(worst(on, x, [=](auto tag, const Real* in, Real* y) { clamp(tag, count, -1, 2, in, y); }) == 0);
    CHECK(worst(on, x, [=](auto tag, const Real* in, Real* y) { clamp_grad(tag, count, -1, 2, in, in, y); }) == 0);
    CHECK(worst(on, x, [=](auto tag, const Real* in, Real* y) {
            activate_grad(tag, {.tanh = true}, count, 1, in, in, y);
          }) < 8 * kRounding);
    CHECK(worst(on, x, [=](auto tag, const Real*, Real* y) { fill(tag, count, 5, y); }) == 0);
    CHECK(worst(on, x, [=](auto tag, const Real* in, Real* y) {
            if (in != y) copy(tag, count, in, y);
          }) == 0);
  }
}

TEST_CASE("functions at their limits") {
  BothMachines on;
  const Reals x = {-INFINITY, -200, -88, -0.0f, 0, 88, 200, INFINITY, std::nanf("")};
  for (const Unary op : {Unary::kExp, Unary::kTanh, Unary::kSigmoid, Unary::kSoftplus, Unary::kSign}) {
    Reals want(x.size());
    unary(on.cpu.tag(), op, 9, x.data(), want.data());
    const OnGpu<Real> y(on.cuda, x);
    unary(on.cuda.tag(), op, 9, y.data(), y.data());
    const Reals got = y.host();
    for (size_t i = 0; i < 9; ++i) {
      INFO("operation " << static_cast<int>(op) << " of " << x[i]);
      if (std::isfinite(want[i])) {
        CHECK(std::fabs(got[i] - want[i]) <= 1e-6f * std::fabs(want[i]) + 1e-37f);
      } else {
        CHECK((got[i] == want[i] || (std::isnan(got[i]) && std::isnan(want[i]))));
      }
    }
  }
}

struct Strided {
  const char* name;
  std::array<int64_t, 4> size, a, b;
};

// The number of elements that a strided operand reaches over.
int64_t reach(const std::array<int64_t, 4>& size, const std::array<int64_t, 4>& step) {
  int64_t last = 0;
  for (int axis = 0; axis < 4; ++axis) last += (size[axis] - 1) * step[axis];
  return last + 1;
}

TEST_CASE("arithmetic over broadcasts") {
  BothMachines on;
  const std::vector<Strided> cases = {{"flat", {1, 1, 1, 1027}, {0, 0, 0, 1}, {0, 0, 0, 1}},
                                      {"a scalar", {1, 1, 1, 1027}, {0, 0, 0, 1}, {0, 0, 0, 0}},
                                      {"a scalar, in fours", {1, 1, 1, 1028}, {0, 0, 0, 0}, {0, 0, 0, 1}},
                                      {"a row", {1, 1, 37, 12}, {0, 0, 12, 1}, {0, 0, 0, 1}},
                                      {"an odd row", {1, 1, 37, 13}, {0, 0, 0, 1}, {0, 0, 13, 1}},
                                      {"a column", {1, 1, 37, 12}, {0, 0, 12, 1}, {0, 0, 1, 0}},
                                      {"an odd column", {1, 1, 37, 3}, {0, 0, 3, 1}, {0, 0, 1, 0}},
                                      {"a sample of images", {3, 5, 4, 8}, {160, 32, 8, 1}, {0, 0, 1, 0}},
                                      {"pixels", {3, 5, 4, 7}, {140, 28, 7, 1}, {5, 1, 0, 0}},
                                      {"images of one channel", {3, 5, 4, 7}, {20, 4, 1, 0}, {140, 28, 7, 1}},
                                      {"both", {3, 5, 4, 8}, {0, 32, 8, 1}, {1, 0, 3, 0}},
                                      {"nothing", {3, 0, 4, 8}, {0, 32, 8, 1}, {1, 0, 3, 0}}};
  for (const Strided& c : cases) {
    const Extents extents{c.size};
    const Reals a = test_values(std::max<int64_t>(1, reach(c.size, c.a)), 3, 1, 2);
    const Reals b = test_values(std::max<int64_t>(1, reach(c.size, c.b)), 4, 1, 2);
    for (const Binary op : {Binary::kAdd, Binary::kSubtract, Binary::kMultiply, Binary::kDivide}) {
      Reals want(static_cast<size_t>(extents.count()));
      binary(on.cpu.tag(), op, extents, a.data(), {c.a}, b.data(), {c.b}, want.data());
      for (const int64_t offset : {0, 1}) {
        const Shifted<Real> first(on.cuda, a, offset), second(on.cuda, b, offset);
        const auto run = [&](Cuda cuda, Real* y) {
          binary(cuda, op, extents, first.data(), {c.a}, second.data(), {c.b}, y);
        };
        INFO(c.name << ", operation " << static_cast<int>(op) << ", offset " << offset);
        CHECK(apart(on.repeat(extents.count(), run), want) < 2 * kRounding);
      }
    }
  }
}

TEST_CASE("moves: broadcasts, permutations, slices and places") {
  BothMachines on;
  const std::vector<Strided> cases = {{"a copy", {1, 1, 1, 1027}, {0, 0, 0, 1}, {0, 0, 0, 1}},
                                      {"a repeated row", {1, 1, 9, 12}, {0, 0, 0, 1}, {0, 0, 12, 1}},
                                      {"a repeated element", {1, 1, 9, 12}, {0, 0, 1, 0}, {0, 0, 12, 1}},
                                      {"a transposition", {1, 1, 33, 65}, {0, 0, 1, 33}, {0, 0, 65, 1}},
                                      {"a thin transposition", {1, 1, 3, 65}, {0, 0, 1, 3}, {0, 0, 65, 1}},
                                      {"images to pixels", {4, 3, 6, 7}, {126, 42, 7, 1}, {3, 1, 84, 12}},
                                      {"images to pixels, tiled", {9, 2, 3, 11}, {66, 33, 11, 1}, {2, 1, 198, 18}},
                                      {"pixels to images", {4, 3, 6, 7}, {3, 1, 84, 12}, {126, 42, 7, 1}},
                                      {"tiles along two more axes", {3, 34, 2, 9}, {18, 54, 9, 1}, {680, 1, 340, 36}},
                                      {"a slice of columns", {1, 1, 9, 8}, {0, 0, 20, 1}, {0, 0, 8, 1}},
                                      {"an odd slice", {1, 1, 9, 7}, {0, 0, 21, 1}, {0, 0, 7, 1}},
                                      {"a place in a larger one", {1, 5, 9, 8}, {0, 72, 8, 1}, {0, 400, 20, 1}},
                                      {"every other one", {1, 5, 9, 8}, {0, 144, 16, 2}, {0, 72, 8, 1}},
                                      {"nothing", {1, 5, 0, 8}, {0, 144, 16, 2}, {0, 72, 8, 1}}};
  for (const Strided& c : cases) {
    const Extents extents{c.size};
    const Reals x = test_values(std::max<int64_t>(1, reach(c.size, c.a)), 5);
    const Reals before = test_values(std::max<int64_t>(1, reach(c.size, c.b)), 6);  // what is not written stays
    Reals want = before;
    move(on.cpu.tag(), extents, x.data(), {c.a}, want.data(), {c.b});
    for (const int64_t offset : {0, 1}) {
      const Shifted<Real> in(on.cuda, x, offset);
      const OnGpu<Real> y(on.cuda, before);
      move(on.cuda.tag(), extents, in.data(), {c.a}, y.data(), {c.b});
      INFO(c.name << ", offset " << offset);
      CHECK(y.host() == want);
    }
  }
}

}  // namespace
}  // namespace tobogan::kernels
