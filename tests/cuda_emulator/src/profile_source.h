// From an address in the program to its source line.
#pragma once
#include <string>
#include <vector>

namespace cuda_emulator::profile {

// "file:line" for each return address; "?" where the program has no such knowledge or addr2line cannot be run.
std::vector<std::string> source_places(const std::vector<const void*>& return_addresses, const std::string& addr2line);

}  // namespace cuda_emulator::profile
