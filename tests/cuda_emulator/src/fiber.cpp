// Switching stacks.  The assembly saves what the x86-64 calling convention lets a function keep; it ends with `ret`,
// not `jmp`, because all fibers come back to the same call site and the processor's return predictor is then always
// right.
#include "fiber.h"

#include <sys/mman.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "sanitizers.h"

#ifndef CUDA_EMULATOR_UCONTEXT
extern "C" void cuda_emulator_switch(void** save_stack_pointer, void* new_stack_pointer);
asm(R"(
.text
.globl cuda_emulator_switch
.type cuda_emulator_switch,@function
cuda_emulator_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size cuda_emulator_switch,.-cuda_emulator_switch
)");
#endif

namespace cuda_emulator {
namespace {
constexpr size_t kPage = 4096;
}

Fiber::Fiber(size_t stack_bytes, int colour) : bytes_(stack_bytes), shift_(size_t(colour) % 13 * 320), owned_(true) {
  void* memory =
      mmap(nullptr, stack_bytes + kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED || mprotect(memory, kPage, PROT_NONE)) {
    std::perror("cuda_emulator: no memory for the stack of a CUDA thread");
    std::abort();
  }
  base_ = static_cast<char*>(memory) + kPage;
}

Fiber::~Fiber() {
  if (owned_) munmap(base_ - kPage, bytes_ + kPage);
}

void Fiber::prepare(void (*entry)()) {
#ifdef CUDA_EMULATOR_UCONTEXT
  getcontext(&context_);
  context_.uc_stack.ss_sp = base_;
  context_.uc_stack.ss_size = bytes_ - shift_;
  context_.uc_link = nullptr;
  makecontext(&context_, entry, 0);
#else
  auto* top = reinterpret_cast<uintptr_t*>(base_ + bytes_ - shift_);
  *--top = 0;  // entry's return address: unwinders stop here
  *--top = reinterpret_cast<uintptr_t>(entry);
  for (int i = 0; i < 6; ++i) *--top = 0;  // the saved registers
  stack_pointer_ = top;
#endif
}

void Fiber::switch_to(Fiber& to, [[maybe_unused]] bool dying) {
#ifdef CUDA_EMULATOR_ASAN
  __sanitizer_start_switch_fiber(dying ? nullptr : &asan_stack_, to.base_, to.bytes_);
#endif
#ifdef CUDA_EMULATOR_UCONTEXT
  swapcontext(&context_, &to.context_);
#else
  cuda_emulator_switch(&stack_pointer_, to.stack_pointer_);
#endif
#ifdef CUDA_EMULATOR_ASAN
  __sanitizer_finish_switch_fiber(asan_stack_, nullptr, nullptr);
#endif
}

void Fiber::entered([[maybe_unused]] Fiber& from) {
#ifdef CUDA_EMULATOR_ASAN
  const void* base;
  size_t bytes;
  __sanitizer_finish_switch_fiber(nullptr, &base, &bytes);
  if (!from.owned_ && !from.base_) {
    from.base_ = const_cast<char*>(static_cast<const char*>(base));
    from.bytes_ = bytes;
  }
#endif
}

}  // namespace cuda_emulator
