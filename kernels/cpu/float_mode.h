// How a thread treats denormal numbers: arithmetic on them is a hundred times slower, and the tails of Adam's moments
// are full of them. The mode belongs to a thread, so the pool's workers take it over from the thread they work for:
// otherwise the bits of a result would depend on who computed it.
#pragma once

#if defined(__SSE__)
#include <xmmintrin.h>
#endif

namespace tobogan::kernels {

#if defined(__SSE__)
using FloatMode = unsigned;
inline FloatMode float_mode() {
  return _mm_getcsr();
}
inline void set_float_mode(FloatMode mode) {
  _mm_setcsr(mode);
}
inline FloatMode flushing(FloatMode mode) {
  return mode | 0x8040;
}  // flush to zero, denormals are zero
#else
struct FloatMode {};
inline FloatMode float_mode() {
  return {};
}
inline void set_float_mode(FloatMode) {}
inline FloatMode flushing(FloatMode mode) {
  return mode;
}
#endif

// While it lives, this thread and the regions it opens read and write denormals as zero.
class FlushDenormals {
 public:
  FlushDenormals() : before_(float_mode()) { set_float_mode(flushing(before_)); }
  ~FlushDenormals() { set_float_mode(before_); }
  FlushDenormals(const FlushDenormals&) = delete;
  FlushDenormals& operator=(const FlushDenormals&) = delete;

 private:
  FloatMode before_;
};

}  // namespace tobogan::kernels
