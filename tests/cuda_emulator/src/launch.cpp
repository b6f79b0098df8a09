// Launching kernels: the checks that CUDA makes, and the blocks spread over operating-system threads.
#include <cuda_emulator/launch.h>

#include <condition_variable>
#include <memory>
#include <numeric>
#include <thread>
#include <unordered_map>

#include "block.h"
#include "launch_bounds.h"
#include "memory.h"
#include "options.h"
#include "recorder.h"
#include "report.h"
#include "stream.h"

namespace cuda_emulator {
namespace {

std::unordered_map<const void*, int>& dynamic_shared_limits() {
  static auto* limits = new std::unordered_map<const void*, int>;
  return *limits;
}
size_t dynamic_shared_limit(const void* kernel) {
  const auto found = dynamic_shared_limits().find(kernel);
  return found == dynamic_shared_limits().end() ? SharedMemory::kMaxStaticBytes : size_t(found->second);
}

uint64_t launches = 0;

// The order of blocks: straight, backwards, or a permutation i -> factor i + offset (mod blocks).
class BlockOrder {
 public:
  explicit BlockOrder(uint64_t blocks) : blocks_(blocks) {
    if (options().order == Order::kReverse) {
      factor_ = blocks - 1;
      offset_ = blocks - 1;
    } else if (options().order == Order::kRandom) {
      const uint64_t random = (options().seed + launches) * 0x9E3779B97F4A7C15ull;
      offset_ = (random >> 40) % blocks;
      for (factor_ = (random >> 8) % blocks; std::gcd(factor_, blocks) != 1;) factor_ = (factor_ + 1) % blocks;
    }
  }
  uint64_t operator[](uint64_t i) const { return uint64_t(((unsigned __int128)factor_ * i + offset_) % blocks_); }

 private:
  uint64_t blocks_, factor_ = 1, offset_ = 0;
};

void run_blocks(Grid& grid, const BlockOrder& order) {
  BlockRunner& runner = current_runner();
  for (uint64_t i; (i = grid.next.fetch_add(1)) < grid.blocks;)
    if (!recorder || recorder->wants(order[i])) runner.run(grid, order[i]);
}

// Threads that wait for grids until the process ends.
class Workers {
 public:
  explicit Workers(int count) : helpers_(count - 1) {
    for (int i = 0; i < helpers_; ++i) std::thread([this] { help(); }).detach();
  }
  void run(Grid& grid, const BlockOrder& order) {
    {
      std::lock_guard lock(mutex_);
      grid_ = &grid;
      order_ = &order;
      busy_ = helpers_;
      ++job_;
    }
    start_.notify_all();
    run_blocks(grid, order);
    std::unique_lock lock(mutex_);
    finished_.wait(lock, [&] { return busy_ == 0; });
  }

 private:
  void help() {
    for (uint64_t seen = 0;;) {
      Grid* grid;
      const BlockOrder* order;
      {
        std::unique_lock lock(mutex_);
        start_.wait(lock, [&] { return job_ != seen; });
        seen = job_;
        grid = grid_;
        order = order_;
      }
      run_blocks(*grid, *order);
      std::lock_guard lock(mutex_);
      if (--busy_ == 0) finished_.notify_one();
    }
  }
  const int helpers_;
  std::mutex mutex_;
  std::condition_variable start_, finished_;
  Grid* grid_ = nullptr;
  const BlockOrder* order_ = nullptr;
  uint64_t job_ = 0;
  int busy_ = 0;
};

void run_grid(Grid& grid) {
  ++launches;
  if (recorder) recorder->launch(grid.kernel, grid.grid, grid.block);
  const BlockOrder order(grid.blocks);
  current_runner().begin_grid();
  if (options().workers > 1 && grid.blocks > 1 && !recorder) {
    static auto* workers = new Workers(options().workers);
    workers->run(grid, order);
  } else {
    run_blocks(grid, order);
  }
  current_runner().end_grid();
}

// The reason why CUDA would refuse the launch, null if it would not.
const char* complaint(const cudaLaunchConfig_t& c, const void* kernel) {
  const dim3 b = c.blockDim, g = c.gridDim;
  const uint64_t threads = uint64_t(b.x) * b.y * b.z;
  if (threads == 0) return "the block is empty";
  if (threads > uint64_t(kMaxThreads) || b.z > 64) return "the block is larger than 1024 threads (or 64 in z)";
  if (g.x == 0 || g.y == 0 || g.z == 0) return "the grid is empty";
  if (g.x > 0x7fffffffu || g.y > 65535 || g.z > 65535) return "the grid is larger than 2147483647 x 65535 x 65535";
  if (threads > uint64_t(max_threads_of(kernel))) return "the block is larger than the kernel's __launch_bounds__";
  if (c.dynamicSmemBytes > dynamic_shared_limit(kernel))
    return "more dynamic shared memory than the kernel was allowed (48 KiB without cudaFuncSetAttribute)";
  if (c.numAttrs) return "launch attributes are not emulated";
  return nullptr;
}

}  // namespace

uint64_t launch_count() {
  return launches;
}

cudaError_t launch(const cudaLaunchConfig_t& config, const void* kernel, Call call) {
  RuntimeLock lock;
  std::shared_ptr<void> arguments(call.arguments, call.destroy);
  msan_unpoison(call.arguments, call.bytes);
  if (const char* reason = complaint(config, kernel)) {
    note("launch of %s refused: %s (grid %ux%ux%u, block %ux%ux%u, %zu bytes)", kernel_name(kernel).c_str(), reason,
         config.gridDim.x, config.gridDim.y, config.gridDim.z, config.blockDim.x, config.blockDim.y, config.blockDim.z,
         config.dynamicSmemBytes);
    return refuse(cudaErrorInvalidConfiguration);
  }
  return submit(config.stream, {.run = [=, arguments = std::move(arguments), grid = config.gridDim,
                                        block = config.blockDim, shared = config.dynamicSmemBytes, run = call.run] {
                  Grid work{grid, block, shared, kernel, run, arguments.get(), uint64_t(grid.x) * grid.y * grid.z};
                  run_grid(work);
                }});
}

cudaError_t enqueue(cudaStream_t stream, Call call) {
  std::shared_ptr<void> arguments(call.arguments, call.destroy);
  return submit(stream, {.run = [arguments = std::move(arguments), run = call.run] { run(arguments.get()); }});
}

void check_pointer_argument(const void* kernel, int position, const void* pointer) {
  if (place_of(pointer).memory != Memory::kHost) return;
  if (place_of(static_cast<const char*>(pointer) - 1).memory != Memory::kHost) return;  // an empty view at an end
  fatal("kernel %s: argument %d (%p) is a pointer, but not to device or pinned memory", kernel_name(kernel).c_str(),
        position, pointer);
}

cudaError_t set_function_attribute(const void* kernel, cudaFuncAttribute attribute, int value) {
  RuntimeLock lock;
  if (attribute != cudaFuncAttributeMaxDynamicSharedMemorySize) return cudaSuccess;
  if (value < 0 || size_t(value) > options().shared_bytes)
    return refuse(cudaErrorInvalidValue, "cudaFuncSetAttribute: more shared memory than a block can have");
  dynamic_shared_limits()[kernel] = value;
  return cudaSuccess;
}

cudaError_t function_attributes(cudaFuncAttributes* attributes, const void* kernel) {
  *attributes = {};
  attributes->maxThreadsPerBlock = max_threads_of(kernel);
  attributes->maxDynamicSharedSizeBytes = int(dynamic_shared_limit(kernel));
  msan_unpoison(attributes, sizeof *attributes);
  return cudaSuccess;
}

// By threads and dynamic shared memory alone: the emulator knows nothing of registers.
int resident_blocks(const void*, int block, size_t dynamic_shared) {
  const size_t by_threads = size_t(2048 / std::max(1, block));
  const size_t by_shared = (size_t(228) << 10) / (dynamic_shared + 1024);
  return int(std::min({by_threads, by_shared, size_t(32)}));
}

}  // namespace cuda_emulator
