// Every product, and what is bound by memory, at the sizes that training uses: first whether it is right, then how fast
// it is.
//
// A row (op_rows.cpp) is checked at some places against sums in double, then timed on one thread (processor time) and
// on several (wall time), beside the machine's peak measured in the same rounds.  "useful" flops leave out
// multiplications by padding zeros, so "nominal" may exceed the peak.  With --device cuda it is timed on the GPU
// instead (op_bench_gpu.cpp).
#include <CLI/CLI.hpp>
#include <cstdio>

#include "bench/machine.h"
#include "bench/op_bench_gpu.h"
#include "bench/op_rows.h"
#include "bench/timing.h"
#include "tests/support/kernel_inputs.h"

namespace tobogan::bench {
namespace {

using kernels::Cpu;

// Sets the row up, checks it, measures it with the peak beside it, prints a line.
bool run_row(const OpRow& row, CpuMachine& one, CpuMachine& many, const Rounds& rounds) {
  const Values x = random_values(row.counts[0], 1), y = random_values(row.counts[1], 2);
  Values result(static_cast<size_t>(row.counts[2]));
  const auto run = [&](Cpu on) { row.kernel.cpu(on, x.data(), y.data(), result.data()); };
  run(many.tag());
  const double error = row.error(x, y, result);
  const double peak_flops = run_multiply_adds(one.threads), peak_flops_many = run_multiply_adds(many.threads);
  std::vector<Subject> subjects{{[&] { run_multiply_adds(one.threads); }, 1}, {[&] { run(one.tag()); }, 1}};
  if (many.threads.count() > 1) {
    subjects.push_back({[&] { run_multiply_adds(many.threads); }, many.threads.count()});
    subjects.push_back({[&] { run(many.tag()); }, many.threads.count()});
  }
  const std::vector<Timing> timings = measure(subjects, rounds);
  std::printf("%-34s", row.name.c_str());
  for (size_t i = 1; i < timings.size(); i += 2) {
    const Timing& t = timings[i];
    const Timing& peak = timings[i - 1];
    const double share = row.useful_flops / (i == 1 ? peak_flops : peak_flops_many);
    std::printf(" | %9.1f us +-%4.1f%% %6.1f %6.1f GF/s %5.1f%% (best %5.1f%%) %5.1f GB/s", t.median * 1e6,
                50 * (t.high - t.low) / t.median, row.nominal_flops / t.median * 1e-9,
                row.useful_flops / t.median * 1e-9, 100 * share * peak.median / t.median,
                100 * share * peak.best / t.best, row.bytes / t.median * 1e-9);
    if (i == 3) std::printf(" (%d/%d quiet)", t.quiet_rounds, t.rounds);
  }
  const bool right = error < 1e-5;
  std::printf(" | error %.0e%s\n", error, right ? "" : " WRONG");
  std::fflush(stdout);
  return right;
}

int run(int threads, const std::string& filter, const Rounds& rounds) {
  CpuMachine one(1), many(threads);
  std::printf(
      "%s\n1 thread: processor time; %d threads: wall time.  us, half spread, nominal and useful GFLOP/s,\n"
      "useful flops in percent of the multiply-add peak measured in the same rounds (median to median and best to\n"
      "best: where neighbours share the machine only the latter tells of the kernel), GB/s of operands\n",
      processor_name().c_str(), threads);
  bool right = true;
  for (const OpRow& row : op_rows()) {
    if (row.name.find(filter) != std::string::npos) right = run_row(row, one, many, rounds) && right;
  }
  return right ? 0 : 1;
}

}  // namespace
}  // namespace tobogan::bench

int main(int argc, char** argv) {
  CLI::App app("Checks and times kernels at the sizes that training uses");
  int threads = 2;
  std::string filter;
  tobogan::bench::Rounds rounds;
  app.add_option("--threads", threads, "threads of the second column")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
#ifdef TOBOGAN_WITH_CUDA
  std::string device = "cpu", precision = "fp32";
#ifdef TOBOGAN_WITH_CUDNN
  const std::vector<std::string> devices{"cpu", "cuda", "cudnn"};
#else
  const std::vector<std::string> devices{"cpu", "cuda"};
#endif
  app.add_option("--device", device, "where to compute")->check(CLI::IsMember(devices))->capture_default_str();
  app.add_option("--precision", precision, "on a GPU")
      ->check(CLI::IsMember({"fp32", "tf32", "bf16"}))
      ->capture_default_str();
#endif
  app.add_option("--filter", filter, "only rows whose name contains this");
  app.add_option("--rounds", rounds.count, "rounds")->check(CLI::Range(1, 1000))->capture_default_str();
  app.add_option("--seconds", rounds.seconds, "per subject and round")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  try {
#ifdef TOBOGAN_WITH_CUDA
    if (device != "cpu") return tobogan::bench::run_on_gpu(device, precision, filter, rounds);
#endif
    return tobogan::bench::run(threads, filter, rounds);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "op_bench: %s\n", error.what());
    return 1;
  }
}
