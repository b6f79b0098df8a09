// A Machine on the CPU is a thread pool and a memory pool; on a GPU it is what kernels/cuda/machine.h says.
#include "engine/context.h"

#include <charconv>
#include <optional>

#include "kernels/cores.h"
#include "kernels/cpu/memory_pool.h"
#include "kernels/cpu/threads.h"
#include "kernels/transfer.h"
#ifdef TOBOGAN_WITH_CUDA
#include "kernels/cuda/machine.h"
#endif
#ifdef TOBOGAN_WITH_CUDNN
#include "kernels/cudnn/handles.h"
#endif

namespace tobogan {
namespace {

int threads_for(const MachineOptions& options) {
  check(options.threads >= 0, "expected a number of threads of at least 1 (or 0: one per core), got ", options.threads);
  return options.threads ? options.threads : kernels::available_cores();
}

// A machine of either kind: its tag and its pool are all that anybody asks about.
struct CpuMachine {
  kernels::Pool memory;
  kernels::Threads threads;

  explicit CpuMachine(const MachineOptions& options) : threads(threads_for(options)) {
    check(options.precision == "fp32", "expected the precision \"fp32\" on a CPU, got \"", options.precision, "\"");
  }
  kernels::Cpu tag() { return {&threads, &memory}; }
  const kernels::Pool& pool() const { return memory; }
};

#ifdef TOBOGAN_WITH_CUDA
// "cuda" is the system's first GPU, "cuda:1" its second.
struct NamedGpu {
  std::string kind;
  int index = 0;

  explicit NamedGpu(const std::string& name) : kind(name.substr(0, name.find(':'))) {
    if (kind.size() == name.size()) return;
    const char *begin = name.data() + kind.size() + 1, *end = name.data() + name.size();
    const auto [stop, error] = std::from_chars(begin, end, index);
    check(error == std::errc() && stop == end && index >= 0, "expected a GPU's number behind the colon of device \"",
          name, "\", as in \"cuda:1\"");
  }
};

kernels::Precision precision_named(const std::string& name) {
  if (name == "fp32") return kernels::Precision::kFp32;
  if (name == "tf32") return kernels::Precision::kTf32;
  check(name == "bf16", "expected a precision of \"fp32\", \"tf32\" or \"bf16\", got \"", name, "\"");
  return kernels::Precision::kBf16;
}
#endif
#if defined(TOBOGAN_WITH_CUDNN)
using AnyMachine = std::variant<CpuMachine, kernels::CudaMachine, kernels::CudnnMachine>;
constexpr const char* kDevices = "\"cpu\", \"cuda\" and \"cudnn\"";
#elif defined(TOBOGAN_WITH_CUDA)
using AnyMachine = std::variant<CpuMachine, kernels::CudaMachine>;
constexpr const char* kDevices = "\"cpu\" and \"cuda\"";
#else
using AnyMachine = std::variant<CpuMachine>;
constexpr const char* kDevices = "\"cpu\"";
#endif

}  // namespace

struct Machine::State {
  std::optional<AnyMachine> any;
  Device device;

  explicit State(const MachineOptions& options) {
    if (options.device == "cpu") use(any.emplace(std::in_place_type<CpuMachine>, options));
#ifdef TOBOGAN_WITH_CUDA
    const NamedGpu gpu(options.device);
    if (gpu.kind == "cuda") use_gpu<kernels::CudaMachine>(options, gpu.index);
#endif
#ifdef TOBOGAN_WITH_CUDNN
    if (gpu.kind == "cudnn") use_gpu<kernels::CudnnMachine>(options, gpu.index);
#endif
    check(any.has_value(), "this build computes on ", kDevices, ", not on \"", options.device, "\"");
  }
#ifdef TOBOGAN_WITH_CUDA
  template <class Kind>
  void use_gpu(const MachineOptions& options, int index) {
    const kernels::CudaOptions asked{.gpu = index, .precision = precision_named(options.precision)};
    try {
      use(any.emplace(std::in_place_type<Kind>, asked));
    } catch (const std::runtime_error& error) {
      throw Error(concat_text("device \"", options.device, "\": ", error.what()));
    }
  }
#endif
  void use(AnyMachine& machine) {
    device = std::visit([](auto& of_a_kind) { return Device(of_a_kind.tag()); }, machine);
  }
};

Machine::Machine(const MachineOptions& options) : state_(std::make_unique<State>(options)) {}
Machine::~Machine() = default;

const Device& Machine::device() const {
  return state_->device;
}
void Machine::wait() const {
  dispatch(state_->device, [](auto on) { kernels::wait_for(on); });
}
size_t Machine::bytes_in_use() const {
  return std::visit([](const auto& machine) { return machine.pool().bytes_in_use(); }, *state_->any);
}
size_t Machine::bytes_reserved() const {
  return std::visit([](const auto& machine) { return machine.pool().bytes_reserved(); }, *state_->any);
}

}  // namespace tobogan
