// Messages, and what a bad address means.
#include "report.h"

#include <cxxabi.h>
#include <signal.h>
#include <unistd.h>

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "block.h"
#include "memory.h"
#include "options.h"
#include "symbols.h"

namespace cuda_emulator {
namespace {

void print(const char* format, va_list arguments) {
  std::fputs("cuda_emulator: ", stderr);
  std::vfprintf(stderr, format, arguments);
  std::fputc('\n', stderr);
}

void on_signal(int signal, siginfo_t* info, void*) {
  const void* address = info->si_addr;
  if (device_arena_contains(address)) {
    note(device_arena_is_open() ? "ERROR: a kernel or copy touches device memory %p that is not allocated"
                                : "ERROR: host code touches device memory %p",
         address);
  } else {
    note("ERROR: signal %d at address %p (stack overflow of a thread, misaligned vector access or wild pointer)",
         signal, address);
  }
  note_position();
  _exit(1);
}

}  // namespace

void note(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  print(format, arguments);
  va_end(arguments);
}

void fatal(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  std::fputs("cuda_emulator: ERROR: ", stderr);
  std::vfprintf(stderr, format, arguments);
  std::fputc('\n', stderr);
  va_end(arguments);
  note_position();
  std::fflush(nullptr);
  _exit(1);  // not exit: destructors of a half-run program would say things of their own
}

void device_error(const char* message, Location where) {
  if (where.file) fatal("%s (%s:%d)", message, where.file, where.line);
  fatal("%s", message);
}

void note_position() {
  if (!in_kernel()) return;
  note("in kernel %s, block (%u,%u,%u), thread (%u,%u,%u)", kernel_name(running_block->grid()->kernel).c_str(),
       blockIdx.x, blockIdx.y, blockIdx.z, threadIdx.x, threadIdx.y, threadIdx.z);
}

// On a stack of its own, or the overflow of a thread's stack could not be reported.
void install_signal_handler() {
  static char stack[64 << 10];
  const stack_t alternative{stack, 0, sizeof stack};
  sigaltstack(&alternative, nullptr);
  struct sigaction action {};
  action.sa_sigaction = on_signal;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigaction(SIGSEGV, &action, nullptr);
  sigaction(SIGBUS, &action, nullptr);
}

std::string kernel_name(const void* kernel) {
  const std::string name = symbol_name(kernel);
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> readable(abi::__cxa_demangle(name.c_str(), nullptr, nullptr, &status),
                                                        std::free);
  return status == 0 ? readable.get() : name;
}

}  // namespace cuda_emulator
