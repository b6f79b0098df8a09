// On the CPU a step is its body, run with denormal numbers taken for zero: the tails of Adam's moments are full of them
// and arithmetic on them is a hundred times slower.
#include "engine/step.h"

#if defined(__SSE__)
#include <xmmintrin.h>
#endif

namespace tobogan {
namespace {

// Denormals read and written as zero while it lives.  Pool threads take over the mode of the thread they work for.
class FlushDenormals {
 public:
#if defined(__SSE__)
  FlushDenormals() : before_(_mm_getcsr()) {
    _mm_setcsr(before_ | 0x8040);
  }
  ~FlushDenormals() {
    _mm_setcsr(before_);
  }

 private:
  unsigned before_;
#endif
};

}  // namespace

void Step::operator()() {
  const FlushDenormals flush;
  context_.rng.advance();
  body_();
}

}  // namespace tobogan
