// What must be there is asked for at once, so that the first kernel is not the one to find out.
#include "kernels/cuda/machine.h"

#include <cublas_v2.h>

#include <algorithm>
#include <mutex>
#include <stdexcept>

#include "kernels/cuda/check.h"
#include "kernels/transfer.h"

namespace tobogan::kernels {
namespace {

#ifdef CUDA_EMULATOR
constexpr bool kReuseMemory = false;
#else
constexpr bool kReuseMemory = true;
#endif
constexpr size_t kPinned = size_t{4} << 20;
constexpr size_t kCublasWorkspace = size_t{32} << 20;  // what NVIDIA recommends for Hopper
constexpr int kOldest = 8;                             // Ampere: cp.async, and mma.sync with TF32 and bf16

// The number of GPUs; without any, why.
int count_gpus() {
  int count = 0;
  const cudaError_t error = cudaGetDeviceCount(&count);
  if (error == cudaErrorInsufficientDriver) {
    int driver = 0, runtime = 0;
    cudaDriverGetVersion(&driver);
    cudaRuntimeGetVersion(&runtime);
    const auto text = [](int version) {
      return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
    };
    throw std::runtime_error(driver == 0 ? "no NVIDIA driver is installed"
                                         : "the NVIDIA driver knows CUDA " + text(driver) +
                                               ", and this program was built with CUDA " + text(runtime) +
                                               ": a newer driver is needed");
  }
  if (error == cudaErrorNoDevice || (error == cudaSuccess && count == 0))
    throw std::runtime_error("this machine has no NVIDIA GPU that CUDA can use");
  check_cuda(error, "looking for GPUs");
  return count;
}

void check_cublas(cublasStatus_t status, const char* tried) {
  if (status != CUBLAS_STATUS_SUCCESS)
    throw std::runtime_error(std::string(tried) + ": " + cublasGetStatusString(status));
}

}  // namespace

std::shared_mutex& capture_mutex() {
  static std::shared_mutex mutex;
  return mutex;
}

CudaMachine::CudaMachine(const CudaOptions& options) : precision_(options.precision), gpu_(options.gpu) {
  const int count = count_gpus();
  if (gpu_ < 0 || gpu_ >= count)
    throw std::runtime_error("GPU " + std::to_string(gpu_) + " was asked for, and this machine has " +
                             std::to_string(count));
  cudaDeviceProp properties{};
  check_cuda(cudaGetDeviceProperties(&properties, gpu_), "asking what the GPU is");
  name_ = properties.name;
  multiprocessors_ = properties.multiProcessorCount;
  shared_bytes_ = properties.sharedMemPerBlockOptin;
  if (properties.major < kOldest)
    throw std::runtime_error("the GPU \"" + name_ + "\" has compute capability " + std::to_string(properties.major) +
                             "." + std::to_string(properties.minor) + ", and the kernels need 8.0 or newer");
  use();
  const std::unique_lock no_capture(capture_mutex());
  check_cuda(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "making a stream");
  pool_.emplace(stream_, kReuseMemory);
  check_cuda(cudaMallocHost(&pinned_, kPinned), "taking pinned memory");
  check_cublas(cublasCreate(&cublas_), "starting cuBLAS");
  check_cublas(cublasSetStream(cublas_, stream_), "giving cuBLAS the stream");
  check_cuda(cudaMalloc(&counters_, kCounters * sizeof(unsigned)), "taking memory for counters");
  check_cuda(cudaMemsetAsync(counters_, 0, kCounters * sizeof(unsigned), stream_), "setting counters to zero");
  // Memory of our own: cuBLAS's would be allocated while a step is captured, and make results depend on it.
  check_cuda(cudaMalloc(&cublas_workspace_, kCublasWorkspace), "taking cuBLAS's workspace");
  check_cublas(cublasSetWorkspace(cublas_, cublas_workspace_, kCublasWorkspace), "giving cuBLAS its workspace");
}

CudaMachine::~CudaMachine() {
  const std::unique_lock no_capture(capture_mutex());
  cudaSetDevice(gpu_);
  cudaStreamSynchronize(stream_);
  pool_.reset();
  cublasDestroy(cublas_);
  cudaFree(cublas_workspace_);
  cudaFree(counters_);
  for (const auto& [content, table] : tables_) cudaFree(table);
  cudaFreeHost(pinned_);
  cudaStreamDestroy(stream_);
}

void CudaMachine::use() const {
  check_cuda(cudaSetDevice(gpu_), "choosing the GPU");
}

void CudaMachine::refuse_capture(const char* tried) const {
  cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
  check_cuda(cudaStreamIsCapturing(stream_, &status), "asking whether a step is being captured");
  if (status != cudaStreamCaptureStatusNone)
    throw std::runtime_error(std::string(tried) +
                             " inside a training step that is being captured: a captured step runs "
                             "on the GPU alone; read results after it");
}

const void* CudaMachine::table(const void* values, size_t bytes) {
  std::string content(static_cast<const char*>(values), bytes);
  const auto found = tables_.find(content);
  if (found != tables_.end()) return found->second;
  refuse_capture("a new shape");
  void* table = nullptr;
  check_cuda(cudaMalloc(&table, std::max<size_t>(bytes, 1)), "taking memory for a table");
  tables_.emplace(std::move(content), table);
  from_host(bytes, values, table);
  return table;
}

void CudaMachine::from_host(size_t bytes, const void* host, void* device) {
  refuse_capture("copying to the GPU");
  for (size_t done = 0; done < bytes; done += kPinned) {
    const size_t piece = std::min(kPinned, bytes - done);
    std::memcpy(pinned_, static_cast<const char*>(host) + done, piece);
    check_cuda(cudaMemcpyAsync(static_cast<char*>(device) + done, pinned_, piece, cudaMemcpyHostToDevice, stream_),
               "copying to the GPU");
    check_cuda(cudaStreamSynchronize(stream_), "copying to the GPU");
  }
}

void CudaMachine::to_host(size_t bytes, const void* device, void* host) {
  refuse_capture("reading a tensor");
  for (size_t done = 0; done < bytes; done += kPinned) {
    const size_t piece = std::min(kPinned, bytes - done);
    check_cuda(
        cudaMemcpyAsync(pinned_, static_cast<const char*>(device) + done, piece, cudaMemcpyDeviceToHost, stream_),
        "copying from the GPU");
    check_cuda(cudaStreamSynchronize(stream_), "waiting for the GPU's results");
    std::memcpy(static_cast<char*>(host) + done, pinned_, piece);
  }
}

void enter(Cuda on) {
  on.machine->use();
}

void wait_for(Cuda on) {
  check_cuda(cudaStreamSynchronize(on.stream), "waiting for the GPU");
}

void from_host(Cuda on, size_t bytes, const void* host, void* device) {
  on.machine->from_host(bytes, host, device);
}

void to_host(Cuda on, size_t bytes, const void* device, void* host) {
  on.machine->to_host(bytes, device, host);
}

}  // namespace tobogan::kernels
