// Denormal numbers are taken for zero inside a step: on the CPU arithmetic on them is a hundred times slower.
#include "engine/step.h"

#include "kernels/cpu/float_mode.h"
#ifdef TOBOGAN_WITH_CUDA
#include "kernels/cuda/graph.h"
#endif

namespace tobogan {

#ifdef TOBOGAN_WITH_CUDA
struct Step::Captured {
  bool warm = false;  // has run as it stands: memory is there, tables are made
  std::unique_ptr<kernels::CudaGraph> graph;
  std::vector<std::function<void()>> replay_work;
};

void Step::run_captured(const Device& device, Captured& captured) {
  if (!captured.warm) {
    run();
    captured.warm = true;
    return;
  }
  kernels::enter(*gpu_of(device));
  if (captured.graph) {
    for (const auto& work : captured.replay_work) work();
  } else {
    captured.replay_work.clear();  // of a capture that failed
    context_.replay_work = &captured.replay_work;
    try {
      captured.graph = std::make_unique<kernels::CudaGraph>(*gpu_of(device), [this] { run(); });
    } catch (const std::exception& error) {
      context_.replay_work = nullptr;
      throw Error(concat_text("Step: ", error.what()));
    }
    context_.replay_work = nullptr;
    captured.replay_work.push_back([this, draws = context_.rng.draws()] { context_.rng.set_draws(draws); });
    launches_ = captured.graph->launches();
  }
  captured.graph->replay();
}
#else
struct Step::Captured {};
#endif

Step::Step(Context& context, std::function<void()> body, const StepOptions& options)
    : context_(context), body_(std::move(body)), options_(options) {}
Step::~Step() = default;

int Step::launches() const {
  return launches_;
}

void Step::run() {
  const kernels::FlushDenormals flush;
  context_.rng.advance();
  body_();
}

void Step::operator()([[maybe_unused]] int64_t shapes) {
#ifdef TOBOGAN_WITH_CUDA
  if (options_.capture && gpu_of(context_.device)) {
    std::unique_ptr<Captured>& captured = captured_[shapes];
    if (!captured) captured = std::make_unique<Captured>();
    run_captured(context_.device, *captured);
    return;
  }
#endif
  run();
}

}  // namespace tobogan
