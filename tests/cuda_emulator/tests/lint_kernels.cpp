// lint_kernels FOLDER...: the rules for .cu and .cuh files that no compiler and no mode of the emulator can check.
//   - shared memory only through SHARED and DYN_SMEM (a bare __shared__ would escape every checker);
//   - every kernel has __launch_bounds__, so that a launch with a larger block is caught;
//   - no `#pragma unroll` before a loop over a range, which nvcc leaves rolled, so that an array it runs through is in
//     memory instead of in registers;
//   - no <<< >>>, no __activemask, no __CUDA_ARCH__, and inline assembly only in ptx.cuh.
// Without folders it checks itself on examples of each mistake.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

namespace {

// The text with comments and strings blanked out, line by line as it was.
std::string without_comments(const std::string& text) {
  static const std::regex kIgnored(R"(//[^\n]*|/\*[^]*?\*/|"(\\.|[^"\\\n])*")");
  std::string result = text;
  for (std::sregex_iterator match(text.begin(), text.end(), kIgnored), end; match != end; ++match)
    for (long i = match->position(); i < match->position() + match->length(); ++i)
      if (result[size_t(i)] != '\n') result[size_t(i)] = ' ';
  return result;
}

struct Rule {
  std::regex mistake;
  const char* sentence;
  std::vector<std::string> exempt_files;
};
const std::vector<Rule>& rules() {
  static const std::vector<Rule> kRules = {
      {std::regex(R"(\b__shared__\b)"), "shared memory outside of SHARED and DYN_SMEM", {"device.cuh"}},
      {std::regex(R"(__global__(?![^;{]*__launch_bounds__))"), "a kernel without __launch_bounds__", {}},
      {std::regex(R"(#pragma unroll[^\n]*\n\s*for \([^;)]*:)"), "an unrolled loop over a range, which nvcc rolls", {}},
      {std::regex(R"(<<<)"), "a launch outside of Launch", {}},
      {std::regex(R"(\b__activemask\b)"), "__activemask, which promises nothing", {}},
      {std::regex(R"(\b__CUDA_ARCH__\b)"), "a difference between architectures", {"ptx.cuh"}},
      {std::regex(R"(\basm\b)"), "inline assembly", {"ptx.cuh"}}};
  return kRules;
}

// The number of mistakes, each printed.
int lint(const std::string& name, const std::string& contents) {
  const std::string text = without_comments(contents);
  int mistakes = 0;
  for (const Rule& rule : rules()) {
    const std::string file = std::filesystem::path(name).filename().string();
    if (std::find(rule.exempt_files.begin(), rule.exempt_files.end(), file) != rule.exempt_files.end()) continue;
    for (std::sregex_iterator match(text.begin(), text.end(), rule.mistake), end; match != end; ++match) {
      const auto line = 1 + std::count(text.begin(), text.begin() + match->position(), '\n');
      std::printf("%s:%ld: %s\n", name.c_str(), long(line), rule.sentence);
      ++mistakes;
    }
  }
  return mistakes;
}

int lint_folder(const std::string& folder) {
  int mistakes = 0, files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.path().extension() != ".cu" && entry.path().extension() != ".cuh") continue;
    std::ostringstream contents;
    contents << std::ifstream(entry.path()).rdbuf();
    mistakes += lint(entry.path().string(), contents.str());
    ++files;
  }
  std::printf("%s: %d files, %d mistakes\n", folder.c_str(), files, mistakes);
  return files ? mistakes : 1;
}

int check_self() {
  const std::string kernel = "__global__ void __launch_bounds__(64) k(int* y) { ";
  struct Example {
    std::string text;
    int mistakes;
  };
  const std::vector<Example> examples = {{kernel + "SHARED(int, a, [4]); }", 0},
                                         {kernel + "// __shared__ int a[4];\n /* asm */ }", 0},
                                         {kernel + "check(\"<<<\"); }", 0},
                                         {kernel + "__shared__ int a[4]; }", 1},
                                         {kernel + "extern __shared__ int a[]; }", 1},
                                         {"template <int kN>\n__global__ void k(int* y) { }", 1},
                                         {"k<<<1, 32>>>(y);", 1},
                                         {kernel + "unsigned m = __activemask(); }", 1},
                                         {kernel + "asm volatile(\"bar.sync 0;\"); }", 1},
                                         {"#pragma unroll\n  for (auto& x : y) x = 0;", 1},
                                         {"#pragma unroll 4\n  for (int i = 0; i < (a ? b : c); ++i) x = 0;", 0},
                                         {"#if __CUDA_ARCH__ >= 900", 1}};
  int wrong = 0;
  for (const Example& example : examples) wrong += lint("example.cu", example.text) != example.mistakes;
  std::printf("%d of %zu examples judged wrongly\n", wrong, examples.size());
  return wrong;
}

}  // namespace

int main(int argc, char** argv) {
  int mistakes = argc < 2 ? check_self() : 0;
  for (int i = 1; i < argc; ++i) mistakes += lint_folder(argv[i]);
  return mistakes != 0;
}
