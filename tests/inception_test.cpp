// The FID network against the same in PyTorch, weights by a formula on both sides (tests/golden/inception.py), through
// the file that a user would give.
#include "experiments/metrics/inception.h"

#include <cmath>

#include "engine/serialize.h"
#include "tests/support/catch.h"
#include "tests/support/golden.h"
#include "tests/support/hostile.h"
#include "tests/support/temp_folder.h"

namespace tobogan::metrics {
namespace {

using Catch::Matchers::ContainsSubstring;

// Element i of the tensor of that name, in -1..1.
class Formula {
 public:
  explicit Formula(const std::string& name) {
    for (const char c : name) key_ = (key_ ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  }
  double operator()(uint64_t i) const {
    uint64_t x = key_ + (i + 1) * 0x9e3779b97f4a7c15u;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    x = x ^ x >> 31;
    return static_cast<double>(x >> 40) * 0x1p-23 - 1;
  }

 private:
  uint64_t key_ = 0xcbf29ce484222325u;
};

struct Range {
  double scale, shift;
};

Range range_of(const std::string& name, const Shape& shape) {
  if (name.ends_with("conv.weight")) return {std::sqrt(6.0 / (shape.count() / shape[0])), 0};
  if (name == "fc.weight") return {0.05, 0};
  if (name.ends_with("bn.weight")) return {0.2, 1};
  if (name.ends_with("running_var")) return {0.4, 1};
  return {0.2, 0};
}

// The names of PyTorch's network, from ours.
State file_state(const InceptionV3& network) {
  State state = network.state();
  for (NamedValue& value : state) {
    std::string& name = value.name;
    name.erase(0, std::string("inception.").size());
    for (const auto& [ours, theirs] :
         {std::pair(".gamma", ".weight"), {".beta", ".bias"}, {".running_variance", ".running_var"}}) {
      if (name.ends_with(ours)) name.replace(name.rfind('.'), std::string::npos, theirs);
    }
  }
  return state;
}

void fill_by_formula(const State& state) {
  for (const NamedValue& value : state) {
    Tensor tensor = std::get<Tensor>(value.value);
    const Formula formula(value.name);
    const Range range = range_of(value.name, tensor.shape());
    std::vector<Real> values(tensor.count());
    for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<Real>(range.scale * formula(i) + range.shift);
    tensor.set(values);
  }
}

ImageSet picture(int channels, int side) {
  ImageSet set{.count = 1,
               .channels = channels,
               .height = side,
               .width = side,
               .labels = {0},
               .class_names = {"picture"},
               .source = "formula"};
  for (int c = 0; c < channels; ++c) {
    for (int y = 0; y < side; ++y) {
      for (int x = 0; x < side; ++x)
        set.pixels.push_back(static_cast<uint8_t>(x * x + 3 * y * (c + 1) + x * y * 5 + 40 * c));
    }
  }
  return set;
}

std::vector<Real> row_of(const Features& x) {
  return {x.data(), x.data() + x.size()};
}

TEST_CASE("features and probabilities of a grey and a colour image are PyTorch's") {
  const TempFolder folder;
  Machine machine({.threads = 2});
  Context context(machine, 1);
  InceptionV3 network(context, "inception");
  // PyTorch's network has 23,834,568 without its auxiliary head; the last layer differs.
  CHECK(network.parameter_count() == 23834568 - (2048 + 1) * 1000 + 2048 * 1008);
  const State state = file_state(network);
  fill_by_formula(state);
  save(folder.path() / "weights.safetensors", state);
  for (const NamedTensor& parameter : network.named_parameters()) {
    Tensor tensor = parameter.tensor;
    tensor.set(std::vector<Real>(tensor.count(), 0));
  }
  load_inception(folder.path() / "weights.safetensors", network);
  const Golden golden("inception");
  int64_t told = 0;
  for (const auto& [name, set] : {std::pair(std::string("grey"), picture(1, 28)), {"colour", picture(3, 32)}}) {
    const InceptionFeatures found = inception_features(network, set, [&](int64_t done, int64_t) { told += done; });
    CHECK(tobogan::distance(row_of(found.features), golden.host(name + "/features").values) < 1e-5);
    CHECK(tobogan::distance(row_of(found.probabilities), golden.host(name + "/probabilities").values) < 1e-4);
    CHECK(found.probabilities.sum() == Approx(1));
  }
  CHECK(told == 2);
}

TEST_CASE("without weights the answer is n/a and why; a wrong file is named") {
  const TempFolder folder;
  CHECK(inception_unavailable("") == "n/a: no Inception weights were given");
  const std::filesystem::path missing = folder.path() / "missing.safetensors", wrong = folder.path() / "wrong";
  CHECK_THAT(inception_unavailable(missing), ContainsSubstring("n/a") && ContainsSubstring("missing.safetensors"));
  Machine machine({.threads = 1});
  Context context(machine, 1);
  save(wrong, {{"Conv2d_1a_3x3.conv.weight", Tensor::zeros({32, 3, 3, 3}, context.device)}});
  CHECK(inception_unavailable(wrong).empty());
  InceptionV3 network(context, "inception");
  CHECK_THAT(refusal([&] { load_inception(wrong, network); }),
             ContainsSubstring("wrong") && ContainsSubstring("Conv2d_1a_3x3.bn"));
  ImageSet two = picture(1, 4);
  two.channels = 2;
  CHECK_THAT(refusal([&] { inception_features(network, two); }), ContainsSubstring("2 channels"));
}

}  // namespace
}  // namespace tobogan::metrics
