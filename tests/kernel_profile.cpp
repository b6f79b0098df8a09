// What a training step costs on a GPU, counted without one: launches, memory transactions and multiply-adds of every
// kernel at the papers' real sizes, from the emulator's profiler, and the time that an H100 should need for them.
//
//   kernel_profile                          tables in Markdown
//   kernel_profile --launches               and every launch of a tensor product, in the order of the step
//   kernel_profile --lines                  and the source lines that cost more than they need
//   kernel_profile --check FILE             fails where a kernel got worse than FILE says
//   kernel_profile --write FILE             makes FILE
//
// Times are predictions from public figures of the H100 SXM, not measurements: they say what limits a kernel.  Products
// by cuBLAS are launches without a prediction.
#include <cuda_emulator.h>
#include <cuda_emulator/profile.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <fstream>
#include <iostream>
#include <map>
#include <regex>
#include <sstream>

#include "bench/steps.h"
#include "engine/atomic_file.h"

namespace tobogan {
namespace {

using cuda_emulator::profile::Counts;
using cuda_emulator::profile::Launch;
using cuda_emulator::profile::Report;

// An H100 SXM: per second, from multiprocessors at 1.755 GHz.
constexpr double kMultiprocessors = 132, kClock = 1.755e9 * kMultiprocessors;
constexpr double kFma = 128 * kClock;
constexpr double kMmaSync = 0.62;  // the share of wgmma's rate that mma.sync reaches (arXiv 2402.13499)
constexpr double kTf32 = 1024 * kMmaSync * kClock, kBf16 = 2048 * kMmaSync * kClock;
constexpr double kWavefronts = kClock;    // of shared memory, 128 bytes each
constexpr double kSectors = 5.5e12 / 32;  // of the L2 cache
constexpr double kLaunch = 1.2e-6;        // seconds between two kernels of a graph

struct Prediction {
  double seconds = 0;
  const char* limiter = "";
};

// The slowest of the units, stretched by multiprocessors that have nothing left to do in the last round of blocks.
Prediction predict(const Launch& launch) {
  const std::pair<double, const char*> units[] = {{launch.fma / kFma, "FFMA"},
                                                  {launch.tensor_tf32 / kTf32, "tensor cores"},
                                                  {launch.tensor_bf16 / kBf16, "tensor cores"},
                                                  {launch.wavefronts / kWavefronts, "shared memory"},
                                                  {launch.sectors / kSectors, "L2"}};
  const auto slowest = std::max_element(std::begin(units), std::end(units));
  const double rounds = std::ceil(launch.blocks / kMultiprocessors) * kMultiprocessors / launch.blocks;
  const double seconds = slowest->first * rounds;
  if (seconds < kLaunch) return {kLaunch, "launch"};
  return {seconds + kLaunch, slowest->second};
}

// The kernel's name without where it lives and what it is given.
std::string short_name(std::string name) {
  for (const std::string place : {"(anonymous namespace)::", "tobogan::kernels::", "void "}) {
    for (size_t at; (at = name.find(place)) != std::string::npos;) name.erase(at, place.size());
  }
  int depth = 0;  // a parenthesis inside <> belongs to a template argument
  std::string shorter;
  for (const char c : name) {
    if (c == '(' && depth == 0) break;
    depth += (c == '<') - (c == '>');
    // Of arguments that have arguments themselves, the names will do.
    if (depth < 2 && !(c == '>' && depth == 1)) shorter += c;
  }
  return shorter;
}

// All launches of one kernel in a step.
struct Line : Counts {
  int launches = 0;
  double seconds = 0;
  std::map<std::string, double> limiters;  // seconds
};
using Lines = std::map<std::string, Line>;

struct Profile {
  Lines lines;
  int graph_nodes = 0;  // with copies and cuBLAS
  Report report;
};

Profile profile(const bench::TimedModel& model, const std::string& precision, int batch) {
  Machine machine({.device = "cuda", .precision = precision});
  Context context(machine, 1);
  const auto body = model.make(context, batch);
  Step step(context, body);
  cuda_emulator::profile::start({.skip_others = true});
  step();  // makes tables, fills pools
  machine.wait();
  cuda_emulator::profile::stop();
  cuda_emulator::profile::start({.skip_others = true});
  step();
  machine.wait();
  Profile result;
  result.report = cuda_emulator::profile::stop();
  result.graph_nodes = step.launches();
  for (const Launch& launch : result.report.sequence) {
    Line& line = result.lines[short_name(result.report.kernels[launch.kernel].name)];
    ++line.launches;
    for (double Counts::*count : {&Counts::blocks, &Counts::sectors, &Counts::ideal_sectors, &Counts::wavefronts,
                                  &Counts::ideal_wavefronts, &Counts::fma, &Counts::tensor_tf32, &Counts::tensor_bf16})
      line.*count += launch.*count;
    const Prediction predicted = predict(launch);
    line.seconds += predicted.seconds;
    line.limiters[predicted.limiter] += predicted.seconds;
  }
  return result;
}

double ratio(double a, double b) {
  return b > 0 ? a / b : 1;
}

void print(const std::string& title, const Profile& profile) {
  double seconds = 0;
  int counted = 0;
  std::vector<std::pair<std::string, Line>> sorted(profile.lines.begin(), profile.lines.end());
  std::sort(sorted.begin(), sorted.end(),
            [](const auto& a, const auto& b) { return a.second.seconds > b.second.seconds; });
  std::printf(
      "\n**%s**\n\n| kernel | launches | blocks | sectors / ideal | wavefronts / ideal | GFMA | MB | predicted us | "
      "limited by |\n|---|--:|--:|--:|--:|--:|--:|--:|---|\n",
      title.c_str());
  for (const auto& [name, line] : sorted) {
    const auto limiter = std::max_element(line.limiters.begin(), line.limiters.end(),
                                          [](const auto& a, const auto& b) { return a.second < b.second; });
    std::printf("| `%s` | %d | %.0f | %.2f | %.2f | %.3g | %.3g | %.1f | %s |\n", name.c_str(), line.launches,
                line.blocks, ratio(line.sectors, line.ideal_sectors), ratio(line.wavefronts, line.ideal_wavefronts),
                1e-9 * (line.fma + line.tensor_tf32 + line.tensor_bf16), 32e-6 * line.sectors, 1e6 * line.seconds,
                limiter->first.c_str());
    seconds += line.seconds;
    counted += line.launches;
  }
  std::printf("\n%d launches, %.0f us predicted for %d of them; cuBLAS's products and copies are the others.\n",
              profile.graph_nodes, 1e6 * seconds, counted);
}

// "128 x 256" where the kernel's template arguments name a tile.
std::string tile_of(const std::string& kernel) {
  static const std::regex kTile("TileShape<(\\d+), (\\d+)");
  std::smatch match;
  return std::regex_search(kernel, match, kTile) ? match[1].str() + " x " + match[2].str() : "";
}

// The products that come in tiles, in order: convolutions of all kinds.
void print_launches(const Profile& profile) {
  std::printf(
      "\n| kernel | tile | blocks | sectors / ideal | wavefronts / ideal | GFMA | FMA per wavefront | FMA per byte | "
      "predicted us | limited by |\n|---|---|--:|--:|--:|--:|--:|--:|--:|---|\n");
  for (const Launch& launch : profile.report.sequence) {
    const std::string& name = profile.report.kernels[launch.kernel].name;
    if (tile_of(name).empty()) continue;
    const double fma = launch.fma + launch.tensor_tf32 + launch.tensor_bf16;
    const Prediction predicted = predict(launch);
    std::printf("| `%s` | %s | %.0f | %.2f | %.2f | %.3g | %.0f | %.1f | %.1f | %s |\n", short_name(name).c_str(),
                tile_of(name).c_str(), launch.blocks, ratio(launch.sectors, launch.ideal_sectors),
                ratio(launch.wavefronts, launch.ideal_wavefronts), 1e-9 * fma, ratio(fma, launch.wavefronts),
                ratio(fma, 32 * launch.sectors), 1e6 * predicted.seconds, predicted.limiter);
  }
}

// The source lines with more sectors or wavefronts than their bytes need.
void print_lines(const Profile& profile) {
  std::printf(
      "\n| line | kernel | access | requests | lanes | units a request | ideal |\n|---|---|---|--:|--:|--:|--:|\n");
  for (const auto& a : profile.report.accesses) {
    if (a.units <= 1.05 * a.ideal) continue;
    std::printf("| %s | `%s` | %s %s of %u bytes | %.0f | %.1f | %.2f | %.2f |\n", a.place.c_str(),
                short_name(a.kernel).c_str(), a.shared ? "shared" : "global", a.store ? "store" : "load", a.bytes,
                a.requests, a.lanes / a.requests, a.units / a.requests, a.ideal / a.requests);
  }
}

// One line of the file of counts.
std::string key_of(const std::string& model, const std::string& precision, const std::string& kernel) {
  return model + ";" + precision + ";" + kernel;
}

std::string row_of(const std::string& key, const Line& line) {
  char numbers[200];
  std::snprintf(numbers, sizeof numbers, ";%d;%.4g;%.4g", line.launches, line.sectors, line.wavefronts);
  return key + numbers;
}

// What got worse than the row says, or nothing.
std::string worse(const std::string& row, const Line& line) {
  std::istringstream fields(row);
  std::string model, precision, kernel, launches, sectors, wavefronts;
  for (std::string* field : {&model, &precision, &kernel, &launches, &sectors, &wavefronts})
    std::getline(fields, *field, ';');
  constexpr double kRoom = 1.005;
  const auto more = [&](const char* what, double now, const std::string& before) {
    return now > std::stod(before) * kRoom ? concat_text(" ", what, " ", now, " instead of ", before) : std::string();
  };
  return more("launches", line.launches, launches) + more("sectors", line.sectors, sectors) +
         more("wavefronts", line.wavefronts, wavefronts);
}

int main_with(int argc, char** argv) {
  std::string check_file, write_file;
  std::vector<std::string> models, precisions{"fp32", "tf32", "bf16"};
  for (const bench::TimedModel& model : bench::timed_models()) models.push_back(model.name);
  int batch = 64;
  bool launches = false, lines = false;
  CLI::App app("Counts what the CUDA kernels of training steps cost, without a GPU");
  app.add_option("--model", models, "models of bench/steps.cpp")->delimiter(',')->capture_default_str();
  app.add_option("--precision", precisions, "fp32, tf32, bf16")->delimiter(',')->capture_default_str();
  app.add_option("--batch", batch, "images a step")->capture_default_str();
  app.add_flag("--launches", launches, "also each launch of a product in tiles, in the order of the step");
  app.add_flag("--lines", lines, "also the source lines that cost more than 1.05 of the least");
  app.add_option("--check", check_file, "compare with this file; worse is an error");
  app.add_option("--write", write_file, "write the counts to this file");
  CLI11_PARSE(app, argc, argv);
  // Kernels choose their tiles for the GPU that the predictions are about.
  cuda_emulator::configure({.multiprocessors = static_cast<int>(kMultiprocessors)});

  std::map<std::string, std::string> committed;
  if (!check_file.empty()) {
    std::istringstream rows(read_text(check_file));
    for (std::string row; std::getline(rows, row);) {
      size_t end = 0;
      for (int i = 0; i < 3 && end != std::string::npos; ++i) end = row.find(';', end + (i > 0));
      if (end != std::string::npos) committed[row.substr(0, end)] = row;
    }
  }
  std::string rows = "model;precision;kernel;launches;sectors;wavefronts\n";
  int problems = 0;
  for (const bench::TimedModel& model : bench::timed_models()) {
    if (std::find(models.begin(), models.end(), model.name) == models.end()) continue;
    for (const std::string& precision : precisions) {
      const Profile got = profile(model, precision, batch);
      print(concat_text(model.name, ", ", precision, ", batch ", batch), got);
      if (launches) print_launches(got);
      if (lines) print_lines(got);
      for (const auto& [name, line] : got.lines) {
        const std::string key = key_of(model.name, precision, name);
        rows += row_of(key, line) + "\n";
        if (check_file.empty()) continue;
        const std::string problem = committed.contains(key) ? worse(committed[key], line) : " is not in the file";
        if (problem.empty()) continue;
        ++problems;
        std::cerr << key << ":" << problem << "\n";
      }
    }
  }
  if (!write_file.empty()) atomic_write(write_file, rows);
  if (problems) std::cerr << problems << " counts are worse than " << check_file << "; if they must be, --write it\n";
  return problems != 0;
}

}  // namespace
}  // namespace tobogan

int main(int argc, char** argv) {
  try {
    return tobogan::main_with(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "error: " << error.what() << "\n";
    return 1;
  }
}
