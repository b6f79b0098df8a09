// What the emulator's tests share.  Plain C++ and the CUDA runtime, no test framework: the same programs are compiled
// by other compilers with sanitizers, of which a framework's library would know nothing, and by nvcc for a real GPU.
#pragma once
#include <cuda_runtime.h>

#include <cmath>
#include <cstdio>
#include <random>
#include <vector>

#include "kernels/cuda/check.h"

namespace emulator_test {

using tobogan::kernels::check_cuda;

inline int failures = 0;

inline void expect(bool ok, const char* what) {
  if (!ok) ++failures;
  if (!ok) std::printf("FAILED: %s\n", what);
}

// |value - reference| <= tolerance (1 + |reference|), element by element; NaN is never near.
inline void expect_near(const std::vector<float>& values, const std::vector<float>& references, float tolerance,
                        const char* what) {
  if (values.size() != references.size()) return expect(false, what);
  for (size_t i = 0; i < values.size(); ++i)
    if (!(std::fabs(values[i] - references[i]) <= tolerance * (1 + std::fabs(references[i])))) {
      std::printf("%s: element %zu of %zu is %g, expected %g\n", what, i, values.size(), double(values[i]),
                  double(references[i]));
      return expect(false, what);
    }
}

inline int report() {
  if (failures)
    std::printf("%d FAILED\n", failures);
  else
    std::printf("all passed\n");
  return failures != 0;
}

// A non-blocking stream for a scope.
class Stream {
 public:
  Stream() { check_cuda(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "creating a stream"); }
  ~Stream() { cudaStreamDestroy(stream_); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  operator cudaStream_t() const { return stream_; }
  void wait() const { check_cuda(cudaStreamSynchronize(stream_), "waiting for a stream"); }

 private:
  cudaStream_t stream_;
};

// An array on the device.
template <class T>
class Array {
 public:
  explicit Array(size_t size) : size_(size) { check_cuda(cudaMalloc(&data_, size * sizeof(T)), "allocating"); }
  explicit Array(const std::vector<T>& values) : Array(values.size()) {
    check_cuda(cudaMemcpy(data_, values.data(), size_ * sizeof(T), cudaMemcpyHostToDevice), "copying to the device");
    // A real GPU may return when it has read the host's memory; non-blocking streams do not wait for the rest.
    check_cuda(cudaStreamSynchronize(nullptr), "copying to the device");
  }
  ~Array() { cudaFree(data_); }
  Array(const Array&) = delete;
  Array& operator=(const Array&) = delete;
  operator T*() const { return data_; }
  T* data() const { return data_; }
  size_t size() const { return size_; }
  // Waits for the stream, then copies to the host.
  std::vector<T> read(const Stream& stream) const {
    stream.wait();
    std::vector<T> values(size_);
    check_cuda(cudaMemcpy(values.data(), data_, size_ * sizeof(T), cudaMemcpyDeviceToHost), "copying to the host");
    return values;
  }

 private:
  T* data_ = nullptr;
  size_t size_;
};

inline std::vector<float> normal_values(size_t count, unsigned seed = 7) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(count);
  for (float& v : values) v = normal(generator);
  return values;
}
inline std::vector<float> counting(size_t count) {
  std::vector<float> values(count);
  for (size_t i = 0; i < count; ++i) values[i] = float(i);
  return values;
}

}  // namespace emulator_test
