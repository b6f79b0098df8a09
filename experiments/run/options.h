// The options that every experiment binary has, and the frame of its main():
//
//   int main(int argc, char** argv) {
//     CLI::App app("Abadi: how much does a classifier gain from a DCGAN's images?");
//     RunOptions options{.experiment = "abadi"};
//     add_run_options(app, options);
//     return run_main(app, options, argc, argv, [&] {
//       const Outcome outcome = run_cells(study, options, cells(options));
//       Report report(study, options, outcome);
//       report.add(table_2(outcome));
//       return report.write();
//     });
//   }
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

// CLI11 takes longer to compile than most of our files: who names options includes it, and nobody else.
namespace CLI {
class App;
class Validator;
}  // namespace CLI

namespace tobogan {

// A profile changes sizes, never the protocol.
enum class Profile { quick, standard, paper };
std::string to_string(Profile profile);

// Share `index` of `count`, 1-based: "2/8" is what task 2 of a job array of 8 does.
struct Shard {
  int index = 1, count = 1;
};

struct RunOptions {
  std::string experiment = {};                    // the binary's name; set before add_run_options
  std::filesystem::path data = {};                // empty: none given
  std::string device = "cpu";                     // as MachineOptions has it
  std::string precision = "fp32";                 // of products on a GPU: "fp32", "tf32" or "bf16"
  Profile profile = Profile::quick;               //
  std::vector<std::uint64_t> seeds = {1};         // distinct, ascending
  int jobs = 1;                                   // cells side by side
  int threads = 0;                                // per cell; 0 becomes cores / jobs in run_main
  std::string cells = "*";                        // glob over cell names
  Shard shard = {};                               //
  std::filesystem::path out = {};                 // empty becomes results/<experiment>-<profile> in run_main
  std::vector<std::filesystem::path> merge = {};  // more result folders whose finished cells count as ours
  bool resume = true;                             // false: the selected cells start over
  std::optional<double> max_minutes = {};         // then checkpoint and stop, exit status kTimeUp
  double checkpoint_minutes = 5;                  // between two checkpoints of a cell; 0: after every step
  bool report_only = false;                       // run nothing, build the report from what is finished
  bool list = false;                              // print the cells and their state, run nothing
  std::vector<std::string> arguments = {};        // the command line as typed; set by run_main
};

// Exit statuses beside 0 (done) and 1 (an error, or a cell that failed).
inline constexpr int kTimeUp = 75;        // --max-minutes are over: the same command goes on
inline constexpr int kInterrupted = 130;  // Ctrl-C or SIGTERM: the same command goes on

// REQUIRES: `options` outlives `app`; options.experiment is set.
void add_run_options(CLI::App& app, RunOptions& options);

// Parses, completes the defaults, calls `body` and returns its exit status.  Whatever is thrown, here or in `body`,
// becomes one sentence after "error: " on stderr and status 1.
int run_main(CLI::App& app, RunOptions& options, int argc, char** argv, const std::function<int()>& body);

// CLI::Range for numbers with a fraction: NaN, which is not outside any range, is refused too.
CLI::Validator number_in(double low, double high);

// Each throws Error with what was expected and what came.
Profile parse_profile(const std::string& text);                   // "quick", "standard", "paper"
Shard parse_shard(const std::string& text);                       // "2/8"
std::vector<std::uint64_t> parse_seeds(const std::string& text);  // "1", "1-3", "1,4,10-12"

// What results depend on besides their configuration: "cpu", "cuda fp32", ...
std::string device_text(const RunOptions& options);

// The command line as typed, quoted for a shell; with `resuming`, the one that goes on after an interruption.
std::string command_line(const RunOptions& options, bool resuming = false);

}  // namespace tobogan
