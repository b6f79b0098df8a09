// Every value is checked where it is read, so that a wrong one is refused with its option's name before anything runs.
#include "experiments/run/options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <csignal>
#include <iostream>
#include <limits>
#include <new>
#include <string_view>

#include "engine/error.h"
#include "kernels/cores.h"

namespace tobogan {
namespace {

// A whole text as a number, or nothing.
template <class Number>
std::optional<Number> number(std::string_view text) {
  Number value{};
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

int whole_number(const std::string& text, int most) {
  const auto value = number<int>(text);
  check(value && *value >= 1 && *value <= most, "expected a whole number from 1 to ", most, ", got '", text, "'");
  return *value;
}

double minutes(const std::string& text, double least) {
  const auto value = number<double>(text);
  check(value && *value >= least && *value <= 1e6, "expected minutes, ", least, " or more, got '", text, "'");
  return *value;
}

std::filesystem::path folder(const std::string& text) {
  check(std::filesystem::is_directory(text), "expected a folder, but '", text, "' is none");
  return text;
}

std::vector<std::string> split(const std::string& text, char at) {
  std::vector<std::string> parts(1);
  for (char c : text) {
    if (c == at)
      parts.emplace_back();
    else
      parts.back() += c;
  }
  return parts;
}

// One option: how it looks in --help, and what reads its text.
struct Value {
  const char *name, *type, *shown_default, *help;
};

template <class Set>
CLI::Option* add(CLI::App& app, const Value& value, Set set) {
  const auto read = [set, name = std::string(value.name)](const std::string& text) {
    try {
      set(text);
    } catch (const Error& error) {
      throw Error(name + ": " + error.what());
    }
  };
  CLI::Option* option = app.add_option_function<std::string>(value.name, read, value.help)->type_name(value.type);
  if (*value.shown_default) option->default_str(value.shown_default);
  return option->group("Options of every experiment");
}

std::string seeds_text(const std::vector<std::uint64_t>& seeds) {
  std::string text;
  for (const std::uint64_t seed : seeds) text += (text.empty() ? "" : ",") + std::to_string(seed);
  return text;
}

void add_what_options(CLI::App& app, RunOptions& o) {
  add(app, {"--data", "DIR", "", "folder with the data sets; without it the program draws its own images"},
      [&o](const std::string& text) { o.data = folder(text); });
  add(app,
      {"--device", "cpu|cuda|cudnn", "cpu",
       "where tensors live, cuda:1 on the second GPU; cudnn uses the vendor's kernels on the same GPU"},
      [&o](const std::string& text) {
        const std::string kind = text.substr(0, text.find(':'));
        check(text == "cpu" || kind == "cuda" || kind == "cudnn", "expected cpu, cuda or cudnn, got '", text, "'");
        o.device = text;
      });
  add(app, {"--precision", "fp32|tf32|bf16", "fp32", "factors of products on a GPU; weights and sums stay fp32"},
      [&o](const std::string& text) {
        check(text == "fp32" || text == "tf32" || text == "bf16", "expected fp32, tf32 or bf16, got '", text, "'");
        o.precision = text;
      });
  add(app, {"--profile", "quick|standard|paper", "quick", "sizes of everything: minutes, a night, or the paper's own"},
      [&o](const std::string& text) { o.profile = parse_profile(text); });
  add(app,
      {"--seeds", "LIST", seeds_text(o.seeds).c_str(),
       "master seeds, as in 1-3 or 1,7; tables show mean and spread over them"},
      [&o](const std::string& text) { o.seeds = parse_seeds(text); });
  add(app, {"--cells", "PATTERN", "*", "only the cells whose name matches, with * ? [], and what they need"},
      [&o](const std::string& text) {
        check(!text.empty(), "expected a pattern such as 'gan-*', got an empty text");
        o.cells = text;
      });
  add(app, {"--shard", "I/N", "1/1", "task I of a job array of N: every N-th cell; best with one --out for all"},
      [&o](const std::string& text) { o.shard = parse_shard(text); });
}

void add_how_options(CLI::App& app, RunOptions& o) {
  add(app, {"--jobs", "N", "1", "cells side by side; for small models faster than many threads in one cell"},
      [&o](const std::string& text) { o.jobs = whole_number(text, 1024); });
  add(app, {"--threads", "N", "all cores / jobs", "threads of one cell; results do not depend on it"},
      [&o](const std::string& text) { o.threads = whole_number(text, 1024); });
  add(app, {"--max-minutes", "M", "no limit", "then write checkpoints and stop with status 75; run again to go on"},
      [&o](const std::string& text) { o.max_minutes = minutes(text, 0); });
  add(app, {"--checkpoint-minutes", "M", "5", "time between two checkpoints of a running cell; 0: after every step"},
      [&o](const std::string& text) { o.checkpoint_minutes = minutes(text, 0); });
}

void add_result_options(CLI::App& app, RunOptions& o) {
  const std::string out = "results/" + o.experiment + "-<profile>";
  add(app, {"--out", "DIR", out.c_str(), "folder for results, checkpoints and the report"},
      [&o](const std::string& text) {
        check(!text.empty(), "expected a folder, got an empty text");
        o.out = text;
      });
  add(app, {"--merge", "DIR,...", "", "result folders of other machines whose finished cells count as ours"},
      [&o](const std::string& text) {
        for (const std::string& part : split(text, ',')) o.merge.push_back(folder(part));
      });
  const char* group = "Options of every experiment";
  app.add_flag("--resume,!--no-resume", o.resume,
               "go on from finished cells and checkpoints (default); --no-resume: the selected cells start over")
      ->group(group);
  app.add_flag("--report-only", o.report_only, "run nothing, build the report from the cells that are finished")
      ->group(group);
  app.add_flag("--list", o.list, "run nothing, list the cells and which of them are finished")->group(group);
}

// What follows from the other options.
void complete(RunOptions& o, int argc, char** argv) {
  o.arguments.assign(argv, argv + argc);
  if (o.out.empty()) o.out = std::filesystem::path("results") / (o.experiment + "-" + to_string(o.profile));
  if (o.threads == 0) o.threads = std::max(1, kernels::available_cores() / o.jobs);
}

std::string shell_quoted(const std::string& text) {
  const auto plain = [](unsigned char c) {
    return std::isalnum(c) || std::string_view("_-+=./,:@%").find(c) != std::string_view::npos;
  };
  if (!text.empty() && std::all_of(text.begin(), text.end(), plain)) return text;
  std::string quoted = "'";
  for (char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

}  // namespace

std::string to_string(Profile profile) {
  return profile == Profile::quick ? "quick" : profile == Profile::standard ? "standard" : "paper";
}

CLI::Validator number_in(double low, double high) {
  const std::string range = concat_text("from ", low, " to ", high);
  return CLI::Validator(
      [=](const std::string& text) -> std::string {
        const auto value = number<double>(text);
        if (value && *value >= low && *value <= high) return "";
        return concat_text("expected a number ", range, ", got '", text, "'");
      },
      range);
}

Profile parse_profile(const std::string& text) {
  for (const Profile profile : {Profile::quick, Profile::standard, Profile::paper})
    if (text == to_string(profile)) return profile;
  throw Error("expected quick, standard or paper, got '" + text + "'");
}

Shard parse_shard(const std::string& text) {
  const auto parts = split(text, '/');
  const auto index = number<int>(parts[0]), count = number<int>(parts.back());
  check(parts.size() == 2 && index && count && 1 <= *index && *index <= *count,
        "expected I/N with 1 <= I <= N, such as 2/8, got '", text, "'");
  return {*index, *count};
}

std::vector<std::uint64_t> parse_seeds(const std::string& text) {
  std::vector<std::uint64_t> seeds;
  for (const std::string& part : split(text, ',')) {
    const auto ends = split(part, '-');
    const auto first = number<std::uint64_t>(ends[0]), last = number<std::uint64_t>(ends.back());
    check(ends.size() <= 2 && first && last && *first <= *last && *last - *first < 1000,
          "expected seeds such as 1-3 or 1,7 (at most 1000), got '", text, "'");
    for (std::uint64_t i = 0; i <= *last - *first; ++i) seeds.push_back(*first + i);
  }
  std::sort(seeds.begin(), seeds.end());
  check(seeds.size() <= 1000 && std::adjacent_find(seeds.begin(), seeds.end()) == seeds.end(),
        "expected every seed once and at most 1000 of them, got '", text, "'");
  return seeds;
}

std::string device_text(const RunOptions& options) {
  return options.device == "cpu" ? options.device : options.device + " " + options.precision;
}

std::string command_line(const RunOptions& options, bool resuming) {
  std::string line;
  for (const std::string& argument : options.arguments) {
    if (resuming && argument == "--no-resume") continue;
    line += (line.empty() ? "" : " ") + shell_quoted(argument);
  }
  return line;
}

void add_run_options(CLI::App& app, RunOptions& options) {
  add_what_options(app, options);
  add_how_options(app, options);
  add_result_options(app, options);
}

int run_main(CLI::App& app, RunOptions& options, int argc, char** argv, const std::function<int()>& body) {
  signal(SIGXFSZ, SIG_IGN);  // a limit on file sizes becomes an error of write(), with the file's name
  signal(SIGPIPE, SIG_IGN);  // Ctrl-C also ends the `tee` we write to, before our checkpoints are written
  try {
    app.parse(argc, argv);
    complete(options, argc, argv);
    return body();
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help
    std::cerr << "error: " << error.what() << "; --help lists the options\n";
  } catch (const std::bad_alloc&) {
    std::cerr << "error: out of memory\n";
  } catch (const std::exception& error) {
    std::cerr << "error: " << error.what() << "\n";
  }
  return 1;
}

}  // namespace tobogan
