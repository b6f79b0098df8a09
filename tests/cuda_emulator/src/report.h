// How the emulator speaks: lines on the standard error stream that begin with "cuda_emulator:", and a bug in a kernel
// ends the process, as there is nothing a caller could do about it.
#pragma once
#include <cuda_emulator/execution.h>

namespace cuda_emulator {

[[gnu::format(printf, 1, 2)]] void note(const char* format, ...);
[[noreturn, gnu::format(printf, 1, 2)]] void fatal(const char* format, ...);
void note_position();           // which kernel, block and thread is running, if one is
void install_signal_handler();  // a bad address names the kernel, too

}  // namespace cuda_emulator
