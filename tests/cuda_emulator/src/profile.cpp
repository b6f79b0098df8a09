// Counting requests.  A site is an instruction of a kernel; while a block runs, each site keeps what each warp's lanes
// have done since the last barrier, and a barrier closes these requests.
#include <cuda_emulator.h>
#include <cuda_emulator/profile.h>

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <set>
#include <tuple>

#include "profile_source.h"
#include "recorder.h"
#include "report.h"

namespace cuda_emulator::profile {
namespace {

constexpr unsigned kSectorBytes = 32, kBankBytes = 4, kBanks = 32;

struct Request {
  std::array<uintptr_t, 32> address;
  uint32_t lanes = 0;
};

struct Cost {
  double units = 0, ideal = 0;
};

template <class F>
void for_lanes(const Request& request, int first, int count, F f) {
  for (int lane = first; lane < first + count; ++lane)
    if (request.lanes >> lane & 1) f(request.address[size_t(lane)]);
}

Cost global_cost(const Request& request, unsigned bytes) {
  std::set<uintptr_t> sectors, addresses;
  for_lanes(request, 0, 32, [&](uintptr_t a) {
    addresses.insert(a);
    for (uintptr_t s = a / kSectorBytes; s <= (a + bytes - 1) / kSectorBytes; ++s) sectors.insert(s);
  });
  return {double(sectors.size()), double((addresses.size() * bytes + kSectorBytes - 1) / kSectorBytes)};
}

Cost shared_cost(const Request& request, unsigned bytes) {
  Cost cost;
  const int group = bytes <= 4 ? 32 : bytes <= 8 ? 16 : 8;
  for (int first = 0; first < 32; first += group) {
    std::array<std::set<uintptr_t>, kBanks> words;
    for_lanes(request, first, group, [&](uintptr_t a) {
      for (uintptr_t w = a / kBankBytes; w <= (a + bytes - 1) / kBankBytes; ++w) words[w % kBanks].insert(w);
    });
    size_t busiest = 0;
    for (const auto& bank : words) busiest = std::max(busiest, bank.size());
    cost.units += double(busiest);
    cost.ideal += busiest > 0;
  }
  return cost;
}

// What an instruction did, and what is still open.
struct Site {
  size_t kernel;
  const void* pc;
  Access sums;
  std::array<std::vector<Request>, 32> open;  // by warp; the n-th is the n-th time
  std::array<uint32_t, 1024> times{};         // by thread, since the last barrier
  bool touched = false;
};

constexpr double Counts::*kCounts[] = {&Counts::blocks,        &Counts::threads,     &Counts::sectors,
                                       &Counts::ideal_sectors, &Counts::wavefronts,  &Counts::ideal_wavefronts,
                                       &Counts::fma,           &Counts::tensor_tf32, &Counts::tensor_bf16};

class Profiler final : public Recorder {
 public:
  explicit Profiler(const Options& options) : options_(options) {}

  void launch(const void* kernel, dim3 grid, dim3 block) override {
    const auto [found, is_new] = index_.try_emplace(kernel, names_.size());
    if (is_new) names_.push_back(kernel_name(kernel));
    current_ = found->second;
    const uint64_t blocks = uint64_t(grid.x) * grid.y * grid.z;
    Launch& launch = launches_.emplace_back();
    launch.kernel = current_;
    launch.blocks = double(blocks);
    launch.threads = double(blocks) * block.x * block.y * block.z;
    chosen_ = grid.x / 2 + uint64_t(grid.x) * (grid.y / 2 + uint64_t(grid.y) * (grid.z / 2));
    weight_ = options_.all_blocks ? 1 : double(blocks);
  }
  bool wants(uint64_t block) override { return !options_.skip_others || options_.all_blocks || block == chosen_; }
  void block_begin(uint64_t block) override { looking_ = options_.all_blocks || block == chosen_; }
  void block_barrier() override { close(); }
  void block_end() override {
    close();
    looking_ = false;
  }
  void access(int thread, const void* address, size_t bytes, Space space, bool store, const void* pc) override {
    if (!looking_) return;
    auto& site = sites_[{current_, pc, space, store, bytes}];
    if (!site) {
      site = std::make_unique<Site>(Site{current_, pc, {}, {}, {}, false});
      site->sums.shared = space == Space::kShared;
      site->sums.store = store;
      site->sums.bytes = unsigned(bytes);
    }
    if (!site->touched) touched_.push_back(site.get());
    site->touched = true;
    auto& requests = site->open[size_t(thread) / 32];
    const uint32_t time = site->times[size_t(thread)]++;
    if (time >= requests.size()) requests.resize(time + 1);
    requests[time].address[size_t(thread) % 32] = reinterpret_cast<uintptr_t>(address);
    requests[time].lanes |= 1u << (thread % 32);
  }
  void tensor_op(int multiply_adds, bool bf16) override {
    if (looking_) (bf16 ? launches_.back().tensor_bf16 : launches_.back().tensor_tf32) += weight_ * multiply_adds;
  }
  void fma() override {
    if (looking_) launches_.back().fma += weight_;
  }

  Report report() const {
    Report report{std::vector<Kernel>(names_.size()), launches_, {}, launches_.size()};
    for (size_t i = 0; i < names_.size(); ++i) report.kernels[i].name = names_[i];
    for (const Launch& launch : launches_) {
      Kernel& sum = report.kernels[launch.kernel];
      ++sum.launches;
      for (const auto member : kCounts) sum.*member += launch.*member;
    }
    std::vector<const void*> pcs;
    for (const auto& [key, site] : sites_) {
      pcs.push_back(site->pc);
      report.accesses.push_back(site->sums);
      report.accesses.back().kernel = names_[site->kernel];
    }
    const auto places = source_places(pcs, options_.addr2line);
    for (size_t i = 0; i < places.size(); ++i) report.accesses[i].place = places[i];
    return report;
  }

 private:
  void close() {
    for (Site* site : touched_) {
      for (auto& requests : site->open) {
        for (const Request& request : requests) add(*site, request);
        requests.clear();
      }
      site->times.fill(0);
      site->touched = false;
    }
    touched_.clear();
  }
  void add(Site& site, const Request& request) {
    Access& sums = site.sums;
    const Cost cost = sums.shared ? shared_cost(request, sums.bytes) : global_cost(request, sums.bytes);
    sums.requests += 1;
    sums.lanes += __builtin_popcount(request.lanes);
    sums.units += cost.units;
    sums.ideal += cost.ideal;
    Launch& counts = launches_.back();
    (sums.shared ? counts.wavefronts : counts.sectors) += weight_ * cost.units;
    (sums.shared ? counts.ideal_wavefronts : counts.ideal_sectors) += weight_ * cost.ideal;
  }

  const Options options_;
  std::vector<std::string> names_;  // of kernels
  std::vector<Launch> launches_;
  std::map<const void*, size_t> index_;
  std::map<std::tuple<size_t, const void*, Space, bool, size_t>, std::unique_ptr<Site>> sites_;
  std::vector<Site*> touched_;
  size_t current_ = 0;
  uint64_t chosen_ = 0;
  double weight_ = 1;
  bool looking_ = false;
};

std::unique_ptr<Profiler> profiler;

}  // namespace

void start(const Options& options) {
  profiler = std::make_unique<Profiler>(options);
  recorder = profiler.get();
}

Report stop() {
  if (!profiler) fatal("profile::stop without profile::start");
  recorder = nullptr;
  const Report report = profiler->report();
  profiler.reset();
  return report;
}

std::string to_text(const Report& report) {
  char line[400];
  std::snprintf(line, sizeof line, "%llu launches\n\n", (unsigned long long)report.launches);
  std::string text = line;
  std::snprintf(line, sizeof line, "%8s %9s %10s %6s %11s %6s %10s %10s %10s  %s\n", "launches", "blocks", "sectors",
                "/ideal", "wavefronts", "/ideal", "fma", "mma tf32", "mma bf16", "kernel");
  text += line;
  auto ratio = [](double units, double ideal) { return ideal > 0 ? units / ideal : 0.0; };
  for (const Kernel& k : report.kernels) {
    std::snprintf(line, sizeof line, "%8llu %9.0f %10.3g %6.2f %11.3g %6.2f %10.3g %10.3g %10.3g  %.200s\n",
                  (unsigned long long)k.launches, k.blocks, k.sectors, ratio(k.sectors, k.ideal_sectors), k.wavefronts,
                  ratio(k.wavefronts, k.ideal_wavefronts), k.fma, k.tensor_tf32, k.tensor_bf16, k.name.c_str());
    text += line;
  }
  std::snprintf(line, sizeof line, "\n%-6s %-5s %5s %9s %6s %10s %6s  %s\n", "space", "op", "bytes", "requests",
                "lanes", "units/req", "ideal", "where");
  text += line;
  for (const Access& a : report.accesses) {
    std::snprintf(line, sizeof line, "%-6s %-5s %5u %9.0f %6.1f %10.2f %6.2f  %.120s %.120s%s\n",
                  a.shared ? "shared" : "global", a.store ? "store" : "load", a.bytes, a.requests, a.lanes / a.requests,
                  a.units / a.requests, a.ideal / a.requests, a.place.c_str(), a.kernel.c_str(),
                  a.units > 1.05 * a.ideal ? "   <--" : "");
    text += line;
  }
  return text;
}

}  // namespace cuda_emulator::profile
