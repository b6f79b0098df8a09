// Every product on a GPU, beside what the GPU can do at most as measured in the same run: a large product by cuBLAS in
// the same precision, and a large copy.
//
// "warm" is the mean of many runs in a row in one captured graph, as a captured step has them: operands are in the L2
// cache and the host does nothing.  "cold" is a captured run by itself after the cache was emptied, which takes the GPU
// long enough for the host to be ready.  Both are medians over rounds, by the GPU's own clock.  On "cudnn" a
// second line gives the library's time on operands in its own layout, which is what ours is to be measured by: the
// first has the copies from our layout and back in it.
#include "bench/op_bench_gpu.h"

#include <cuda_runtime.h>

#include <cstdio>

#include "bench/op_rows.h"
#include "kernels/cuda/check.h"
#include "kernels/cuda/graph.h"
#include "kernels/elementwise.h"
#include "kernels/matmul.h"
#include "tests/support/kernel_inputs.h"
#include "tests/support/on_gpu.h"
#ifdef TOBOGAN_WITH_CUDNN
#include "kernels/cudnn/handles.h"
#endif

namespace tobogan::bench {
namespace {

using kernels::check_cuda;
using kernels::Cuda;
using kernels::CudaMachine;
using kernels::CudaOptions;
using kernels::OnGpu;
using kernels::Precision;

Precision precision_named(const std::string& name) {
  return name == "fp32" ? Precision::kFp32 : name == "tf32" ? Precision::kTf32 : Precision::kBf16;
}

// A pair of events around work.
class GpuClock {
 public:
  explicit GpuClock(Cuda on) : on_(on) {
    check_cuda(cudaEventCreate(&start_), "making an event");
    check_cuda(cudaEventCreate(&end_), "making an event");
  }
  ~GpuClock() {
    cudaEventDestroy(start_);
    cudaEventDestroy(end_);
  }
  GpuClock(const GpuClock&) = delete;
  GpuClock& operator=(const GpuClock&) = delete;

  double seconds(const std::function<void()>& work) {
    check_cuda(cudaEventRecord(start_, on_.stream), "recording an event");
    work();
    check_cuda(cudaEventRecord(end_, on_.stream), "recording an event");
    check_cuda(cudaEventSynchronize(end_), "waiting for a kernel");
    float milliseconds = 0;
    check_cuda(cudaEventElapsedTime(&milliseconds, start_, end_), "reading the GPU's clock");
    return 1e-3 * milliseconds;
  }

 private:
  Cuda on_;
  cudaEvent_t start_ = nullptr, end_ = nullptr;
};

struct GpuTimes {
  double warm, cold;  // seconds
};

class Timer {
 public:
  Timer(CudaMachine& machine, const Rounds& rounds)
      : on_(machine.tag()), clock_(on_), rounds_(rounds), flush_(machine, kFlushBytes) {}

  GpuTimes time(const std::function<void()>& run) {
    run();  // memory, tables and cuDNN's algorithms
    kernels::CudaGraph one(on_, run);
    const double once = std::max(1e-6, std::min(replay(one), replay(one)));
    const int repeats = static_cast<int>(std::clamp(rounds_.seconds / once, 1.0, kMostRepeats));
    kernels::CudaGraph many(on_, [&] {
      for (int i = 0; i < repeats; ++i) run();
    });
    replay(many);
    std::vector<double> warm, cold;
    for (int round = 0; round < rounds_.count; ++round) {
      warm.push_back(replay(many) / repeats);
      check_cuda(cudaMemsetAsync(flush_.data(), round, kFlushBytes, on_.stream), "emptying the cache");
      cold.push_back(replay(one));
    }
    return {quantile(warm, 0.5), quantile(cold, 0.5)};
  }

 private:
  double replay(kernels::CudaGraph& graph) {
    return clock_.seconds([&] { graph.replay(); });
  }

  static constexpr double kMostRepeats = 500;
  static constexpr size_t kFlushBytes = size_t{256} << 20;  // several times the largest L2 cache
  Cuda on_;
  GpuClock clock_;
  Rounds rounds_;
  OnGpu<uint8_t> flush_;
};

struct Ceilings {
  double flops, bytes;  // a second
};

Ceilings measure_ceilings(CudaMachine& machine, Timer& timer, int side, int64_t copied) {
  const Cuda on = machine.tag();
  const auto count = int64_t{side} * side;
  const OnGpu<float> a(machine, random_values(count, 1)), b(machine, random_values(count, 2)), c(machine, count);
  const OnGpu<float> x(machine, copied), y(machine, copied);
  kernels::fill(on, copied, 1, x.data());
  const double product =
      timer
          .time([&] {
            kernels::matmul(on, {.rows = side, .columns = side, .inner = side}, a.data(), b.data(), c.data());
          })
          .warm;
  const double copy = timer.time([&] { kernels::copy(on, copied, x.data(), y.data()); }).warm;
  return {2.0 * side * side * side / product, 8.0 * static_cast<double>(copied) / copy};
}

const auto& kernel_on(const OpRow& row, CudaMachine&) {
  return row.kernel.cuda;
}
int64_t left_to_us(CudaMachine&) {
  return 0;
}
void time_in_library_layout(const OpRow&, CudaMachine&, Timer&) {}
#ifdef TOBOGAN_WITH_CUDNN
const auto& kernel_on(const OpRow& row, kernels::CudnnMachine&) {
  return row.kernel.cudnn;
}
// Convolutions that cuDNN has nothing for so far, which are our own kernels then.
int64_t left_to_us(kernels::CudnnMachine& machine) {
  return machine.tag().handles->left_to_us;
}
void time_in_library_layout(const OpRow& row, kernels::CudnnMachine& machine, Timer& timer) {
  if (!row.library.run) return;
  const OnGpu<float> x(machine, random_values(row.library.counts[0], 1));
  const OnGpu<float> y(machine, random_values(row.library.counts[1], 2)), result(machine, row.library.counts[2]);
  std::printf("| %s, cuDNN alone |", row.name.c_str());
  try {
    const GpuTimes times = timer.time([&] { row.library.run(machine.tag(), x.data(), y.data(), result.data()); });
    std::printf(" %.1f | %.1f | %.2f | %.2f | | | | |\n", 1e6 * times.warm, 1e6 * times.cold,
                1e-12 * row.nominal_flops / times.warm, 1e-12 * row.useful_flops / times.warm);
  } catch (const std::runtime_error& error) {
    std::printf(" %s | | | | | | | |\n", error.what());
  }
}
#endif

template <class AnyMachine>
bool run_row(const OpRow& row, AnyMachine& machine, Timer& timer, const Ceilings& most, double tolerance) {
  const Values x = random_values(row.counts[0], 1), y = random_values(row.counts[1], 2);
  const OnGpu<float> on_x(machine, x), on_y(machine, y), result(machine, row.counts[2]);
  const auto run = [&] { kernel_on(row, machine)(machine.tag(), on_x.data(), on_y.data(), result.data()); };
  const int64_t left_before = left_to_us(machine);
  run();
  const double error = row.error(x, y, result.host());
  const GpuTimes times = timer.time(run);
  const bool right = error < tolerance;
  const char* whose = left_to_us(machine) > left_before ? " (our own kernel: cuDNN has none)" : "";
  std::printf("| %s%s | %.1f | %.1f | %.2f | %.2f | %.0f %% | %.0f | %.0f %% | %.0e%s |\n", row.name.c_str(), whose,
              1e6 * times.warm, 1e6 * times.cold, 1e-12 * row.nominal_flops / times.warm,
              1e-12 * row.useful_flops / times.warm, 100 * row.useful_flops / times.warm / most.flops,
              1e-9 * row.bytes / times.cold, 100 * row.bytes / times.cold / most.bytes, error, right ? "" : " WRONG");
  time_in_library_layout(row, machine, timer);
  std::fflush(stdout);
  return right;
}

template <class AnyMachine>
int run_rows(AnyMachine& machine, const std::string& precision, const std::string& filter, const Rounds& rounds) {
  Timer timer(machine, rounds);
  const bool real = machine.multiprocessors() > 16;  // an emulated or a tiny GPU would take hours
  const Ceilings most = real ? measure_ceilings(machine, timer, 8192, int64_t{1} << 28)
                             : measure_ceilings(machine, timer, 64, int64_t{1} << 12);
  std::printf("%s, %s: a large product by cuBLAS %.1f TFLOP/s, a large copy %.0f GB/s (read and written)\n\n",
              machine.name().c_str(), precision.c_str(), 1e-12 * most.flops, 1e-9 * most.bytes);
  std::printf(
      "| kernel | warm us | cold us | nominal TFLOP/s | useful TFLOP/s | of cuBLAS | cold GB/s | of the copy | error "
      "|\n"
      "|---|--:|--:|--:|--:|--:|--:|--:|---|\n");
  // Factors are rounded to 10 or 7 bits of mantissa; sums of rounded products err by less than one such rounding.
  const double tolerance = precision == "fp32" ? 1e-5 : precision == "tf32" ? 0x1p-10 : 0x1p-7;
  bool right = true;
  for (const OpRow& row : op_rows()) {
    if (row.name.find(filter) == std::string::npos) continue;
    try {
      right = run_row(row, machine, timer, most, tolerance) && right;
    } catch (const std::exception& failure) {  // no reason to lose the rest of the table
      right = false;
      std::printf("| %s | none: %s | | | | | | | |\n", row.name.c_str(), failure.what());
      std::fflush(stdout);
    }
  }
  return right ? 0 : 1;
}

}  // namespace

int run_on_gpu([[maybe_unused]] const std::string& device, const std::string& precision, const std::string& filter,
               const Rounds& rounds) {
  const CudaOptions options{.precision = precision_named(precision)};
#ifdef TOBOGAN_WITH_CUDNN
  if (device == "cudnn") {
    kernels::CudnnMachine machine(options);
    return run_rows(machine, precision, filter, rounds);
  }
#endif
  CudaMachine machine(options);
  return run_rows(machine, precision, filter, rounds);
}

}  // namespace tobogan::bench
