// Reading __launch_bounds__ back from the binary.  The macro asks the compiler for as many no-operations before the
// kernel as the block may have threads (patchable_function_entry); the section of that name lists where each such row
// begins.  A kernel with a bound is thus an address that follows a listed one with nothing but no-operations between.
#include "launch_bounds.h"

#include <cstdint>

extern "C" {
// The linker defines these if there is any such function in the program.
extern const uintptr_t __start___patchable_function_entries[] __attribute__((weak));
extern const uintptr_t __stop___patchable_function_entries[] __attribute__((weak));
}

namespace cuda_emulator {
namespace {
constexpr int kMaxThreads = 1024;

// All no-operations: 0x90 each.
bool only_padding(uintptr_t from, uintptr_t to) {
  for (auto* p = reinterpret_cast<const unsigned char*>(from); p != reinterpret_cast<const unsigned char*>(to); ++p)
    if (*p != 0x90) return false;
  return true;
}
}  // namespace

int max_threads_of(const void* kernel) {
  const auto entry = reinterpret_cast<uintptr_t>(kernel);
  for (const uintptr_t* row = __start___patchable_function_entries; row != __stop___patchable_function_entries; ++row)
    if (*row < entry && entry - *row <= uintptr_t(kMaxThreads) && only_padding(*row, entry)) return int(entry - *row);
  return kMaxThreads;
}

}  // namespace cuda_emulator
