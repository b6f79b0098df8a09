// On the CPU a step is its body, run with the random numbers of the next step and with denormal numbers taken for zero.
#include "engine/step.h"

#include "kernels/cpu/float_mode.h"

namespace tobogan {

void Step::operator()() {
  const kernels::FlushDenormals flush;
  context_.rng.advance();
  body_();
}

}  // namespace tobogan
