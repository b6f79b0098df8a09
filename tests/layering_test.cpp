// The arrows of docs/architecture.md, checked: who may include whom, what no file may contain, how long files may grow.
#include <filesystem>
#include <map>
#include <regex>
#include <set>

#include "engine/atomic_file.h"
#include "tests/support/catch.h"

namespace tobogan {
namespace {

const std::filesystem::path kRoot = TOBOGAN_SOURCE_DIR;
const std::vector<std::string> kFolders = {"kernels", "engine", "models", "datasets", "experiments", "bench", "tests"};

struct Source {
  std::string path;  // from the root
  std::string text;
  std::vector<std::string> includes;
};

bool starts_with_one_of(const std::string& text, const std::vector<std::string>& beginnings) {
  return std::any_of(beginnings.begin(), beginnings.end(), [&](const auto& b) { return text.starts_with(b); });
}

std::vector<std::string> includes_of(const std::string& text) {
  static const std::regex directive("(?:^|\n)[ \t]*#[ \t]*include[ \t]*([<\"][^>\"\n]+[>\"])");
  std::vector<std::string> includes;
  for (std::sregex_iterator match(text.begin(), text.end(), directive), end; match != end; ++match)
    includes.push_back((*match)[1]);
  return includes;
}

const std::vector<Source>& sources() {
  static const std::vector<Source> all = [] {
    std::vector<Source> found;
    for (const std::string& folder : kFolders) {
      if (!std::filesystem::exists(kRoot / folder)) continue;
      for (const auto& entry : std::filesystem::recursive_directory_iterator(kRoot / folder)) {
        const std::string ending = entry.path().extension();
        if (!std::set<std::string>{".h", ".cpp", ".cu", ".cuh"}.contains(ending)) continue;
        const std::string path = std::filesystem::relative(entry.path(), kRoot), text = read_text(entry.path());
        // The emulator stands in for the CUDA toolkit, and has a toolkit's way with includes and the environment.
        if (!path.starts_with("tests/cuda_emulator/")) found.push_back({path, text, includes_of(text)});
      }
    }
    return found;
  }();
  return all;
}

// What lies below what: a file may include files of its own layer and of the layers named with it.  A file belongs to
// the first layer whose beginning its path has.
struct Layer {
  std::string begins;
  std::vector<std::string> below;
};

const std::vector<Layer> kLayers = {
    {"kernels/cores.", {}},
    {"kernels/cpu/", {"kernels/"}},
    {"kernels/cuda/", {"kernels/"}},
    {"kernels/cudnn/", {"kernels/"}},
    {"kernels/", {"kernels/"}},
    {"engine/error.", {}},
    {"engine/atomic_file.", {"engine/atomic_file.h", "engine/error.h"}},
    {"engine/nn/", {"engine/", "kernels/"}},
    {"engine/optim.", {"engine/", "kernels/"}},
    {"engine/step.", {"engine/context.h", "engine/step.h", "kernels/"}},
    {"engine/ops/",
     {"engine/ops/", "engine/autograd.h", "engine/tensor.h", "engine/memory.h", "engine/shape.h", "engine/device.h",
      "engine/random.h", "engine/error.h", "kernels/"}},
    // autograd adds gradients up with the public +.
    {"engine/autograd.", {"engine/autograd.h", "engine/tensor.h", "engine/ops/elementwise.h"}},
    {"engine/serialize.", {"engine/serialize.h", "engine/state.h", "engine/atomic_file.h"}},
    {"engine/checkpoint.", {"engine/checkpoint.h", "engine/serialize.h", "engine/random.h", "engine/error.h"}},
    {"engine/",
     {"engine/context.h", "engine/random.h", "engine/readings.h", "engine/state.h", "engine/tensor.h",
      "engine/autograd.h", "engine/memory.h", "engine/shape.h", "engine/device.h", "engine/error.h", "kernels/"}},
    {"models/", {"models/", "engine/"}},
    {"datasets/batches.", {"datasets/", "engine/", "kernels/"}},
    {"datasets/", {"datasets/", "kernels/cores.h", "engine/error.h", "engine/atomic_file.h"}},
    // Most metrics are dense algebra on the host, on its thread pool.
    {"experiments/metrics/",
     {"experiments/metrics/", "models/", "datasets/", "engine/", "kernels/cores.h", "kernels/cpu/threads.h"}},
    {"experiments/", {"experiments/", "models/", "datasets/", "engine/", "kernels/cores.h"}},
    {"bench/peers/", {}},
    {"bench/", {"bench/", "tests/support/", "models/", "datasets/", "engine/", "kernels/"}},
    {"tests/", kFolders},
};

const Layer& layer_of(const std::string& path) {
  for (const Layer& layer : kLayers)
    if (path.starts_with(layer.begins)) return layer;
  FAIL(path << " belongs to no layer");
  return kLayers.front();
}

TEST_CASE("a file includes only what lies below it") {
  REQUIRE(sources().size() > 100);
  for (const Source& source : sources()) {
    const Layer& layer = layer_of(source.path);
    for (const std::string& include : source.includes) {
      if (include[0] == '<') continue;
      const std::string target = include.substr(1, include.size() - 2);
      INFO(source.path << " includes " << target);
      // From the root, so that a file is found by the name that stands there.
      CHECK(std::filesystem::exists(kRoot / target));
      CHECK(starts_with_one_of(target, layer.below));
    }
  }
}

TEST_CASE("a kernel of one machine does not know another, and the engine knows kernels by their interface") {
  for (const Source& source : sources()) {
    for (const std::string& include : source.includes) {
      INFO(source.path << " includes " << include);
      for (const char* machine : {"kernels/cpu/", "kernels/cuda/", "kernels/cudnn/"}) {
        if (!include.substr(1).starts_with(machine)) continue;
        // Two files make machines out of pools and threads, and one captures what they run.
        const bool makes_machines = source.path == "engine/context.cpp" || source.path == "engine/memory.cpp" ||
                                    source.path == "engine/step.cpp";
        const bool same = source.path.starts_with(machine) ||
                          (source.path.starts_with("kernels/cudnn/") && std::string(machine) == "kernels/cuda/");
        const bool uses_threads = source.path.starts_with("experiments/metrics/");  // and nothing else: kLayers
        CHECK((same || makes_machines || uses_threads || source.path.starts_with("tests/") ||
               source.path.starts_with("bench/")));
      }
    }
  }
}

TEST_CASE("libraries stay in the rooms they were let into") {
  struct Rule {
    std::string library;  // what the include begins with
    std::vector<std::string> rooms;
  };
  const std::vector<Rule> rules = {
      {"<Eigen", {"kernels/cpu/", "experiments/metrics/", "tests/", "bench/"}},
      {"<cuda", {"kernels/cuda/", "kernels/cudnn/", "tests/", "bench/"}},
      {"<cublas", {"kernels/cuda/"}},
      {"<cudnn", {"kernels/cudnn/"}},
      {"<nlohmann", {"engine/serialize.cpp", "engine/checkpoint.cpp", "experiments/", "tests/", "bench/"}},
      {"<CLI", {"experiments/", "tests/", "bench/"}},
      {"<catch2", {"tests/support/catch.h"}},
      {"<torch", {"bench/peers/"}},
      {"<png", {"datasets/", "experiments/", "tests/"}},
      {"<jpeglib", {"datasets/", "experiments/", "tests/"}},
      {"<zlib", {"datasets/", "tests/"}},
  };
  for (const Source& source : sources()) {
    for (const std::string& include : source.includes) {
      for (const Rule& rule : rules) {
        if (!include.starts_with(rule.library)) continue;
        INFO(source.path << " includes " << include);
        CHECK(starts_with_one_of(source.path, rule.rooms));
        // cuBLAS and cuDNN cost every .cu that sees them seconds.
        if (rule.library == "<cublas" || rule.library == "<cudnn") CHECK(source.path.ends_with(".cpp"));
      }
    }
  }
}

// Shared memory is declared through the one header that also knows the emulator.
TEST_CASE("no kernel declares __shared__ by hand") {
  for (const Source& source : sources()) {
    if (!source.path.starts_with("kernels/cuda/") || source.path.ends_with("device.cuh")) continue;
    INFO(source.path);
    CHECK(source.text.find("__shared__") == std::string::npos);
  }
}

// A source may leave its idea to its header.
TEST_CASE("a file opens with its idea, and a header has #pragma once") {
  for (const Source& source : sources()) {
    INFO(source.path);
    const std::string header = source.path.substr(0, source.path.rfind('.')) + ".h";
    CHECK((source.text.starts_with("// ") || source.text.starts_with("#include \"" + header + "\"\n")));
    if (source.path.ends_with(".h") || source.path.ends_with(".cuh"))
      CHECK(source.text.find("\n#pragma once\n") != std::string::npos);
  }
}

TEST_CASE("nothing reads an environment variable, and no file names a machine's own path") {
  for (const Source& source : sources()) {
    if (source.path.starts_with("tests/layering_test") || source.path.starts_with("bench/peers/")) continue;
    INFO(source.path);
    CHECK_FALSE(std::regex_search(source.text, std::regex(R"(\b(secure_)?getenv\s*\()")));
    CHECK_FALSE(std::regex_search(source.text, std::regex(R"("/(home|work|root)/)")));
  }
}

// The wish is 120 lines for a header and 350 for a source; a file that needs half as much again needs a second file.
TEST_CASE("files stay short") {
  std::string long_files;
  for (const Source& source : sources()) {
    const bool header = source.path.ends_with(".h");  // a .cuh is kernels: code that happens to be included
    const auto lines = std::count(source.text.begin(), source.text.end(), '\n');
    const int wish = header ? 120 : 350;
    if (lines > wish) long_files += "\n  " + source.path + ": " + std::to_string(lines);
    INFO(source.path << " has " << lines << " lines, the wish is " << wish);
    CHECK(lines <= wish * 3 / 2);
  }
  if (!long_files.empty()) WARN("longer than wished:" << long_files);
}

}  // namespace
}  // namespace tobogan
