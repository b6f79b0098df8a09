// One row per public operation of engine/ops and engine/nn/loss.h, four uses: value, derivatives and refusals in
// op_cases_test.cpp, time in bench/.
//
// To add an operation:
//   1. write what it computes as a plain loop in reference.{h,cpp};
//   2. add a row to the family's op_cases_*.cpp: shapes, how to run it, what is wanted;
//   3. add its tolerance, with the reason, to docs/numerics.md.
// A test reads the headers of engine/ops and fails while an operation has no row.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/ops/ops.h"
#include "engine/state.h"
#include "tests/support/close.h"
#include "tests/support/reference.h"

namespace tobogan {

// What a row runs on.
struct OpInputs {
  std::vector<Tensor> tensors;
  kernels::RandomKey key;  // stream 7, draw 0, step 0: for dropout
  Device device;

  const Tensor& operator[](int i) const { return tensors[i]; }
  // some_indices, made once: a captured step cannot make them.
  Indices indices(int64_t count, int bound) const;
  std::shared_ptr<std::map<std::pair<int64_t, int>, Indices>> made =
      std::make_shared<std::map<std::pair<int64_t, int>, Indices>>();
};
using PlainInputs = std::vector<reference::Plain>;
using Shapes = std::vector<Shape>;

struct OpCase {
  std::string name;            // "conv2d", or "conv2d/same_k5_s2" where an operation has several rows
  std::vector<Shapes> shapes;  // small and odd; each entry lists the shapes of all inputs
  Shapes large = {};           // what the benchmark times; none: not timed
  double low = -2, high = 2;   // inputs are uniform between them
  std::function<Tensor(const OpInputs&)> run;
  std::function<reference::Plain(const PlainInputs&)> reference;
  Tolerance tolerance;               // of the value; docs/numerics.md gives the reason
  std::vector<int> asked = {0};      // inputs that have derivatives
  std::vector<Shapes> refused = {};  // shapes that do not go together
  std::function<double(const Shapes& in, const Shape& out)> flops = nullptr;  // null: bound by memory

  std::string op() const { return name.substr(0, name.find('/', name.starts_with("operator") ? 9 : 0)); }
};

// All rows, family by family.
std::vector<OpCase> op_cases();
std::vector<OpCase> elementwise_cases();  // and activations, reductions, softmax
std::vector<OpCase> loss_cases();
std::vector<OpCase> matrix_cases();  // products, gathers, layout
std::vector<OpCase> image_cases();   // convolution, pooling, resampling, normalisation

// Inputs of a row: the same values, exactly representable, for the operation and for its reference.
struct DrawnInputs {
  OpInputs inputs;
  PlainInputs plain;
  Counter step;  // keeps the key's step alive
};
DrawnInputs draw_inputs(const OpCase& row, const Shapes& shapes, const Device& device);

// Indices below `bound` with repetitions: what gathers are tested with.
int some_index(int i, int bound);
Indices some_indices(int64_t count, int bound, const Device& device);

}  // namespace tobogan
