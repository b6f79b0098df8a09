// Rows of engine/ops/matmul.h, gather.h and layout.h.
#include "tests/support/op_cases.h"

namespace tobogan {
namespace {

using reference::Plain;

// Two for each product of elements: all of a, for each column of the result.
double product_flops(const Shapes& in, const Shape& out) {
  return 2.0 * static_cast<double>(in[0].count()) * out[1];
}

OpCase product(const std::string& name, const MatmulOptions& options, const std::vector<Shapes>& shapes,
               const Shapes& large, const std::vector<Shapes>& refused) {
  return {.name = name,
          .shapes = shapes,
          .large = large,
          .run = [=](const OpInputs& in) { return matmul(in[0], in[1], options); },
          .reference =
              [=](const PlainInputs& in) {
                return matmul(options.transpose_a ? transpose(in[0]) : in[0],
                              options.transpose_b ? transpose(in[1]) : in[1]);
              },
          .tolerance = {.of_largest = 8},
          .asked = {0, 1},
          .refused = refused,
          .flops = product_flops};
}

std::vector<OpCase> products() {
  OpCase dense = product("linear", {.transpose_b = true}, {{{3, 33}, {7, 33}}, {{1, 1}, {1, 1}}},
                         {{64, 784}, {300, 784}}, {{{3, 4}, {4, 3}}, {{3, 4}, {4}}});
  dense.run = [](const OpInputs& in) { return linear(in[0], in[1]); };
  return {
      product("matmul", {}, {{{3, 33}, {33, 5}}, {{1, 1}, {1, 1}}, {{33, 1}, {1, 3}}}, {{512, 512}, {512, 512}},
              {{{3, 4}, {3, 4}}, {{3}, {3, 4}}}),
      product("matmul/transposed_a", {.transpose_a = true}, {{{33, 3}, {33, 5}}, {{1, 7}, {1, 5}}},
              {{512, 512}, {512, 512}}, {{{3, 4}, {4, 3}}}),
      product("matmul/transposed_b", {.transpose_b = true}, {{{3, 33}, {5, 33}}, {{7, 1}, {5, 1}}},
              {{512, 512}, {512, 512}}, {{{3, 4}, {4, 3}}}),
      product("matmul/transposed_both", {.transpose_a = true, .transpose_b = true},
              {{{33, 3}, {5, 33}}, {{1, 7}, {5, 1}}}, {{512, 512}, {512, 512}}, {{{3, 4}, {3, 4}}}),
      dense,
  };
}

Plain gathered(const Plain& table, int rows) {
  Plain y({rows, table.sizes[1]});
  for (int r = 0; r < rows; ++r)
    for (int c = 0; c < table.sizes[1]; ++c) y.at(r, c) = table.at(some_index(r, table.sizes[0]), c);
  return y;
}

Plain scattered(const Plain& x, int rows) {
  Plain table({rows, x.sizes[1]});
  for (int r = 0; r < x.sizes[0]; ++r)
    for (int c = 0; c < x.sizes[1]; ++c) table.at(some_index(r, rows), c) += x.at(r, c);
  return table;
}

Plain picked(const Plain& x) {
  Plain y(reference::Sizes{x.sizes[0]});
  for (int r = 0; r < x.sizes[0]; ++r) y.at(r) = x.at(r, some_index(r, x.sizes[1]));
  return y;
}

Plain unpicked(const Plain& x, int columns) {
  Plain y({x.sizes[0], columns});
  for (int r = 0; r < x.sizes[0]; ++r) y.at(r, some_index(r, columns)) = x.at(r);
  return y;
}

std::vector<OpCase> gathers() {
  return {
      {.name = "embedding",
       .shapes = {{{3, 33}}, {{33, 3}}, {{1, 5}}},
       .large = {{1000, 128}},
       .run = [](const OpInputs& in) { return embedding(in[0], in.indices(13, in[0].shape()[0])); },
       .reference = [](const PlainInputs& in) { return gathered(in[0], 13); },
       .tolerance = {},
       .refused = {{{3}}, {{2, 3, 4, 5}}}},
      {.name = "scatter_rows",
       .shapes = {{{33, 3}}, {{3, 33}}, {{1, 70}}},
       .large = {{4096, 128}},
       .run = [](const OpInputs& in) { return scatter_rows(in[0], in.indices(in[0].shape()[0], 7), 7); },
       .reference = [](const PlainInputs& in) { return scattered(in[0], 7); },
       .tolerance = {.of_largest = 4},
       .refused = {{{2, 3, 4, 5}}, {{7}}}},
      {.name = "pick",
       .shapes = {{{33, 3}}, {{3, 33}}, {{1, 1}}},
       .large = {{4096, 10}},
       .run = [](const OpInputs& in) { return pick(in[0], in.indices(in[0].shape()[0], in[0].shape()[1])); },
       .reference = [](const PlainInputs& in) { return picked(in[0]); },
       .tolerance = {},
       .refused = {{{2, 3, 4, 5}}}},
      {.name = "unpick",
       .shapes = {{{33}}, {{1}}},
       .large = {{4096}},
       .run = [](const OpInputs& in) { return unpick(in[0], in.indices(in[0].shape()[0], 7), 7); },
       .reference = [](const PlainInputs& in) { return unpicked(in[0], 7); },
       .tolerance = {},
       .refused = {{{2, 3}}}},
      {.name = "one_hot",
       .shapes = {{{33, 3}}, {{1, 5}}},
       .run = [](const OpInputs& in) { return one_hot(in.indices(in[0].shape()[0], 5), 5); },
       .reference = [](const PlainInputs& in) { return unpicked(Plain({in[0].sizes[0]}, 1), 5); },
       .tolerance = {},
       .asked = {}},
  };
}

OpCase moved(const std::string& name, const std::vector<Shapes>& shapes, std::function<Tensor(const OpInputs&)> run,
             std::function<Plain(const PlainInputs&)> reference, const std::vector<Shapes>& refused) {
  return {.name = name,
          .shapes = shapes,
          .run = std::move(run),
          .reference = std::move(reference),
          .tolerance = {},
          .refused = refused};
}

OpCase reshaped(const std::string& name, const std::vector<Shapes>& shapes, const Shape& to,
                const reference::Sizes& sizes) {
  return moved(
      "reshape/" + name, shapes, [=](const OpInputs& in) { return reshape(in[0], to); },
      [=](const PlainInputs& in) { return reference::reshape(in[0], sizes); }, {{{7, 3}}});
}

std::vector<OpCase> reshapes() {
  OpCase flat = moved(
      "flatten", {{{3, 2, 3, 5}}, {{3, 33}}, {{2, 3, 5}}, {{1, 33, 1, 1}}, {{7}}},
      [](const OpInputs& in) { return flatten(in[0]); },
      [](const PlainInputs& in) {
        const int rows = in[0].sizes[0], columns = static_cast<int>(in[0].values.size()) / rows;
        return reference::reshape(in[0], {rows, columns});
      },
      {{{}}});
  flat.large = {{64, 128, 7, 7}};
  return {
      flat,
      reshaped("to_images", {{{2, 30}}, {{60}}, {{4, 3, 5}}}, {2, 3, 5, 2}, {2, 3, 5, 2}),
      reshaped("between_images", {{{2, 3, 5, 2}}, {{1, 60, 1, 1}}, {{60, 1, 1, 1}}, {{3, 5, 2, 2}}}, {5, 2, 2, 3},
               {5, 2, 2, 3}),
      reshaped("to_rows", {{{2, 3, 5, 2}}, {{6, 10}}, {{60}}, {{1, 1, 6, 10}}}, {4, 15}, {4, 15}),
      reshaped("scalar", {{{1}}, {{1, 1, 1, 1}}, {{1, 1}}}, {}, {}),
  };
}

Plain joined(const PlainInputs& in, int axis) {
  int size = 0, begin = 0;
  for (const Plain& part : in) size += part.sizes[axis];
  reference::Sizes sizes = in[0].sizes;
  sizes[axis] = size;
  Plain y(sizes);
  for (const Plain& part : in) {
    const Plain placed = reference::place(part, axis, begin, size);
    for (size_t i = 0; i < y.values.size(); ++i) y.values[i] += placed.values[i];
    begin += part.sizes[axis];
  }
  return y;
}

OpCase concatenated(int axis, const std::vector<Shapes>& shapes, const std::vector<Shapes>& refused) {
  OpCase row = moved(
      "concat/axis" + std::to_string(axis), shapes, [=](const OpInputs& in) { return concat(in.tensors, axis); },
      [=](const PlainInputs& in) { return joined(in, axis); }, refused);
  row.asked = {0, 1, 2};
  return row;
}

OpCase sliced(int axis, const std::vector<Shapes>& shapes) {
  return moved(
      "slice/axis" + std::to_string(axis), shapes, [=](const OpInputs& in) { return slice(in[0], axis, 1, 3); },
      [=](const PlainInputs& in) { return reference::slice(in[0], axis, 1, 3); }, {{{2, 2, 2, 2}}, {{}}});
}

OpCase placed(int axis, const std::vector<Shapes>& shapes) {
  return moved(
      "place/axis" + std::to_string(axis), shapes, [=](const OpInputs& in) { return place(in[0], axis, 2, 9); },
      [=](const PlainInputs& in) { return reference::place(in[0], axis, 2, 9); }, {{{8, 8, 8, 8}}, {{}}});
}

std::vector<OpCase> layouts() {
  std::vector<OpCase> rows = reshapes();
  OpCase turned = moved(
      "transpose", {{{3, 33}}, {{33, 3}}, {{1, 7}}, {{1, 1}}}, [](const OpInputs& in) { return transpose(in[0]); },
      [](const PlainInputs& in) { return reference::transpose(in[0]); }, {{{3}}, {{2, 3, 4, 5}}});
  turned.large = {{1024, 1024}};
  rows.push_back(turned);
  rows.push_back(sliced(0, {{{3, 33}}, {{7}}, {{5, 2, 3, 2}}}));
  rows.push_back(sliced(1, {{{3, 33}}, {{2, 3, 3, 2}}, {{2, 3, 5}}}));
  rows.push_back(sliced(3, {{{2, 3, 2, 5}}}));
  rows.push_back(placed(0, {{{3, 33}}, {{7}}, {{5, 2, 3, 2}}}));
  rows.push_back(placed(1, {{{3, 7}}, {{2, 3, 3, 2}}}));
  rows.push_back(placed(2, {{{2, 3, 3, 2}}}));
  rows.push_back(
      concatenated(0, {{{3, 33}, {1, 33}, {2, 33}}, {{3}, {1}, {33}}, {{1, 2, 3, 5}, {3, 2, 3, 5}, {2, 2, 3, 5}}},
                   {{{3, 4}, {3, 5}, {3, 4}}, {{3}, {3, 1}, {3}}}));
  rows.push_back(concatenated(1, {{{3, 33}, {3, 1}, {3, 2}}, {{2, 1, 3, 5}, {2, 3, 3, 5}, {2, 2, 3, 5}}},
                              {{{3, 4}, {4, 4}, {3, 4}}}));
  return rows;
}

}  // namespace

std::vector<OpCase> matrix_cases() {
  std::vector<OpCase> rows = products();
  for (const auto part : {gathers, layouts})
    for (OpCase& row : part()) rows.push_back(std::move(row));
  return rows;
}

}  // namespace tobogan
