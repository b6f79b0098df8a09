// Peaks are measured, not looked up: as many independent multiply-adds at a time as registers hold.
#include "bench/machine.h"

#include <fstream>

namespace tobogan::bench {
namespace {

constexpr int kChains = 12;  // independent sums: more than latency times units of any processor
constexpr int kSteps = 10000;

// The empty asm makes the compiler believe that a sum is read and changed there, so it neither drops the sums nor sees
// that all are equal.
#if defined(__x86_64__)
__attribute__((target("avx512f"))) double multiply_adds_avx512() {
  typedef float Vector __attribute__((vector_size(64)));
  Vector sum[kChains] = {}, factor = Vector{} + 0.5f;
#pragma GCC unroll 16
  for (int chain = 0; chain < kChains; ++chain) asm volatile("" : "+v"(sum[chain]));
  for (int step = 0; step < kSteps; ++step) {
#pragma GCC unroll 16
    for (int chain = 0; chain < kChains; ++chain) sum[chain] = sum[chain] * factor + factor;
  }
#pragma GCC unroll 16
  for (int chain = 0; chain < kChains; ++chain) asm volatile("" : "+v"(sum[chain]));
  return 2.0 * kSteps * kChains * 16;
}
#endif

double multiply_adds() {
  typedef float Vector __attribute__((vector_size(32)));
  Vector sum[kChains] = {}, factor = Vector{} + 0.5f;
#pragma GCC unroll 16
  for (int chain = 0; chain < kChains; ++chain) asm volatile("" : "+x"(sum[chain]));
  for (int step = 0; step < kSteps; ++step) {
#pragma GCC unroll 16
    for (int chain = 0; chain < kChains; ++chain) sum[chain] = sum[chain] * factor + factor;
  }
#pragma GCC unroll 16
  for (int chain = 0; chain < kChains; ++chain) asm volatile("" : "+x"(sum[chain]));
  return 2.0 * kSteps * kChains * 8;
}

}  // namespace

std::string processor_name() {
  std::ifstream info("/proc/cpuinfo");
  std::string name, family, model;
  for (std::string line; std::getline(info, line) && !line.empty();) {
    const size_t colon = line.find(": ");
    if (colon == std::string::npos) continue;
    const std::string value = line.substr(colon + 2);
    if (line.starts_with("model name")) name = value;
    if (line.starts_with("cpu family")) family = value;
    if (line.starts_with("model\t")) model = value;
  }
  return name.empty() ? "unknown processor" : name + " (family " + family + " model " + model + ")";
}

double run_multiply_adds(kernels::Threads& threads) {
#if defined(__x86_64__)
  const bool wide = __builtin_cpu_supports("avx512f");
  threads.run(threads.count(), [&](int64_t, int) { wide ? multiply_adds_avx512() : multiply_adds(); });
  return 2.0 * kSteps * kChains * (wide ? 16 : 8) * threads.count();
#else
  threads.run(threads.count(), [&](int64_t, int) { multiply_adds(); });
  return 2.0 * kSteps * kChains * 8 * threads.count();
#endif
}

}  // namespace tobogan::bench
