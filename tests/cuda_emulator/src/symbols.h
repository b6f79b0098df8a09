// Names of functions, from the program file.
#pragma once
#include <cstdint>
#include <string>

namespace cuda_emulator {

// The mangled name of the function that begins at `function`.  dladdr would know exported functions only, and kernels
// mostly live in unnamed namespaces.
std::string symbol_name(const void* function);

// The address as the program or library on disk counts it.
uintptr_t address_in_file(const void* address);

}  // namespace cuda_emulator
