// Running streams, and their part of the API.
#include "stream.h"

#include <algorithm>

#include "memory.h"
#include "options.h"
#include "report.h"

namespace cuda_emulator {
namespace {

uint64_t random_state = 88172645463325252ull;
uint64_t random_number() {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 7;
  random_state ^= random_state << 17;
  return (random_state >> 8) + options().seed;
}

bool can_step(cudaStream_t stream) {
  if (stream->queue.empty()) return false;
  const Operation& next = stream->queue.front();
  return next.kind != Operation::Kind::kWait || next.event->reached >= next.version;
}

std::vector<std::unique_ptr<StreamFiber>> retired_fibers;

cudaStream_t new_stream() {
  auto* stream = new CUstream_st;
  if (!kTsan) return stream;
  if (retired_fibers.empty()) retired_fibers.push_back(std::make_unique<StreamFiber>());
  stream->fiber = std::move(retired_fibers.back());
  retired_fibers.pop_back();
  return stream;
}

// TSan: for its lifetime this thread of execution is the stream's fiber.
class OnStreamFiber {
 public:
  OnStreamFiber(cudaStream_t stream, const Operation& operation)
      : stream_(stream),
        host_(tsan_current_fiber()),
        recorded_(operation.kind == Operation::Kind::kRecord ? operation.event : nullptr) {
    if (!kTsan) return;
    set_current_runner(&stream->fiber->runner);
    tsan_switch(stream->fiber->fiber);
    tsan_acquire(&stream->key_submitted);
    if (operation.kind == Operation::Kind::kWait) tsan_acquire(&operation.event->key);
  }
  ~OnStreamFiber() {
    if (!kTsan) return;
    tsan_release(&stream_->key_done);
    if (recorded_) tsan_release(&recorded_->key);
    tsan_switch(host_);
    set_current_runner(nullptr);
  }

 private:
  cudaStream_t stream_;
  void* host_;
  cudaEvent_t recorded_;
};

void step(cudaStream_t stream) {
  Operation operation = std::move(stream->queue.front());
  stream->queue.pop_front();
  OnStreamFiber on_fiber(stream, operation);
  if (operation.kind == Operation::Kind::kRecord) {
    operation.event->reached = std::max(operation.event->reached, operation.version);
    operation.event->time = std::chrono::steady_clock::now();
  } else if (operation.run) {
    DeviceAccess access;
    operation.run();
    operation.run = nullptr;  // what the closure holds dies on the stream's fiber
  }
}

// One operation of a stream that can go on; false if none can.  In random order any stream may be the one; otherwise it
// is `wanted` if that is possible: nothing then runs before somebody waits for it, which is as late as CUDA may run it.
bool step_any(cudaStream_t wanted = nullptr) {
  std::vector<cudaStream_t> candidates;
  for (cudaStream_t stream : all_streams())
    if (can_step(stream)) candidates.push_back(stream);
  if (candidates.empty()) return false;
  const bool choose = options().order == Order::kRandom || !wanted || !can_step(wanted);
  step(choose ? candidates[random_number() % candidates.size()] : wanted);
  return true;
}

template <class Condition>
void run_until(Condition done, cudaStream_t wanted = nullptr) {
  while (!done())
    if (!step_any(wanted)) fatal("deadlock: streams wait for events that nobody will record");
}

void join(cudaStream_t stream) {
  tsan_acquire(&stream->key_done);
}

}  // namespace

std::vector<cudaStream_t>& all_streams() {
  static auto* streams = new std::vector<cudaStream_t>{new_stream()};
  return *streams;
}
cudaStream_t stream_or_default(cudaStream_t stream) {
  return stream ? stream : all_streams()[0];
}

void drain(cudaStream_t stream) {
  run_until([=] { return stream->queue.empty(); }, stream);
}
void synchronize(cudaStream_t stream) {
  drain(stream);
  join(stream);
}
void drain_all_streams() {
  RuntimeLock lock;
  for (cudaStream_t stream : all_streams()) synchronize(stream);
}

cudaError_t submit(cudaStream_t handle, Operation operation) {
  RuntimeLock lock;
  cudaStream_t stream = stream_or_default(handle);
  if (stream->capture) {
    if (operation.kind != Operation::Kind::kRun) return cudaSuccess;
    auto& nodes = stream->capture->nodes;
    nodes.push_back({std::move(operation.run), stream->capture_after});
    stream->capture_after = {nodes.size() - 1};
    return cudaSuccess;
  }
  // The default stream and the blocking ones come one after the other.
  if (stream == all_streams()[0]) {
    for (cudaStream_t other : all_streams())
      if (other->blocking) synchronize(other);
  } else if (stream->blocking && !all_streams()[0]->queue.empty()) {
    synchronize(all_streams()[0]);
  }
  tsan_release(&stream->key_submitted);
  stream->queue.push_back(std::move(operation));
  if (!options().lazy_streams) drain(stream);
  return cudaSuccess;
}

}  // namespace cuda_emulator

using namespace cuda_emulator;

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags) {
  RuntimeLock lock;
  *stream = new_stream();
  msan_unpoison(stream, sizeof *stream);
  (*stream)->blocking = !(flags & cudaStreamNonBlocking);
  all_streams().push_back(*stream);
  return cudaSuccess;
}
cudaError_t cudaStreamCreate(cudaStream_t* stream) {
  return cudaStreamCreateWithFlags(stream, cudaStreamDefault);
}
cudaError_t cudaStreamCreateWithPriority(cudaStream_t* stream, unsigned flags, int) {
  return cudaStreamCreateWithFlags(stream, flags);
}
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  RuntimeLock lock;
  if (std::find(all_streams().begin() + 1, all_streams().end(), stream) == all_streams().end())
    return refuse(cudaErrorInvalidResourceHandle, "cudaStreamDestroy of what is not a stream");
  drain(stream);
  std::erase(all_streams(), stream);
  if (stream->fiber) retired_fibers.push_back(std::move(stream->fiber));
  delete stream;
  return cudaSuccess;
}
cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  RuntimeLock lock;
  if (stream_or_default(stream)->capture) {
    stream_or_default(stream)->capture->invalid = true;
    return refuse(cudaErrorStreamCaptureUnsupported, "cudaStreamSynchronize while the stream is captured");
  }
  synchronize(stream_or_default(stream));
  return cudaSuccess;
}
// Polling a lazy stream must come to an end, so that each question makes one step somewhere.
cudaError_t cudaStreamQuery(cudaStream_t stream) {
  RuntimeLock lock;
  if (stream_or_default(stream)->queue.empty()) return join(stream_or_default(stream)), cudaSuccess;
  step_any();
  return cudaErrorNotReady;
}
cudaError_t cudaStreamWaitEvent(cudaStream_t handle, cudaEvent_t event, unsigned) {
  RuntimeLock lock;
  cudaStream_t stream = stream_or_default(handle);
  if (event->capture) {  // the stream joins the capture, or two of its branches meet
    if (!stream->capture) stream->capture = event->capture;
    for (size_t node : event->capture_after) stream->capture_after.push_back(node);
    return cudaSuccess;
  }
  return submit(handle, {.run = nullptr, .kind = Operation::Kind::kWait, .event = event, .version = event->recorded});
}
cudaError_t cudaLaunchHostFunc(cudaStream_t stream, void (*function)(void*), void* data) {
  return submit(stream, {.run = [=] { function(data); }});
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
  *event = new CUevent_st;
  msan_unpoison(event, sizeof *event);
  return cudaSuccess;
}
cudaError_t cudaEventCreate(cudaEvent_t* event) {
  return cudaEventCreateWithFlags(event, cudaEventDefault);
}
cudaError_t cudaEventDestroy(cudaEvent_t event) {
  RuntimeLock lock;
  for (cudaStream_t stream : all_streams())  // queued operations name it
    if (std::any_of(stream->queue.begin(), stream->queue.end(), [=](const Operation& o) { return o.event == event; }))
      drain(stream);
  delete event;
  return cudaSuccess;
}
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t handle) {
  RuntimeLock lock;
  cudaStream_t stream = stream_or_default(handle);
  event->capture = stream->capture;
  event->capture_after = stream->capture_after;
  if (event->capture) return cudaSuccess;
  return submit(handle,
                {.run = nullptr, .kind = Operation::Kind::kRecord, .event = event, .version = ++event->recorded});
}
cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  RuntimeLock lock;
  run_until([=] { return event->reached >= event->recorded; });
  tsan_acquire(&event->key);
  return cudaSuccess;
}
cudaError_t cudaEventQuery(cudaEvent_t event) {
  RuntimeLock lock;
  if (event->reached >= event->recorded) return tsan_acquire(&event->key), cudaSuccess;
  step_any();
  return cudaErrorNotReady;
}
cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t start, cudaEvent_t end) {
  RuntimeLock lock;
  if (!start->recorded || !end->recorded) return refuse(cudaErrorInvalidResourceHandle, "event never recorded");
  if (start->reached < start->recorded || end->reached < end->recorded) return cudaErrorNotReady;
  *milliseconds = std::chrono::duration<float, std::milli>(end->time - start->time).count();
  msan_unpoison(milliseconds, sizeof *milliseconds);
  return cudaSuccess;
}
