// On the CPU a step is its body, run with the random numbers of the next step.
//
// Denormal numbers are left alone: flushing them to zero is a mode of each thread, and as long as the pool's threads do
// not take it over from the caller, results would depend on which thread computed them.
#include "engine/step.h"

namespace tobogan {

void Step::operator()() {
  context_.rng.advance();
  body_();
}

}  // namespace tobogan
