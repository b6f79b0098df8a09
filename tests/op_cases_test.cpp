// Every row of tests/support/op_cases.h: value, derivatives, repeatability, refusals.  Compiled twice: in float, which
// is what users run, and in double, where derivatives can be checked against differences.
#include "tests/support/op_cases.h"

#include <fstream>
#include <numeric>
#include <regex>
#include <set>

#include "engine/atomic_file.h"
#include "engine/autograd.h"
#include "engine/nn/loss.h"
#include "engine/step.h"
#include "tests/support/catch.h"
#include "tests/support/devices.h"
#include "tests/support/gradcheck.h"
#include "tests/support/hostile.h"

namespace tobogan {
namespace {

const std::string kRoot = TOBOGAN_SOURCE_DIR;

std::string text_of(const Shapes& shapes) {
  std::string text;
  for (const Shape& shape : shapes) text += (text.empty() ? " of " : " and ") + concat_text(shape);
  return text;
}

TEST_CASE("every operation computes what plain loops in double compute, on every device") {
  for (const std::string& device : devices()) {
    Machine machine({.device = device, .threads = 2});
    for (const OpCase& row : op_cases()) {
      for (const Shapes& shapes : row.shapes) {
        const DrawnInputs drawn = draw_inputs(row, shapes, machine.device());
        const Tensor y = row.run(drawn.inputs);
        const reference::Plain wanted = row.reference(drawn.plain);
        INFO(row.name << text_of(shapes) << " on " << device);
        REQUIRE(y.shape().rank() == static_cast<int>(wanted.sizes.size()));
        for (int axis = 0; axis < y.shape().rank(); ++axis) CHECK(y.shape()[axis] == wanted.sizes[axis]);
        CHECK(difference(row.name + text_of(shapes), y, wanted.values, row.tolerance) == "");
      }
    }
  }
}

#ifdef TOBOGAN_DOUBLE
// The row as a function of its tensors alone.
TensorFunction function_of(const OpCase& row, const OpInputs& inputs) {
  return [&row, inputs](const std::vector<Tensor>& tensors) {
    OpInputs moved = inputs;
    moved.tensors = tensors;
    return row.run(moved);
  };
}

TEST_CASE("first derivatives are what central differences say, fused and composed") {
  Machine machine({.threads = 1});
  for (const OpCase& row : op_cases()) {
    for (const Shapes& shapes : row.shapes) {
      const DrawnInputs drawn = draw_inputs(row, shapes, machine.device());
      if (row.asked.empty()) continue;
      CHECK(wrong_first_derivative(row.name + text_of(shapes), function_of(row, drawn.inputs), drawn.inputs.tensors,
                                   row.asked) == "");
    }
  }
}

TEST_CASE("second derivatives are what central differences of the first say") {
  Machine machine({.threads = 1});
  for (const OpCase& row : op_cases()) {
    for (const Shapes& shapes : row.shapes) {
      const DrawnInputs drawn = draw_inputs(row, shapes, machine.device());
      if (row.asked.empty()) continue;
      CHECK(wrong_second_derivative(row.name + text_of(shapes), function_of(row, drawn.inputs), drawn.inputs.tensors,
                                    row.asked) == "");
    }
  }
}
#else
TEST_CASE("large results have the same bits for one, two and three threads") {
  Machine one({.threads = 1}), two({.threads = 2}), three({.threads = 3});
  for (const OpCase& row : op_cases()) {
    if (row.large.empty()) continue;
    const DrawnInputs drawn = draw_inputs(row, row.large, one.device());
    const Tensor expected = row.run(drawn.inputs);
    for (const Machine* machine : {&two, &three}) {
      const DrawnInputs again = draw_inputs(row, row.large, machine->device());
      CHECK(bit_difference(row.name + text_of(row.large), row.run(again.inputs), expected) == "");
    }
  }
}
#endif

#ifdef TOBOGAN_WITH_CUDA
// The gradients of <y, w> for a w that varies, and of <those, other w>: first and second derivatives.
std::vector<Tensor> derivatives(const OpCase& row, const DrawnInputs& drawn) {
  DrawnInputs at = drawn;
  std::vector<Tensor> wrt;
  for (const int i : row.asked) wrt.push_back(at.inputs.tensors[i].require_grad());
  const Device& on = at.inputs.device;
  const auto weighted = [&](const Tensor& y, int which) {
    std::vector<Real> weights(y.count());
    for (size_t i = 0; i < weights.size(); ++i) weights[i] = static_cast<Real>((i * 7 + which * 3) % 11 - 5.0) / 4;
    return sum(y * Tensor::from_host(y.shape(), weights, on));
  };
  std::vector<Tensor> first = grad(weighted(row.run(at.inputs), 0), wrt, {.create_graph = true});
  Tensor all = weighted(first[0], 1);
  for (size_t i = 1; i < first.size(); ++i) all = all + weighted(first[i], static_cast<int>(i) + 1);
  std::vector<Tensor> results = first;
  for (Tensor& second : grad(all, wrt)) results.push_back(second);
  return results;
}

TEST_CASE("first and second derivatives on a GPU are the CPU's") {
  for (const std::string& device : gpus()) {
    Machine cpu({.threads = 1}), gpu({.device = device});
    for (const OpCase& row : op_cases()) {
      if (row.asked.empty()) continue;
      for (const Shapes& shapes : row.shapes) {
        const std::vector<Tensor> wanted = derivatives(row, draw_inputs(row, shapes, cpu.device()));
        const std::vector<Tensor> got = derivatives(row, draw_inputs(row, shapes, gpu.device()));
        REQUIRE(got.size() == wanted.size());
        for (size_t i = 0; i < got.size(); ++i) {
          INFO("on " << device);
          CHECK(difference(row.name + text_of(shapes) + ", derivative " + std::to_string(i), values_of(got[i]),
                           values_of(wanted[i]), 2e-5) == "");
        }
      }
    }
  }
}
#endif

TEST_CASE("under Step every operation gives the same bits again, value and gradients") {
  for (const std::string& device : devices()) {
    Machine machine({.device = device, .threads = 2});
    Context context(machine, 1);
    for (const OpCase& row : op_cases()) {
      DrawnInputs drawn = draw_inputs(row, row.shapes[0], machine.device());
      for (const int i : row.asked) drawn.inputs.tensors[i].require_grad();
      std::vector<std::vector<Tensor>> runs;
      Step step(context, [&] {
        const Tensor y = row.run(drawn.inputs);
        std::vector<Tensor> wrt, results{y};
        for (const int i : row.asked) wrt.push_back(drawn.inputs[i]);
        for (Tensor& gradient : grad(y, wrt, {.seed = Tensor::full(y.shape(), 1, machine.device())}))
          results.push_back(gradient);
        runs.push_back(results);
      });
      step();
      step();
      for (size_t i = 0; i < runs[0].size(); ++i) CHECK(bit_difference(row.name, runs[0][i], runs[1][i]) == "");
    }
  }
}

// Whether the sentence names two of the shapes, or the only one.
bool names_shapes(const std::string& sentence, const Shapes& shapes) {
  std::set<std::string> all, named;
  for (const Shape& shape : shapes) {
    all.insert(concat_text(shape));
    if (sentence.find(concat_text(shape)) != std::string::npos) named.insert(concat_text(shape));
  }
  return named.size() >= std::min<size_t>(2, all.size());
}

TEST_CASE("shapes that do not go together are refused, and the sentence names them") {
  Machine machine({.threads = 1});
  for (const OpCase& row : op_cases()) {
    for (const Shapes& shapes : row.refused) {
      const DrawnInputs drawn = draw_inputs(row, shapes, machine.device());
      const std::string sentence = refusal([&] { row.run(drawn.inputs); });
      INFO(row.name << text_of(shapes) << " was refused with: " << sentence);
      CHECK(sentence != "");
      CHECK(names_shapes(sentence, shapes));
    }
  }
}

TEST_CASE("labels and targets that do not go with a tensor are refused") {
  Machine machine({.threads = 1});
  const Device& on = machine.device();
  const Tensor x = Tensor::zeros({5, 4}, on);
  using Catch::Matchers::ContainsSubstring;
  CHECK_THROWS_WITH(pick(x, some_indices(4, 4, on)), ContainsSubstring("{5, 4}") && ContainsSubstring("4 rows"));
  CHECK_THROWS_WITH(cross_entropy(x, some_indices(6, 4, on)), ContainsSubstring("{5, 4}"));
  CHECK_THROWS_WITH(unpick(Tensor::zeros({5}, on), some_indices(4, 4, on), 4), ContainsSubstring("{5}"));
  CHECK_THROWS_WITH(scatter_rows(x, some_indices(4, 4, on), 4), ContainsSubstring("{5, 4}"));
  CHECK_THROWS_WITH(sum_to(x, {1, 2}), ContainsSubstring("{5, 4}") && ContainsSubstring("{1, 2}"));
  CHECK_THROWS_WITH(slice(x, 2, 0, 1), ContainsSubstring("{5, 4}"));
  CHECK_THROWS_WITH(clamp(x, 1, 0), ContainsSubstring("low <= high"));
  CHECK_THROWS_WITH(leaky_relu(x, 1.5), ContainsSubstring("slope"));
  CHECK_THROWS_WITH(conv2d(Tensor::zeros({1, 1, 3, 3}, on), Tensor::zeros({1, 1, 1, 1}, on), {.stride = 0}),
                    ContainsSubstring("stride"));
}

TEST_CASE("labels outside of the classes are refused on the CPU, where they would be written past the end") {
  Machine machine({.threads = 1});
  const Device& on = machine.device();
  const Tensor x = Tensor::zeros({2, 4}, on), values = Tensor::zeros({2}, on);
  using Catch::Matchers::ContainsSubstring;
  for (const int32_t wrong : {-1, 4, 1 << 30}) {
    const Indices labels(std::vector<int32_t>{3, wrong}, on);
    const auto told = ContainsSubstring(concat_text("from 0 to below 4, got ", wrong));
    CHECK_THROWS_WITH(cross_entropy(x, labels), told);
    CHECK_THROWS_WITH(pick(x, labels), told);
    CHECK_THROWS_WITH(unpick(values, labels, 4), told);
    CHECK_THROWS_WITH(one_hot(labels, 4), told);
    CHECK_THROWS_WITH(scatter_rows(x, labels, 4), told);
    CHECK_THROWS_WITH(embedding(Tensor::zeros({4, 3}, on), labels), told);
  }
  CHECK(one_hot(Indices(int64_t{0}, on), 4).shape() == Shape{0, 4});
}

TEST_CASE("windows, padding and kernels that no image has are refused") {
  Machine machine({.threads = 1});
  const Device& on = machine.device();
  const Tensor x = Tensor::zeros({1, 3, 6, 6}, on), weight = Tensor::zeros({3, 3, 3, 3}, on);
  using Catch::Matchers::ContainsSubstring;
  for (const Padding& negative : {Padding(-1), Padding(-1, 0, 0, 0), Padding(0, 0, 0, -2)}) {
    CHECK_THROWS_WITH(conv2d(x, weight, {.padding = negative}), ContainsSubstring("must not be negative"));
    CHECK_THROWS_WITH(conv_transpose2d(x, weight, {.padding = negative}), ContainsSubstring("must not be negative"));
    CHECK_THROWS_WITH(max_pool2d(x, {.padding = negative}), ContainsSubstring("max_pool2d"));
    CHECK_THROWS_WITH(avg_pool2d(x, {.padding = negative}), ContainsSubstring("avg_pool2d"));
  }
  for (const Shape& empty : {Shape{3, 3, 0, 3}, Shape{3, 3, 3, 0}}) {
    const Tensor nothing = Tensor::zeros(empty, on);
    const auto told = ContainsSubstring(concat_text(empty));
    CHECK_THROWS_WITH(conv2d(x, nothing), told);
    CHECK_THROWS_WITH(conv_transpose2d(x, nothing), told);
    // Nor are there images without pixels, whatever the padding would make of them.
    CHECK_THROWS_WITH(conv2d(nothing, weight, {.padding = 1}), told && ContainsSubstring("at least one pixel"));
    CHECK_THROWS_WITH(conv_transpose2d(nothing, weight), told && ContainsSubstring("at least one pixel"));
    CHECK_THROWS_WITH(max_pool2d(nothing, {.padding = 1}), told && ContainsSubstring("at least one pixel"));
    CHECK_THROWS_WITH(avg_pool2d(nothing, {.padding = 1}), told && ContainsSubstring("at least one pixel"));
    CHECK_THROWS_WITH(upsample_nearest(nothing, 2), told && ContainsSubstring("at least one pixel"));
  }
  CHECK_THROWS_WITH(conv_transpose2d(x, Tensor::zeros({3, 0, 3, 3}, on)), ContainsSubstring("{3, 0, 3, 3}"));
  for (const PoolOptions& wrong :
       {PoolOptions{.stride = 0}, PoolOptions{.kernel = 0}, PoolOptions{.kernel = {2, -1}},
        PoolOptions{.padding = Padding::same()}, PoolOptions{.padding = 2}, PoolOptions{.kernel = 7}}) {
    CHECK_THROWS_WITH(max_pool2d(x, wrong), ContainsSubstring("max_pool2d"));
    CHECK_THROWS_WITH(avg_pool2d(x, wrong), ContainsSubstring("avg_pool2d"));
  }
}

// pooled_size, counted: windows start every `stride` pixels from the padding on, and each is full or, with ceil, begins
// before the image's end.
TEST_CASE("as many windows as fit, and with ceil one more where it begins inside the image") {
  for (int size = 1; size <= 9; ++size)
    for (int kernel = 1; kernel <= 5; ++kernel)
      for (int stride = 1; stride <= 5; ++stride)
        for (int before = 0; before <= kernel / 2; ++before)
          for (int after = 0; after <= kernel / 2; ++after) {
            int full = 0, start = -before;
            for (; start + kernel <= size + after; start += stride) ++full;
            // One more at most, where the window before it, if there was one, left pixels over.
            const int begun = full + (start < size && start + kernel - stride < size + after);
            INFO(size << " pixels, windows of " << kernel << " every " << stride << ", padding " << before << ", "
                      << after);
            CHECK(pooled_size(size, kernel, stride, before, after, false) == full);
            CHECK(pooled_size(size, kernel, stride, before, after, true) == begun);
          }
}

TEST_CASE("tensors of two machines do not meet") {
  Machine here({.threads = 1}), there({.threads = 1});
  const Tensor x = Tensor::zeros({2, 2}, here.device()), y = Tensor::zeros({2, 2}, there.device());
  const Tensor image = reshape(x, {1, 1, 2, 2}), weight = reshape(y, {1, 1, 2, 2});
  using Catch::Matchers::ContainsSubstring;
  const auto told = ContainsSubstring("two machines");
  CHECK_THROWS_WITH(x + y, told);
  CHECK_THROWS_WITH(matmul(x, y), told);
  CHECK_THROWS_WITH(concat({x, y}, 0), told);
  CHECK_THROWS_WITH(conv2d(image, weight), told);
  CHECK_THROWS_WITH(add_bias(x, reshape(slice(y, 0, 0, 1), {2})), told);
  CHECK_THROWS_WITH(batch_norm(x, reshape(slice(y, 0, 0, 1), {2}), {}), told);
  CHECK_THROWS_WITH(pick(x, Indices(std::vector<int32_t>{0, 1}, there.device())), told);
}

TEST_CASE("an empty batch flattens to its features, and images of other channels reshape in place") {
  Machine machine({.threads = 1});
  const Device& on = machine.device();
  CHECK(flatten(Tensor::zeros({0, 3, 2, 2}, on)).shape() == Shape{0, 12});
  std::vector<Real> values(2 * 3 * 2 * 2);
  std::iota(values.begin(), values.end(), Real(0));
  const Tensor x = Tensor::from_host({2, 3, 2, 2}, values, on), y = reshape(x, {3, 2, 2, 2});
  CHECK(y.data() == x.data());
  CHECK(y.to_host() == values);
  CHECK(reshape(x, {2, 2, 3, 2}).to_host() == values);
}

// The names of the functions that return a Tensor (or a result made of tensors), as headers declare them.
std::set<std::string> declared_operations() {
  std::set<std::string> names;
  std::vector<std::filesystem::path> headers{kRoot + "/engine/nn/loss.h"};
  for (const auto& entry : std::filesystem::directory_iterator(kRoot + "/engine/ops"))
    if (entry.path().extension() == ".h") headers.push_back(entry.path());
  const std::regex declaration(R"((?:^|\n)(?:inline )?(?:Tensor|Indices|BatchNormResult) (operator.|\w+)\()");
  for (const auto& header : headers) {
    const std::string text = read_text(header);
    for (std::sregex_iterator match(text.begin(), text.end(), declaration), end; match != end; ++match)
      names.insert((*match)[1]);
  }
  return names;
}

TEST_CASE("every public operation has a row, and every row's tolerance stands in docs/numerics.md") {
  std::set<std::string> rows;
  std::map<std::string, Tolerance> tolerances;
  for (const OpCase& row : op_cases()) {
    rows.insert(row.op());
    Tolerance& largest = tolerances[row.op()];
    largest.of_each = std::max(largest.of_each, row.tolerance.of_each);
    largest.of_largest = std::max(largest.of_largest, row.tolerance.of_largest);
  }
  const std::set<std::string> declared = declared_operations();
  REQUIRE(declared.size() > 50);
  for (const std::string& name : declared) {
    INFO("no row of tests/support/op_cases_*.cpp is about " << name);
    CHECK(rows.contains(name));
  }
  const std::string numerics = read_text(kRoot + "/docs/numerics.md");
  for (const auto& [op, tolerance] : tolerances) {
    const std::string line = concat_text("| `", op, "` | ", tolerance.of_each, " | ", tolerance.of_largest, " | ");
    INFO("docs/numerics.md lacks a line that begins: " << line);
    CHECK((numerics.find(line) != std::string::npos));
  }
}

}  // namespace
}  // namespace tobogan
