// The options of every experiment: what they accept, what they refuse and in which words.
#include <CLI/CLI.hpp>

#include "engine/error.h"
#include "experiments/run/options.h"
#include "kernels/cores.h"
#include "tests/support/catch.h"
#include "tests/support/quiet.h"
#include "tests/support/temp_folder.h"

using namespace tobogan;
using Catch::Matchers::ContainsSubstring;

namespace {

struct Parsed {
  RunOptions options;
  int status;
  bool body_ran;
  std::string out, err;
};

Parsed parse(
    std::vector<std::string> words, const std::function<int()>& body = [] { return 0; }) {
  Parsed parsed{.options = {.experiment = "abadi"}, .status = 0, .body_ran = false, .out = {}, .err = {}};
  const Quiet quiet;
  CLI::App app("An experiment");
  add_run_options(app, parsed.options);
  words.insert(words.begin(), "abadi");
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  parsed.status = run_main(app, parsed.options, static_cast<int>(words.size()), arguments.data(), [&] {
    parsed.body_ran = true;
    return body();
  });
  parsed.out = quiet.out();
  parsed.err = quiet.err();
  return parsed;
}

using Seeds = std::vector<std::uint64_t>;

}  // namespace

TEST_CASE("without options: the quick profile on the CPU, all cells, all cores") {
  const Parsed parsed = parse({});
  CHECK(parsed.status == 0);
  CHECK(parsed.body_ran);
  const RunOptions& o = parsed.options;
  CHECK(o.profile == Profile::quick);
  CHECK(o.device == "cpu");
  CHECK(o.seeds == Seeds{1});
  CHECK(o.cells == "*");
  CHECK(o.out == "results/abadi-quick");
  CHECK(o.threads == kernels::available_cores());
  CHECK(o.resume);
  CHECK_FALSE(o.max_minutes);
}

TEST_CASE("every option reaches its field") {
  TempFolder data, other;
  const Parsed parsed = parse({"--data",
                               data.path(),
                               "--device",
                               "cuda",
                               "--profile",
                               "paper",
                               "--seeds",
                               "3,1,10-12",
                               "--jobs",
                               "4",
                               "--cells",
                               "gan-*",
                               "--shard",
                               "2/8",
                               "--merge",
                               other.path().native() + "," + data.path().native(),
                               "--max-minutes",
                               "1.5",
                               "--checkpoint-minutes",
                               "0",
                               "--no-resume",
                               "--report-only",
                               "--list"});
  REQUIRE(parsed.err == "");
  const RunOptions& o = parsed.options;
  CHECK(o.data == data.path());
  CHECK(o.device == "cuda");
  CHECK(o.profile == Profile::paper);
  CHECK(o.seeds == Seeds{1, 3, 10, 11, 12});
  CHECK(o.jobs == 4);
  CHECK(o.threads == std::max(1, kernels::available_cores() / 4));
  CHECK(o.cells == "gan-*");
  CHECK(o.shard.index == 2);
  CHECK(o.shard.count == 8);
  CHECK(o.out == "results/abadi-paper");
  CHECK(o.merge == std::vector<std::filesystem::path>{other.path(), data.path()});
  CHECK(o.max_minutes == 1.5);
  CHECK(o.checkpoint_minutes == 0);
  CHECK_FALSE(o.resume);
  CHECK(o.report_only);
  CHECK(o.list);
  CHECK(parse({"--out", "here", "--threads", "3"}).options.out == "here");
  CHECK(parse({"--out", "here", "--threads", "3"}).options.threads == 3);
}

TEST_CASE("a wrong value is one sentence with the option, what was expected and what came") {
  const auto [words, sentence] = GENERATE(table<std::vector<std::string>, std::string>({
      {{"--profile", "big"}, "error: --profile: expected quick, standard or paper, got 'big'\n"},
      {{"--device", "tpu"}, "error: --device: expected cpu, cuda or cudnn, got 'tpu'\n"},
      {{"--shard", "3/2"}, "error: --shard: expected I/N with 1 <= I <= N, such as 2/8, got '3/2'\n"},
      {{"--shard", "0/2"}, "error: --shard: expected I/N with 1 <= I <= N, such as 2/8, got '0/2'\n"},
      {{"--shard", "1/2/3"}, "error: --shard: expected I/N with 1 <= I <= N, such as 2/8, got '1/2/3'\n"},
      {{"--shard", "2"}, "error: --shard: expected I/N with 1 <= I <= N, such as 2/8, got '2'\n"},
      {{"--threads", "0"}, "error: --threads: expected a whole number from 1 to 1024, got '0'\n"},
      {{"--threads", "2x"}, "error: --threads: expected a whole number from 1 to 1024, got '2x'\n"},
      {{"--jobs", "99999999999"}, "error: --jobs: expected a whole number from 1 to 1024, got '99999999999'\n"},
      {{"--seeds", "3-1"}, "error: --seeds: expected seeds such as 1-3 or 1,7 (at most 1000), got '3-1'\n"},
      {{"--seeds", "1,,2"}, "error: --seeds: expected seeds such as 1-3 or 1,7 (at most 1000), got '1,,2'\n"},
      {{"--seeds", "0-18446744073709551615"},
       "error: --seeds: expected seeds such as 1-3 or 1,7 (at most 1000), got '0-18446744073709551615'\n"},
      {{"--seeds", "1-3,2"}, "error: --seeds: expected every seed once and at most 1000 of them, got '1-3,2'\n"},
      {{"--max-minutes", "nan"}, "error: --max-minutes: expected minutes, 0 or more, got 'nan'\n"},
      {{"--max-minutes=-1"}, "error: --max-minutes: expected minutes, 0 or more, got '-1'\n"},
      {{"--data", "no/such"}, "error: --data: expected a folder, but 'no/such' is none\n"},
      {{"--cells", ""}, "error: --cells: expected a pattern such as 'gan-*', got an empty text\n"},
  }));
  const Parsed parsed = parse(words);
  CHECK(parsed.err == sentence);
  CHECK(parsed.status == 1);
  CHECK_FALSE(parsed.body_ran);
}

TEST_CASE("an unknown option points to --help, and --help explains every option with its default") {
  const Parsed unknown = parse({"--speed", "9"});
  CHECK(unknown.status == 1);
  CHECK_THAT(unknown.err, ContainsSubstring("error: ") && ContainsSubstring("--speed") && ContainsSubstring("--help"));
  const Parsed help = parse({"--help"});
  CHECK(help.status == 0);
  CHECK_FALSE(help.body_ran);
  for (const char* text : {"--data", "--device", "--profile", "--seeds", "--jobs", "--cells", "--shard", "--out",
                           "--merge", "--resume", "--threads", "--max-minutes", "--checkpoint-minutes", "--report-only",
                           "--list", "quick|standard|paper", "results/abadi-<profile>", "all cores / jobs"})
    CHECK_THAT(help.out, ContainsSubstring(text));
}

TEST_CASE("what the body throws is a sentence and status 1; its own status is the program's") {
  CHECK(parse({}, [] { return 75; }).status == 75);
  const Parsed failed = parse({}, []() -> int { throw Error("no space"); });
  CHECK(failed.status == 1);
  CHECK(failed.err == "error: no space\n");
  CHECK(parse({}, []() -> int { throw std::bad_alloc(); }).err == "error: out of memory\n");
}

TEST_CASE("the command line can be typed again") {
  const Parsed parsed = parse({"--cells", "it's *", "--out", "a b", "--no-resume", "--jobs=2"});
  CHECK(command_line(parsed.options) == "abadi --cells 'it'\\''s *' --out 'a b' --no-resume --jobs=2");
  CHECK(command_line(parsed.options, true) == "abadi --cells 'it'\\''s *' --out 'a b' --jobs=2");
}

TEST_CASE("a number with a fraction is inside its range, and NaN is not") {
  const CLI::Validator range = number_in(0.5, 2);
  for (const char* text : {"0.5", "1", "2"}) CHECK(range(std::string(text)).empty());
  for (const char* text : {"0.49", "2.1", "nan", "inf", "one", ""})
    CHECK_THAT(range(std::string(text)), ContainsSubstring("from 0.5 to 2"));
}
