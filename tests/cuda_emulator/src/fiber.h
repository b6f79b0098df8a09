// A stack of its own on which a CUDA thread can stop and go on.  Switching costs a few nanoseconds on x86-64 (twenty
// lines of assembly: no system call, no signal mask) and some 200 elsewhere (ucontext).
#pragma once
#include <cstddef>

#if !defined(__x86_64__)
#define CUDA_EMULATOR_UCONTEXT 1
#endif
#ifdef CUDA_EMULATOR_UCONTEXT
#include <ucontext.h>
#endif

namespace cuda_emulator {

class Fiber {
 public:
  Fiber() = default;  // the stack that the operating-system thread is on already
  // A stack with a guard page.  `colour` shifts its start, lest all stacks fight for the same cache sets.
  Fiber(size_t stack_bytes, int colour);
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  // The next switch_to starts `entry` on this stack.  entry never returns.
  void prepare(void (*entry)());

  // Leaves this fiber, which is running, for `to`; returns when somebody switches back.
  // `dying`: this fiber's stack will not be looked at again before the next prepare().
  void switch_to(Fiber& to, bool dying);

  // The first thing entry does: completes the switch for ASan and tells `from`, if it is an operating-system thread's
  // own stack, where that lies.
  static void entered(Fiber& from);

 private:
  void* stack_pointer_ = nullptr;
  char* base_ = nullptr;
  size_t bytes_ = 0;
  size_t shift_ = 0;
  bool owned_ = false;
  void* asan_stack_ = nullptr;
#ifdef CUDA_EMULATOR_UCONTEXT
  ucontext_t context_;
#endif
};

}  // namespace cuda_emulator
