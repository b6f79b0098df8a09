// Division by a number that is known before a kernel starts: a multiplication instead of some twenty instructions.
#pragma once
#include <bit>

#include "kernels/cuda/device.cuh"

namespace tobogan::kernels {

// quotient(i) = i / divisor for i >= 0.  Granlund & Montgomery 1994 for i < 2^31; an ordinary division above.
class Divider {
 public:
  Divider() : Divider(1) {}
  explicit Divider(int64_t divisor) : divisor_(divisor) {  // REQUIRES: divisor >= 1
    if (divisor >= kLimit) {                               // then i / divisor is 0 for every i below the limit
      shift_ = 31;
      return;
    }
    const uint64_t d = uint64_t(divisor);
    shift_ = std::bit_width(d - 1);  // the logarithm, rounded up
    multiplier_ = uint32_t((((uint64_t{1} << shift_) - d) << 32) / d + 1);
  }

  __device__ int64_t quotient(int64_t i) const {
    if (i >= kLimit) return i / divisor_;
    const uint32_t n = uint32_t(i);
    return (__umulhi(n, multiplier_) + n) >> shift_;
  }
  __device__ int64_t remainder(int64_t i) const { return i - quotient(i) * divisor_; }
  __host__ __device__ int64_t divisor() const { return divisor_; }

 private:
  static constexpr int64_t kLimit = int64_t{1} << 31;
  int64_t divisor_;
  uint32_t multiplier_ = 0;
  int shift_ = 0;
};

}  // namespace tobogan::kernels
