// Device memory that frees itself, and arrays of it for what is not a tensor of real numbers: labels, bytes, counters.
#pragma once
#include <memory>
#include <span>
#include <vector>

#include "engine/device.h"
#include "engine/error.h"

namespace tobogan {

// One block of a device's memory.  REQUIRES: the Machine outlives it.
class Storage {
 public:
  Storage(const Device& device, size_t bytes);
  // Memory that belongs to somebody else and is never written.
  Storage(const Device& device, const void* constant);
  ~Storage();
  Storage(const Storage&) = delete;
  Storage& operator=(const Storage&) = delete;

  const Device& device() const { return device_; }
  void* data() const { return data_; }
  // How often the contents were changed in place.  A derivative rule that would read changed values refuses
  // (autograd.h).
  uint32_t version() const { return version_; }
  void modified() { ++version_; }

 private:
  Device device_;
  size_t bytes_;
  void* data_;
  bool owned_ = true;
  uint32_t version_ = 0;
};

void copy_from_host(const Device& device, size_t bytes, const void* host, void* data);
void copy_to_host(const Device& device, size_t bytes, const void* data, void* host);

// `count` values of T in device memory.  A handle: copies share the memory.
template <class T>
class Array {
 public:
  Array() = default;
  Array(int64_t count, const Device& device)
      : count_(count), storage_(std::make_shared<Storage>(device, static_cast<size_t>(count) * sizeof(T))) {}
  Array(std::span<const T> values, const Device& device) : Array(static_cast<int64_t>(values.size()), device) {
    set(values);
  }

  int64_t count() const { return count_; }
  const Device& device() const { return storage_->device(); }
  T* data() const { return storage_ ? static_cast<T*>(storage_->data()) : nullptr; }

  std::vector<T> to_host() const {
    std::vector<T> values(count_);
    if (count_) copy_to_host(device(), count_ * sizeof(T), data(), values.data());
    return values;
  }
  // Overwrites the contents.  An operation that remembers the array (a loss its labels) reads what it then finds.
  // REQUIRES: values.size() == count().
  void set(std::span<const T> values) {
    check(static_cast<int64_t>(values.size()) == count_, "Array: expected ", count_, " values, got ", values.size());
    if (count_) copy_from_host(device(), count_ * sizeof(T), values.data(), data());
  }

 private:
  int64_t count_ = 0;
  std::shared_ptr<Storage> storage_;
};

using Indices = Array<int32_t>;  // labels, positions in a data set

}  // namespace tobogan
