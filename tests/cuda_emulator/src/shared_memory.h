// The shared memory of a block: an arena in which each shared variable gets its place when the block first touches it,
// poisoned with 0xFF (a NaN) and with space around that ASan watches.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace cuda_emulator {

class SharedMemory {
 public:
  // What Hopper offers: 227 KiB for one block, of which static variables may take 48 KiB.
  static constexpr size_t kMaxBytes = 227 << 10, kMaxStaticBytes = 48 << 10;

  SharedMemory();
  ~SharedMemory();
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;

  // Forgets the last block's variables; `set` (0 or 1) is which of the two arenas this block uses.
  void start_block(size_t dynamic_bytes, int set);
  void* find(int variable, size_t bytes);
  unsigned char* dynamic() const { return arena_ + size_t(set_) * kArena; }
  bool contains(const void* p) const { return p >= arena_ && p < arena_ + 2 * kArena; }
  size_t static_bytes() const { return static_bytes_; }

 private:
  struct Variable {
    uint64_t block = 0;  // the block that has touched it
    size_t offset = 0;
  };
  void poison(size_t offset, size_t bytes);

  static constexpr size_t kArena = 512 << 10;  // room for red zones
  unsigned char* arena_;
  std::vector<Variable> variables_;
  uint64_t block_ = 0;
  size_t used_ = 0, static_bytes_ = 0;
  int set_ = 0;
};

}  // namespace cuda_emulator
