// Asking addr2line, once for all addresses.
#include "profile_source.h"

#include <unistd.h>

#include <cstdio>

#include "symbols.h"

namespace cuda_emulator::profile {
std::vector<std::string> source_places(const std::vector<const void*>& return_addresses, const std::string& addr2line) {
  std::vector<std::string> places(return_addresses.size(), "?");
  char program[4096];
  const ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
  if (length <= 0 || return_addresses.empty()) return places;
  std::string command = addr2line + " -s -e '" + std::string(program, size_t(length)) + "'";
  for (const void* address : return_addresses) {
    char text[24];
    std::snprintf(text, sizeof text, " %#zx", size_t(address_in_file(address) - 1));  // within the call
    command += text;
  }
  FILE* answers = popen((command + " 2>/dev/null").c_str(), "r");
  if (!answers) return places;
  char line[1000];
  for (std::string& place : places) {
    if (!std::fgets(line, sizeof line, answers)) break;
    place = line;
    place.erase(place.find_first_of(" \n"));  // also drops " (discriminator 3)"
  }
  pclose(answers);
  return places;
}

}  // namespace cuda_emulator::profile
